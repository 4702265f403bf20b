"""The numbers in a depth file or picture that came as bytes, whose meaning somebody else says."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.core.errors import InputError
from leadline.io.arrays import array_of
from leadline.io.decode import DEFAULT_MAX_PIXELS
from leadline.io.depth_files import read_stored
from leadline.io.rasters import decode_channels
from leadline.io.sniff import HEAD_BYTES, looks_like

__all__ = ["Numbers", "numbers_in"]

_BY_PATH = {b"v/1\1": ".exr", b"Pf": ".pfm", b"PF": ".pfm"}
_BY_NUMPY = (b"\x93NUMPY", b"PK\3\4")
_MOST_CHANNELS = 4
_DEEP_COLOUR = (2, 6)
"""Colour types of PNG that hold several channels."""


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """One plane of numbers, as stored.

    Args:
        plane_HW: The numbers: integers or floats, shape (H, W).
        form: What held them, in words: ``"a PNG picture"``.
        highest: The highest number its form can hold; 0 for floats, which have none.
    """

    plane_HW: NDArray[Any]
    form: str
    highest: int


def numbers_in(data: bytes, name: str, *, channel: str = "") -> Numbers:
    """Reads one plane of numbers from the bytes of a picture, an .npy, .npz, .exr, .pfm or float .tiff file.

    Args:
        data: The bytes; what they are, they say themselves.
        name: What to call them in messages.
        channel: Which channel: its number from 0, or its name in an .exr or .npz file. Where it is empty, there must be one
            channel, or several that are equal; transparency is left out.

    Returns:
        The numbers.

    Raises:
        InputError: It is no such file, has no such channel, or several that differ and none was named.
        DatasetError: It is damaged.
    """
    head = data[:HEAD_BYTES]
    words = looks_like(head).words if head else "nothing (0 bytes)"
    suffix = next((suffix for magic, suffix in _BY_PATH.items() if head.startswith(magic)), "")
    if suffix:
        array = _read_by_path(data, suffix, channel)
    elif head.startswith(_BY_NUMPY):
        member = channel if head.startswith(b"PK") and not channel.isdecimal() else ""
        array = _channel(_channels_last(array_of(data, name, member=member)), name, "" if member else channel)
    elif looks_like(head).decoder or head[:2] == b"P5":
        _refuse_deep_colour(head, name)
        array = _channel(decode_channels(data, name), name, channel)
    else:
        raise InputError(
            f"{name!r} is no picture and no array of numbers: it looks like {words}",
            hint="name the file that holds depth",
        )
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    if array.ndim != 2 or array.size == 0 or array.dtype.kind not in "fiu":
        raise InputError(
            f"{name!r} holds an array of shape {array.shape} and type {array.dtype}, not one plane of numbers",
            hint="name the file that holds depth",
        )
    return Numbers(array, words, _highest(array))


def _read_by_path(data: bytes, suffix: str, channel: str) -> NDArray[Any]:
    """Formats whose readers want a file of their own."""
    with tempfile.TemporaryDirectory(prefix="leadline-") as folder:
        path = Path(folder) / f"received{suffix}"
        path.write_bytes(data)
        return read_stored(path, array=channel, max_pixels=DEFAULT_MAX_PIXELS).numbers_HW


def _channels_last(array: NDArray[Any]) -> NDArray[Any]:
    """(1, H, W), (H, W, 1), (N, 3, H, W) of one and the like as (H, W) or (H, W, C)."""
    while array.ndim > 2 and 1 in (array.shape[0], array.shape[-1]):
        array = array[0] if array.shape[0] == 1 else array[..., 0]
    if array.ndim == 3 and array.shape[2] > _MOST_CHANNELS >= array.shape[0]:
        array = np.moveaxis(array, 0, -1)
    return array


def _channel(array: NDArray[Any], name: str, channel: str) -> NDArray[Any]:
    if array.ndim != 3:
        if channel not in ("", "0"):
            raise InputError(f"{name!r} has one channel, and no channel {channel!r}", hint="leave it out")
        return array
    count = array.shape[2]
    if channel:
        if not channel.isdecimal() or int(channel) >= count:
            raise InputError(
                f"{name!r} has {count} channels, and no channel {channel!r}", hint=f"give 0 to {count - 1}"
            )
        return array[..., int(channel)]
    opaque = array[..., : count - 1 if count in (2, 4) else count]
    if not bool((opaque == opaque[..., :1]).all()):
        raise InputError(
            f"{name!r} has {opaque.shape[2]} channels that differ: it is a coloured picture, not depth",
            hint="name the file that holds the numbers, or say which channel does",
        )
    return opaque[..., 0]


def _refuse_deep_colour(head: bytes, name: str) -> None:
    if head.startswith(b"\x89PNG") and head[24:25] == b"\x10" and head[25] in _DEEP_COLOUR:
        raise InputError(
            f"{name!r} is a PNG of several channels of 16 bits, of which 8 would be lost",
            hint="ask for a grey PNG of 16 bits, or for floats",
        )


def _highest(array: NDArray[Any]) -> int:
    return 0 if array.dtype.kind == "f" else int(np.iinfo(array.dtype).max)
