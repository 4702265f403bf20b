"""Pictures that show depth: written with the record, and a note that their colours are not depth."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leadline.core.record import Record
from leadline.io.atomic import write_whole
from leadline.io.marks import PICTURE_KEY, picture_text
from leadline.io.png import write_png

__all__ = ["jpeg_bytes", "png_bytes", "write_picture"]

_JPEG_QUALITY = 92
_JPEG_LARGEST = 65500
"""The longest side a JPEG can have."""


def write_picture(path: Path, rgb_HW3: NDArray[np.uint8], *, record: Record) -> None:
    """Writes a picture that shows depth, whole or not at all. The suffix says the format.

    Args:
        path: A .png or .jpg file; a JPEG larger than the format allows is made smaller.
        rgb_HW3: Pixels, uint8, shape (H, W, 3).
        record: The record of the depth it shows.

    Raises:
        OutputError: The file cannot be written.
    """
    text = picture_text(record)
    with write_whole(path) as part:
        if path.suffix.lower() == ".png":
            write_png(part, rgb_HW3, texts={PICTURE_KEY: text})
        else:
            from PIL import Image

            picture = Image.fromarray(rgb_HW3)
            picture.thumbnail((_JPEG_LARGEST, _JPEG_LARGEST))
            picture.save(part, "JPEG", quality=_JPEG_QUALITY, subsampling=0, comment=text.encode("ascii"))


def png_bytes(rgb_HW3: NDArray[np.uint8], *, longest: int) -> bytes:
    """A picture as PNG bytes, made smaller where it is large.

    Args:
        rgb_HW3: Pixels, uint8, shape (H, W, 3).
        longest: Longest side in pixels.

    Returns:
        A PNG file.
    """
    from PIL import Image

    picture = Image.fromarray(rgb_HW3)
    picture.thumbnail((longest, longest))
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def jpeg_bytes(rgb_HW3: NDArray[np.uint8], *, quality: int = 85) -> bytes:
    """A picture as JPEG bytes, colours at full resolution.

    Args:
        rgb_HW3: Pixels, uint8, shape (H, W, 3).
        quality: As JPEG counts it.

    Returns:
        A JPEG file.
    """
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(rgb_HW3).save(stream, "JPEG", quality=quality, subsampling=0, optimize=True)
    return stream.getvalue()
