"""How large a photo will be, told without decoding it."""

from __future__ import annotations

import os

from leadline.core.errors import MissingExtra
from leadline.io.decode import PICTURE_ERRORS, calm, learn_heif
from leadline.io.fetch import is_url
from leadline.io.sniff import HEAD_BYTES, looks_like

__all__ = ["UNKNOWN_PIXELS", "pixel_count"]

UNKNOWN_PIXELS = 12_000_000
"""What is expected of a photo that does not tell before it is decoded: a phone's."""


def pixel_count(source: str) -> int:
    """The number of pixels a photo will have.

    Args:
        source: A path, an address or ``"-"``.

    Returns:
        What the file's header says; ``UNKNOWN_PIXELS`` for what cannot be looked into beforehand, damaged files
        included, which fail when they are read.

    Example:
        >>> pixel_count("-")
        12000000
    """
    if source == "-" or is_url(source) or not os.path.isfile(source):
        return UNKNOWN_PIXELS
    from PIL import Image

    with calm():
        try:
            with open(source, "rb") as stream:
                if looks_like(stream.read(HEAD_BYTES)).decoder == "HEIF":
                    learn_heif()
                stream.seek(0)
                with Image.open(stream) as picture:
                    return picture.width * picture.height
        except (*PICTURE_ERRORS, MissingExtra, Image.DecompressionBombError):
            return UNKNOWN_PIXELS
