"""Depth in OpenEXR files: one channel Z of 32-bit floats, the record as a header attribute."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.record import RECORD_KEY, Record
from leadline.io.decode import check_pixels
from leadline.io.depth_formats.stored import Stored, floats

__all__ = ["read_exr", "write_exr"]

_CHANNEL = "Z"
_ERRORS = (RuntimeError, ValueError, TypeError, KeyError, IndexError, OSError)


def write_exr(path: Path, depth: DepthMap, record: Record) -> None:
    """Writes one scan-line part, ZIP-compressed.

    Args:
        path: The file.
        depth: The map.
        record: The record.

    Raises:
        OSError: The file cannot be written.
    """
    import OpenEXR

    header = {
        "compression": OpenEXR.ZIP_COMPRESSION,
        "type": OpenEXR.scanlineimage,
        RECORD_KEY: record.to_json(),
    }
    try:
        with OpenEXR.File(header, {_CHANNEL: np.ascontiguousarray(floats(depth))}) as file:
            file.write(str(path))
    except RuntimeError as error:
        raise OSError(str(error)) from error


def read_exr(path: Path, array: str, max_pixels: int) -> Stored:
    """Reads one channel.

    Args:
        path: The file.
        array: Name of the channel; empty takes Z, or the only one.
        max_pixels: Largest number of pixels that is read.

    Returns:
        What it holds.

    Raises:
        InputError: It is damaged, too large, or has no such channel.
    """
    import OpenEXR

    try:
        with OpenEXR.File(str(path), header_only=True) as file:
            (left, top), (right, bottom) = file.header()["dataWindow"]
        check_pixels(int(right - left) + 1, int(bottom - top) + 1, str(path), max_pixels=max_pixels)
        with OpenEXR.File(str(path), separate_channels=True) as file:
            told = file.header().get(RECORD_KEY)
            planes: dict[str, NDArray[Any]] = {name: c.pixels for name, c in file.channels().items()}
    except InputError:
        raise
    except _ERRORS as error:
        raise InputError(
            f"{str(path)!r} is not a whole OpenEXR file ({error})", hint="copy or write it again"
        ) from error
    plane = _plane(planes, path, array)
    return Stored(plane, "OpenEXR file", told if isinstance(told, str) else None)


def _plane(planes: dict[str, NDArray[Any]], path: Path, array: str) -> NDArray[Any]:
    name = array or (_CHANNEL if _CHANNEL in planes or len(planes) != 1 else next(iter(planes)))
    plane = planes.get(name)
    if plane is None or plane.ndim != 2 or plane.dtype.kind not in "fiu":
        raise InputError(
            f"{str(path)!r} has no channel {name!r} of plain numbers",
            hint=f"it has {', '.join(planes)}: name one with array= (--array)",
        )
    return plane
