"""Depth files that keep their kind: written with a record, and refused without one unless the kind is said."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError, LeadlineError
from leadline.core.kind import Freedom, Kind
from leadline.core.record import Encoding, Record
from leadline.core.results import ModelRecord, Prediction
from leadline.io.atomic import write_whole
from leadline.io.decode import DEFAULT_MAX_PIXELS
from leadline.io.depth_formats import exr, npz, pfm, pictures
from leadline.io.depth_formats.stored import Stored, decoded, fitted_16bit
from leadline.io.images import no_such_path

__all__ = [
    "DEPTH_SUFFIXES",
    "read_depth",
    "read_record",
    "read_stored",
    "read_uncertainty",
    "recorded_depth",
    "write_depth",
]


@dataclass(frozen=True, slots=True)
class _Format:
    write: Callable[[Path, DepthMap, Record], None]
    read: Callable[[Path, str, int], Stored]


def _whole(write: Callable[[Path, DepthMap, Record], None]) -> Callable[[Path, DepthMap, Record], None]:
    def placed(path: Path, depth: DepthMap, record: Record) -> None:
        with write_whole(path) as part:
            write(part, depth, record)

    return placed


_PNG = _Format(_whole(pictures.write_png), pictures.read_picture)
_TIFF = _Format(_whole(pictures.write_tiff), pictures.read_picture)
_FORMATS = {
    ".png": _PNG,
    ".tiff": _TIFF,
    ".tif": _TIFF,
    ".npz": _Format(_whole(npz.write_npz), npz.read_npz),
    ".pfm": _Format(pfm.write_pfm, pfm.read_pfm),
    ".exr": _Format(_whole(exr.write_exr), exr.read_exr),
}
DEPTH_SUFFIXES = tuple(_FORMATS)
"""File name endings of depth files."""


def write_depth(
    path: str | os.PathLike[str],
    depth: DepthMap | Prediction,
    *,
    model: ModelRecord | None = None,
    source: str = "",
    encoding: Encoding | None = None,
) -> Record:
    """Writes a depth map with its record, whole or not at all. The suffix says the format.

    Convention:
        ``.png``: 16-bit integers, value = stored x scale + offset, 0 unknown, 65535 known sky; metric depth under
        65 m in millimetres, others with a fitted scale (and, for AFFINE kinds, offset). ``.tiff``, ``.pfm``,
        ``.exr``: 32-bit floats, NaN unknown, +inf known sky. ``.npz``: values and both masks, and the uncertainty of a
        prediction that has one, which no other format holds. The record lies in a
        PNG text chunk, the TIFF's ImageDescription, an EXR attribute, an NPZ member, and ``<file>.json`` for PFM.

    Args:
        path: The file; missing folders are made.
        depth: The map, or a prediction, which says who made its map.
        model: Who made it, where that is not the prediction's model.
        source: What the photo was called.
        encoding: How a 16-bit PNG stores values, instead of the fitted encoding.

    Returns:
        The record that was written.

    Raises:
        InputError: No format has that suffix, the encoding does not fit, or what is given is no depth map.
        OutputError: The file cannot be written, or ``<file>.json`` beside a PFM is not leadline's.

    Example:
        >>> import tempfile, numpy as np
        >>> path = Path(tempfile.mkdtemp()) / "a.png"
        >>> write_depth(path, DepthMap(np.full((2, 3), 1.5), Kind())).encoding.scale
        0.001
        >>> read_depth(path)[0]
        DepthMap 2x3, metres, 1.5 to 1.5
    """
    path = Path(path)
    form = _format(path)
    spread = None
    if isinstance(depth, Prediction):
        model, spread, depth = model or depth.model, depth.uncertainty, depth.depth
    if not isinstance(depth, DepthMap):
        raise InputError(
            f"{type(depth).__name__} is no depth map: what its numbers mean is not known",
            hint="make one with DepthMap(values, kind)",
        )
    if path.suffix.lower() == ".png":
        encoding = encoding or fitted_16bit(depth)
    elif encoding is not None:
        raise InputError(
            f"{path.suffix} files hold values as they are, with no encoding such as {encoding}",
            hint="leave encoding out, or write .png",
        )
    record = Record(
        depth.kind, encoding or Encoding(), depth.camera, model, source, scale_uncertain=depth.scale_uncertain
    )
    write = form.write
    if spread is not None and path.suffix.lower() == ".npz":
        write = _whole(partial(npz.write_npz, uncertainty=spread))
    write(path, depth, record)
    return record


def read_depth(
    path: str | os.PathLike[str],
    *,
    kind: Kind | str | None = None,
    scale: float | None = None,
    offset: float | None = None,
    invalid: tuple[float, ...] | None = None,
    camera: Camera | None = None,
    array: str = "",
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> tuple[DepthMap, Record]:
    """Reads a depth map: by its record, or, where the file is bare, by what the caller says of it.

    Convention:
        A bare file's value = stored x scale + offset. NaN and infinities in it are unknown (as Middlebury has it),
        never sky. Below AFFINE, values that are not positive are unknown.

    Args:
        path: A .png, .tiff, .npz, .pfm or .exr file.
        kind: What a bare file's numbers mean, such as ``"metric-depth"``.
        scale: Units per stored step of a bare file: 0.001 for millimetres. Metric kinds in integers need it said;
            else 1.
        offset: Value of stored 0 in a bare file; 0 unless said.
        invalid: Stored numbers that mean unknown in a bare file; by default 0 in files of integers.
        camera: The camera of a bare file.
        array: Name of the array or channel, where a bare .npz or .exr file holds several.
        max_pixels: Largest number of pixels that is read.

    Returns:
        The map and its record.

    Raises:
        InputError: There is no such file, it is damaged, or its scale is not known.
        KindError: A bare file whose kind is not said, or a file whose record says otherwise than the caller.
    """
    stored = read_stored(path, array=array, max_pixels=max_pixels)
    said = Kind.parse(kind) if isinstance(kind, str) else kind
    if stored.record is None:
        return _bare(stored, str(path), said, scale, offset or 0.0, invalid, camera)
    record = read_record(stored.record, str(path))
    differs = said is not None and said != record.kind
    if differs or any(told is not None for told in (scale, offset, invalid, camera)):
        raise KindError(
            f"{str(path)!r} carries its own record ({record.kind}, scale {record.encoding.scale:g}), "
            "and the call says otherwise",
            hint="leave kind, scale, offset, invalid and camera out",
        )
    return recorded_depth(stored, str(path))


def read_uncertainty(
    path: str | os.PathLike[str], *, max_pixels: int = DEFAULT_MAX_PIXELS
) -> NDArray[np.float32] | None:
    """Reads how far the values of a depth file are uncertain.

    Args:
        path: A .npz file that leadline wrote.
        max_pixels: Largest number of pixels that is read.

    Returns:
        float32, shape (H, W): the standard deviation of each value, in the file's own unit, NaN where it is unknown; None
        where the file does not hold one.

    Raises:
        InputError: There is no such file, or it is damaged.
    """
    return read_stored(path, max_pixels=max_pixels).uncertainty


def recorded_depth(stored: Stored, path: str) -> tuple[DepthMap, Record]:
    """The map of a file that carries a record.

    Args:
        stored: What the file holds.
        path: The file, for messages.

    Returns:
        The map and its record.

    Raises:
        InputError: The record is damaged or absent, or speaks of another size.
    """
    record = read_record(stored.record or "{}", path)
    _check_size(record, stored, path)
    values, valid, infinite = decoded(stored, kind=record.kind, encoding=record.encoding, bare_invalid=None)
    depth = DepthMap(values, record.kind, valid, infinite, record.camera, record.scale_uncertain)
    return depth, record


def read_stored(
    path: str | os.PathLike[str], *, array: str = "", max_pixels: int = DEFAULT_MAX_PIXELS
) -> Stored:
    """Reads a depth file's stored numbers and record, without deciding what they mean.

    Args:
        path: A .png, .tiff, .npz, .pfm or .exr file.
        array: Name of the array or channel, where the file holds several.
        max_pixels: Largest number of pixels that is read.

    Returns:
        What the file holds.

    Raises:
        InputError: There is no such file, or it is empty, damaged or too large.
    """
    path = Path(path)
    form = _format(path)
    if path.is_dir():
        raise InputError(f"{str(path)!r} is a folder", hint="name a depth file in it")
    try:
        if path.stat().st_size == 0:
            raise InputError(f"{str(path)!r} is empty (0 bytes)", hint="copy or write it again")
        return form.read(path, array, max_pixels)
    except LeadlineError:
        raise
    except FileNotFoundError as error:
        raise no_such_path(path) from error
    except OSError as error:
        raise InputError(
            f"{str(path)!r} cannot be read ({error.strerror})", hint="check its permissions"
        ) from error


def _format(path: Path) -> _Format:
    form = _FORMATS.get(path.suffix.lower())
    if form is None:
        raise InputError(
            f"{str(path)!r} does not end like a depth file", hint=f"use one of {', '.join(DEPTH_SUFFIXES)}"
        )
    return form


def read_record(text: str, path: str) -> Record:
    """Reads a record that came with a file, naming the file where it is damaged.

    Args:
        text: One JSON object.
        path: The file, for messages.

    Returns:
        The record.

    Raises:
        InputError: It is not a whole record.
    """
    try:
        return Record.from_json(text)
    except InputError as error:
        raise InputError(f"{path!r}: {error.message}", hint=error.hint) from error


def _check_size(record: Record, stored: Stored, path: str) -> None:
    camera, (height, width) = record.camera, stored.numbers_HW.shape
    if camera is not None and (camera.width, camera.height) != (width, height):
        raise InputError(
            f"{path!r} is {width}x{height}, but its record speaks of {camera.width}x{camera.height}: "
            "it was resized or cropped by something that does not know depth",
            hint="use the original file",
        )


def _bare(
    stored: Stored,
    path: str,
    kind: Kind | None,
    scale: float | None,
    offset: float,
    invalid: tuple[float, ...] | None,
    camera: Camera | None,
) -> tuple[DepthMap, Record]:
    if kind is None:
        raise KindError(
            f"{path!r} ({stored.form}) does not say what its numbers mean",
            hint='say it: kind="metric-depth", scale=0.001 (--kind metric-depth --scale 0.001) for millimetres',
        )
    whole = stored.numbers_HW.dtype.kind in "iu"
    if scale is not None and not scale > 0:
        raise InputError(f"scale {scale} is not positive", hint="say how many units a stored step is")
    if scale is None and whole and kind.freedom is Freedom.NONE:
        raise InputError(
            f"{path!r} ({stored.form}) holds integers, and their unit is not said",
            hint="say scale=0.001 (--scale) for millimetres, 0.0002 for TUM (1/5000), 0.00390625 for KITTI (1/256)",
        )
    marks = invalid if invalid is not None else ((0.0,) if whole else ())
    encoding = Encoding(1.0 if scale is None else scale, offset, marks[0] if marks else None)
    values, valid, infinite = decoded(stored, kind=kind, encoding=encoding, bare_invalid=marks)
    return DepthMap(values, kind, valid, infinite, camera), Record(kind, encoding, camera)
