"""Depth in PNG (16-bit integers) and TIFF (32-bit floats), through Pillow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.record import RECORD_KEY, Record
from leadline.io import png
from leadline.io.decode import PICTURE_ERRORS, open_picture
from leadline.io.depth_formats.stored import Stored, encoded_16bit, floats
from leadline.io.marks import TIFF_DESCRIPTION, mark_of

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

__all__ = ["read_picture", "write_png", "write_tiff"]

_FORMS = {
    "L": "8-bit",
    "I;16": "16-bit",
    "I;16L": "16-bit",
    "I;16B": "16-bit",
    "I": "32-bit integer",
    "F": "32-bit float",
}


def write_png(path: Path, depth: DepthMap, record: Record) -> None:
    """Writes a 16-bit grey PNG with the record in a text chunk.

    Args:
        path: The file.
        depth: The map.
        record: The record; its encoding is how the numbers are stored.
    """
    png.write_png(path, encoded_16bit(depth, record.encoding), texts={RECORD_KEY: record.to_json()})


def write_tiff(path: Path, depth: DepthMap, record: Record) -> None:
    """Writes an uncompressed 32-bit float TIFF, which every reader reads, with the record in ImageDescription.

    Args:
        path: The file.
        depth: The map.
        record: The record.
    """
    from PIL import Image

    picture = Image.fromarray(floats(depth))
    picture.save(path, "TIFF", tiffinfo={TIFF_DESCRIPTION: record.to_json()})


def read_picture(path: Path, array: str, max_pixels: int) -> Stored:
    """Reads the numbers of a single-channel PNG or TIFF.

    Args:
        path: The file.
        array: Unused: a picture holds one array.
        max_pixels: Largest number of pixels that is decoded.

    Returns:
        What it holds.

    Raises:
        InputError: It is damaged, too large, has several channels or pages, or only shows depth.
    """
    with open(path, "rb") as stream, open_picture(stream, str(path), max_pixels=max_pixels) as picture:
        mark = mark_of(picture)
        if mark is not None and mark.role == "picture":
            raise InputError(
                f"{str(path)!r} only shows depth: its colours are not depth values",
                hint="read the depth file that was written beside it, or write one with --format png16",
            )
        return Stored(_numbers(picture, path), form_of(picture), None if mark is None else mark.text)


def form_of(picture: PilImage) -> str:
    """What a picture file is, in words: ``"16-bit PNG"``."""
    return f"{_FORMS.get(picture.mode, picture.mode)} {picture.format}"


def _numbers(picture: PilImage, path: Path) -> NDArray[Any]:
    if picture.mode not in _FORMS:
        raise InputError(
            f"{str(path)!r} is a picture in {picture.mode}, not one channel of depth",
            hint="name a 16-bit or float single-channel file",
        )
    try:
        pages = getattr(picture, "n_frames", 1)
    except PICTURE_ERRORS as error:
        raise InputError(f"{str(path)!r} is damaged ({error})", hint="copy or write it again") from error
    if pages != 1:
        raise InputError(f"{str(path)!r} has {pages} pages", hint="save the depth page to a file of its own")
    return np.asarray(picture)
