"""How datasets store depth in integers, by name: from stored numbers to metres.

Every encoding is exact and one-to-one where it says so; what its marks for unknown pixels are is part of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError, UnknownName
from leadline.core.kind import Kind

__all__ = ["ENCODINGS", "StoredDepth", "as_metres", "encoding_of"]


@dataclass(frozen=True, slots=True)
class StoredDepth:
    """One way of storing metric depth.

    Args:
        name: What users call it.
        words: One line: what it is and who uses it.
        metres: Stored numbers to metres, float32; the marks are taken out afterwards.
        marks: Stored numbers that mean unknown.
        types: Stored numbers it is found in: ``"u1"`` (8-bit), ``"u2"`` (wider integers), ``"f"`` (floats).
    """

    name: str
    words: str
    metres: Callable[[NDArray[Any]], NDArray[np.float32]]
    marks: tuple[float, ...] = (0,)
    types: tuple[str, ...] = ("u2",)


def _over(steps: float) -> Callable[[NDArray[Any]], NDArray[np.float32]]:
    """Division, which is exact to the last digit of float32 where multiplication by a rounded step is not."""
    return lambda stored: stored.astype(np.float32) / np.float32(steps)


def _sun(stored: NDArray[Any]) -> NDArray[np.float32]:
    bits = stored.astype(np.uint16, copy=False)
    return ((bits >> 3) | (bits << 13)).astype(np.float32) / np.float32(1000)


def _kinect(stored: NDArray[Any]) -> NDArray[np.float32]:
    left = 1092.5 - stored.astype(np.float32)
    with np.errstate(divide="ignore"):
        return np.where(left > 0, np.float32(351.3) / left, np.float32(np.nan))


ENCODINGS: dict[str, StoredDepth] = {
    encoding.name: encoding
    for encoding in (
        StoredDepth(
            "mm", "millimetres, 0 and 65535 unknown: Redwood, ScanNet, ARKit, RealSense", _over(1000), (0, 65535)
        ),
        StoredDepth("tum", "1/5000 m, 0 unknown: TUM RGB-D, ICL-NUIM", _over(5000)),
        StoredDepth("kitti", "1/256 m, 0 unknown: KITTI depth benchmark", _over(256)),
        StoredDepth("sun", "millimetres with their bits rotated by 3, 0 unknown: SUN RGB-D", _sun),
        StoredDepth(
            "kinect",
            "11-bit Kinect disparity d, z = 351.3 / (1092.5 - d) m, 2047 unknown: NYU raw",
            _kinect,
            (2047,),
        ),
        StoredDepth("cm", "centimetres, 0 unknown", _over(100)),
        StoredDepth("8bit-10m", "8-bit, 255 = 10 m, 0 unknown: DenseDepth's training set", _over(25.5), types=("u1",)),
        StoredDepth("m", "metres, as they are; 0, NaN and infinities unknown", _over(1), types=("f", "u1", "u2")),
    )
}  # fmt: skip
"""Every encoding by name."""


def encoding_of(name: str) -> StoredDepth:
    """An encoding by name.

    Args:
        name: Such as ``"mm"``.

    Returns:
        The encoding.

    Raises:
        UnknownName: There is none of that name.
    """
    if name not in ENCODINGS:
        raise UnknownName("depth encoding", name, known=ENCODINGS)
    return ENCODINGS[name]


def as_metres(
    stored: NDArray[Any], encoding: StoredDepth, *, camera: Camera | None = None, name: str = "depth"
) -> DepthMap:
    """Stored numbers as metric depth along the axis.

    Args:
        stored: (H, W).
        encoding: How they are stored.
        camera: Who saw them.
        name: What to call them in messages.

    Returns:
        The map; marks, numbers that are not finite and depths that are not positive are unknown.

    Raises:
        DatasetError: The numbers are of a type that this encoding is never stored in.

    Example:
        >>> as_metres(np.array([[0, 1500]], np.uint16), encoding_of("mm")).range()
        (1.5, 1.5)
    """
    if _type_of(stored) not in encoding.types:
        raise DatasetError(
            f"{name!r} holds {stored.dtype} numbers, but depth encoding {encoding.name!r} ({encoding.words}) "
            f"is stored in {' or '.join(encoding.types)}",
            hint="name the encoding the files have, or the files that have it",
        )
    metres = encoding.metres(stored)
    known = np.isfinite(metres) & (metres > 0)
    for mark in encoding.marks:
        known &= stored != mark
    valid: NDArray[np.bool_] = known
    np.copyto(metres, np.float32(np.nan), where=~valid)
    none = np.zeros(valid.shape, bool)
    for array in (metres, valid, none):
        array.flags.writeable = False
    return DepthMap(metres, Kind(), valid=valid, infinite=none, camera=camera)


def _type_of(stored: NDArray[Any]) -> str:
    if stored.dtype.kind == "f":
        return "f"
    return "u1" if stored.dtype.itemsize == 1 else "u2"
