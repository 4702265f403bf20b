"""How large a photo will be, told without decoding it."""

from __future__ import annotations

from leadline.io.decode import PICTURE_ERRORS, calm
from leadline.io.fetch import is_url

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
    if source == "-" or is_url(source):
        return UNKNOWN_PIXELS
    from PIL import Image

    with calm():
        try:
            with Image.open(source) as picture:
                return picture.width * picture.height
        except (*PICTURE_ERRORS, Image.DecompressionBombError):
            return UNKNOWN_PIXELS
