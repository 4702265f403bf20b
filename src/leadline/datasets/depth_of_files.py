"""Depth out of any file with what is said of it: kind, encoding or unit, camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError, InputError
from leadline.core.kind import Kind
from leadline.core.record import Encoding
from leadline.io.arrays import array_of
from leadline.io.depth_files import DEPTH_SUFFIXES, read_depth, read_stored
from leadline.io.depth_formats.stored import Stored, decoded
from leadline.io.encodings import ENCODINGS, StoredDepth, as_metres, encoding_of
from leadline.io.rasters import decode_plane, plane_of
from leadline.io.trees import Tree

__all__ = ["READ_SUFFIXES", "Said", "camera_said", "depth_as_said"]

READ_SUFFIXES = (*DEPTH_SUFFIXES, ".npy", ".pgm")
"""File name endings that hold depth."""

_METRES = Kind()


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of bare depth files.

    Args:
        kind: What their numbers mean.
        encoding: Name of an encoding for metric depth; empty where not said.
        step: Units per stored step; 0 where not said.

    Raises:
        InputError: Both encoding and step are said, or an encoding is of another kind.
        UnknownName: No encoding has that name.
    """

    kind: Kind = _METRES
    encoding: str = ""
    step: float = 0.0

    def __post_init__(self) -> None:
        if self.encoding:
            encoding_of(self.encoding)
            if self.kind != _METRES:
                raise InputError(
                    f"encoding {self.encoding!r} is of metres, but the kind is {self.kind}",
                    hint="say a step instead: how many units a stored step is",
                )
            if self.step:
                raise InputError(
                    f"encoding {self.encoding!r} and step {self.step:g} are both said", hint="say one"
                )
        if self.step < 0:
            raise InputError(f"step {self.step:g} is not positive", hint="say 0.001 for millimetres")


def depth_as_said(tree: Tree, name: str, *, said: Said, camera: Camera | None) -> DepthMap:
    """Reads one depth file. A record that leadline wrote into it wins over what is said.

    Args:
        tree: Where it is.
        name: Its name.
        said: What is said of bare files.
        camera: Who saw it, at the photo's size; it is brought to the depth's.

    Returns:
        The map.

    Raises:
        DatasetError: It cannot be read, or holds integers whose unit is not said.
    """
    called = tree.called(name)
    suffix = f".{name.rpartition('.')[2].lower()}"
    if suffix in (".npy", ".pgm"):
        data = tree.read(name)
        stored = Stored(_plane(data, called, suffix), suffix)
    else:
        try:
            stored = read_stored(tree.local(name))
            if stored.record is not None:
                recorded = read_depth(tree.local(name))[0]
                return recorded if recorded.camera or camera is None else _seen(recorded, camera)
        except InputError as error:
            if suffix != ".png" or "channels" not in error.message:
                raise DatasetError(error.message, hint=error.hint) from error
            stored = Stored(decode_plane(tree.read(name), called), "PNG")
    return _seen(_bare(stored, said, called), camera)


def camera_said(text: str, *, width: int, height: int) -> Camera | None:
    """A camera as people write it: ``fx,fy,cx,cy`` in pixels.

    Args:
        text: The four numbers; empty for none.
        width: Columns of the photo.
        height: Rows.

    Returns:
        The camera, or None.

    Raises:
        InputError: There are not four numbers.
    """
    if not text:
        return None
    try:
        fx, fy, cx, cy = (float(word) for word in text.replace(";", ",").split(","))
    except ValueError as error:
        raise InputError(f"camera {text!r} is not fx,fy,cx,cy", hint="give four numbers in pixels") from error
    return Camera(fx, fy, cx, cy, width, height)


def _plane(data: bytes, called: str, suffix: str) -> NDArray[Any]:
    array = plane_of(data, called) if suffix == ".pgm" else array_of(data, called)
    plane = array[..., 0] if array.ndim == 3 and array.shape[-1] == 1 else array
    if plane.ndim != 2 or plane.dtype.kind not in "fiu":
        raise DatasetError(
            f"{called!r} holds {array.dtype} {array.shape}, not one plane of numbers", hint="copy it again"
        )
    return plane


def _seen(depth: DepthMap, camera: Camera | None) -> DepthMap:
    return depth if camera is None else depth.with_camera(camera.resized(depth.width, depth.height))


def _bare(stored: Stored, said: Said, called: str) -> DepthMap:
    numbers = stored.numbers_HW
    whole = numbers.dtype.kind in "iu"
    if said.encoding:
        return as_metres(numbers, encoding_of(said.encoding), name=called)
    if not said.step and whole and said.kind == _METRES:
        raise DatasetError(
            f"{called!r} holds {numbers.dtype} numbers whose unit is not said",
            hint=f"say --option encoding=NAME: {_what_each_would_be(numbers)}",
        )
    marks = (0.0,) if whole else ()
    values, valid, infinite = decoded(
        stored, kind=said.kind, encoding=Encoding(said.step or 1.0), bare_invalid=marks or (np.nan,)
    )
    return DepthMap(values, said.kind, valid, infinite)


def _what_each_would_be(numbers: NDArray[Any]) -> str:
    """The median in metres under every encoding that could be meant."""
    words = []
    for encoding in ENCODINGS.values():
        median = _median_m(numbers, encoding)
        if median is not None:
            words.append(f"{encoding.name} (median {median:.3g} m)")
    return ", ".join(words)


def _median_m(numbers: NDArray[Any], encoding: StoredDepth) -> float | None:
    try:
        depth = as_metres(numbers, encoding)
    except DatasetError:
        return None
    return float(np.median(depth.values[depth.valid])) if bool(depth.valid.any()) else None
