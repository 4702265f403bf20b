"""Saying in words what a depth file holds."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.kind import Freedom, Quantity
from leadline.core.record import Record
from leadline.io.clouds import CLOUD_SUFFIXES, cloud_record
from leadline.io.decode import DEFAULT_MAX_PIXELS, open_picture
from leadline.io.depth_files import DEPTH_SUFFIXES, read_record, read_stored, recorded_depth
from leadline.io.depth_formats.stored import Stored
from leadline.io.images import no_such_path
from leadline.io.marks import is_marked, mark_of

__all__ = ["DESCRIBED_SUFFIXES", "FileDescription", "describe_file"]

_PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg")
DESCRIBED_SUFFIXES = tuple(dict.fromkeys((*DEPTH_SUFFIXES, *_PICTURE_SUFFIXES, *CLOUD_SUFFIXES)))
"""File name endings that ``describe_file`` knows."""


@dataclass(frozen=True, slots=True)
class FileDescription:
    """What a file holds.

    Args:
        path: The file.
        role: ``"depth"`` with a record, ``"bare"`` numbers without one, a ``"picture"`` that only shows depth, a
            point ``"cloud"``, or a ``"photo"``.
        form: Format in words: ``"16-bit PNG"``.
        summary: One line: what it is.
        facts: Further lines: kind, values, camera, encoding, maker, and what may be done with it.
        record: The record, where there is one.
        camera: The camera of a photo.
    """

    path: Path
    role: Literal["depth", "bare", "picture", "cloud", "photo"]
    form: str
    summary: str
    facts: tuple[str, ...]
    record: Record | None = None
    camera: Camera | None = None

    def lines(self) -> list[str]:
        """The description as lines of text."""
        return [f"{self.path}: {self.summary}", *(f"  {fact}" for fact in self.facts)]

    def to_dict(self) -> dict[str, Any]:
        """The description as plain JSON values."""
        return {
            "path": str(self.path),
            "role": self.role,
            "form": self.form,
            "summary": self.summary,
            "facts": list(self.facts),
            "record": None if self.record is None else self.record.to_dict(),
            "camera": None if self.camera is None else self.camera.to_dict(),
        }


def describe_file(path: str | os.PathLike[str], *, max_pixels: int = DEFAULT_MAX_PIXELS) -> FileDescription:
    """Says what a depth file, a picture of depth or a point cloud holds.

    Args:
        path: A depth file (.png, .tiff, .npz, .pfm, .exr), a picture leadline wrote (.png, .jpg), or a .ply or .glb.
        max_pixels: Largest number of pixels that is read.

    Returns:
        The description.

    Raises:
        InputError: There is no such file, it is damaged, or none of these.
    """
    path = Path(path)
    if not path.exists():
        raise no_such_path(path)
    suffix = path.suffix.lower()
    if suffix in CLOUD_SUFFIXES:
        return _cloud(path)
    if suffix in _PICTURE_SUFFIXES and path.is_file():
        shown = _picture(path, max_pixels)
        if shown is not None:
            return shown
    if suffix not in DEPTH_SUFFIXES:
        raise InputError(
            f"{str(path)!r} is no depth file, nor a picture or cloud that leadline wrote",
            hint=f"depth files end in {', '.join(DEPTH_SUFFIXES)}",
        )
    return _depth(path, max_pixels)


def _depth(path: Path, max_pixels: int) -> FileDescription:
    stored = read_stored(path, max_pixels=max_pixels)
    if stored.record is None:
        numbers = stored.numbers_HW
        finite = numbers[np.isfinite(numbers)]
        span = f"{finite.min():g} to {finite.max():g}" if finite.size else "no finite number"
        height, width = numbers.shape
        return FileDescription(
            path,
            "bare",
            stored.form,
            f"{stored.form}, {width}x{height}, without a record: what its numbers mean is not known",
            (
                f"stored numbers: {span}",
                f"stored 0: {100 * float((numbers == 0).mean()):.3g}% of pixels",
                _example(integers=numbers.dtype.kind in "iu"),
            ),
        )
    depth, record = recorded_depth(stored, str(path))
    facts = (*_spread(stored, record), *_facts(depth, record))
    return FileDescription(path, "depth", stored.form, repr(depth), facts, record)


def _spread(stored: Stored, record: Record) -> list[str]:
    spread = stored.uncertainty
    if spread is None or not np.isfinite(spread).any():
        return []
    unit = "" if record.kind.unit == "arbitrary" else f" {record.kind.unit}"
    return [f"standard deviation: {np.nanmedian(spread):.3g}{unit} in the middle (member 'uncertainty')"]


def _facts(depth: DepthMap, record: Record) -> tuple[str, ...]:
    valid, sky = float(depth.valid.mean()), float(depth.infinite.mean())
    facts = [f"kind: {record.kind} ({record.kind.words})", f"valid: {100 * valid:.3g}% of pixels"]
    if sky:
        facts.append(f"known sky: {100 * sky:.3g}% of pixels")
    if record.encoding.scale != 1 or record.encoding.offset != 0:
        facts.append(f"stored as: value = number x {record.encoding.scale:g} + {record.encoding.offset:g}")
    return (*facts, *_origin(record), _allowed(record))


def _example(*, integers: bool) -> str:
    """How to say what bare numbers mean; only who made the file knows."""
    if integers:
        return "to read it, say what it is; millimetres, for one: --kind metric-depth --scale 0.001"
    return "to read it, say what it is: --kind metric-depth if metres, --kind disparity if stereo disparity"


def _origin(record: Record) -> list[str]:
    facts = []
    camera, model = record.camera, record.model
    if camera is not None:
        facts.append(
            f"camera: {camera.fx:.1f} px focal length, {camera.fov_long_deg:.1f}° across the longer side, {camera.origin.value}"
        )
    if model is not None:
        licence = f", licence {model.licence} (commercial use: {model.commercial})" if model.licence else ""
        facts.append(f"made by: {' '.join(filter(None, (model.name, model.version)))}{licence}")
        if model.calibrated:
            facts.append(f"calibrated: {model.calibrated}")
    if record.source:
        facts.append(f"from: {record.source}")
    return facts


def _allowed(record: Record) -> str:
    kind = record.kind
    if kind.freedom is Freedom.AFFINE:
        return "may be resized, ranked, coloured and aligned to a reference; not inverted, no point cloud"
    if kind.quantity is Quantity.INVERSE:
        return "larger is nearer; invert it before making a point cloud"
    unit = "in arbitrary units" if kind.freedom is Freedom.SCALE else "in metres"
    return f"may be made a point cloud {unit}" + ("" if record.camera else ", once a camera is given")


def _words(record: Record) -> str:
    return record.kind.words + _doubt(record)


def _doubt(record: Record) -> str:
    return " (scale uncertain)" if record.scale_uncertain else ""


def _picture(path: Path, max_pixels: int) -> FileDescription | None:
    if not is_marked(path):
        return None
    with open(path, "rb") as stream, open_picture(stream, str(path), max_pixels=max_pixels) as picture:
        mark = mark_of(picture)
        form, size = str(picture.format), f"{picture.width}x{picture.height}"
    if mark is None or mark.role == "depth":
        return None
    record = read_record(mark.text, str(path))
    facts = (f"it shows: {_words(record)}", *_origin(record))
    summary = f"{form} picture, {size}, that shows depth; its colours are not depth values"
    return FileDescription(path, "picture", form, summary, facts, record)


def _cloud(path: Path) -> FileDescription:
    text = cloud_record(path)
    form = path.suffix[1:].upper()
    if text is None:
        return FileDescription(path, "bare", form, f"{form} file without a record", ())
    record = read_record(text, str(path))
    unit = "metres" if record.kind.unit == "m" else "arbitrary units"
    facts = (f"made from: {_words(record)}", *_origin(record))
    return FileDescription(
        path, "cloud", form, f"{form} point cloud in {unit}{_doubt(record)}", facts, record
    )
