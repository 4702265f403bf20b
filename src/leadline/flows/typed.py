"""Values as they are typed: sizes, triples and NAME=VALUE."""

from __future__ import annotations

from collections.abc import Sequence

from leadline.core.errors import InputError
from leadline.io.decode import DEFAULT_MAX_PIXELS

__all__ = ["SMALLEST_TILE", "named_values", "picture_size", "size_of", "three_numbers", "tile_of"]

SMALLEST_TILE = 64
"""Pixels a side; a smaller tile shows a texture and no scene."""


def size_of(text: str) -> tuple[int | None, int | None]:
    """A height and a width.

    Args:
        text: ``"192x256"``, or nothing.

    Returns:
        Height and width; None for both where nothing is said.

    Raises:
        InputError: It is no HEIGHTxWIDTH.

    Example:
        >>> size_of("192x256")
        (192, 256)
    """
    if not text:
        return None, None
    height, _, width = text.lower().partition("x")
    if not (height.isdecimal() and width.isdecimal() and int(height) and int(width)):
        raise InputError(f"input size {text!r} is not HEIGHTxWIDTH", hint="such as 192x256")
    return int(height), int(width)


def picture_size(text: str) -> tuple[int, int]:
    """The width and the height of a picture, as people say them.

    Args:
        text: ``"640x480"``.

    Returns:
        Width and height.

    Raises:
        InputError: It is no WIDTHxHEIGHT.

    Example:
        >>> picture_size("640x480")
        (640, 480)
    """
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and 0 < int(width) * int(height) <= DEFAULT_MAX_PIXELS):
        raise InputError(f"size {text!r} is not WIDTHxHEIGHT of a photo", hint="such as 640x480")
    return int(width), int(height)


def three_numbers(text: str, *, what: str) -> tuple[float, float, float] | None:
    """Three numbers with commas.

    Args:
        text: ``"0.485,0.456,0.406"``, or nothing.
        what: What they are, for messages.

    Returns:
        The numbers; None where nothing is said.

    Raises:
        InputError: They are not three, or not numbers.

    Example:
        >>> three_numbers("0.5, 0.5, 0.5", what="mean")
        (0.5, 0.5, 0.5)
    """
    if not text:
        return None
    try:
        red, green, blue = (float(word) for word in text.split(","))
    except ValueError as error:
        raise InputError(f"{what} {text!r} is not three numbers", hint="such as 0.485,0.456,0.406") from error
    return red, green, blue


def named_values(texts: Sequence[str], *, what: str = "--input steps=4") -> dict[str, str]:
    """Values by name.

    Args:
        texts: ``NAME=VALUE`` each; of one name said twice the last counts.
        what: An example, for messages.

    Returns:
        Values as they were typed, by name.

    Raises:
        InputError: One has no name or no equals sign.

    Example:
        >>> named_values(["steps=4", "title=a=b"])
        {'steps': '4', 'title': 'a=b'}
    """
    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name.strip() and equals):
            raise InputError(f"{text!r} is not NAME=VALUE", hint=f"such as {what}")
        values[name.strip()] = value.strip()
    return values


def tile_of(text: str) -> str | int:
    """The side of the tiles that large photos are looked at in.

    Args:
        text: ``"off"``, ``"auto"``, or pixels.

    Returns:
        The word, or the side in pixels.

    Raises:
        InputError: It is neither, or the side is too small to show more than a texture.

    Example:
        >>> tile_of("1024")
        1024
    """
    if text in ("off", "auto"):
        return text
    if not text.isdecimal() or int(text) < SMALLEST_TILE:
        raise InputError(
            f"tile {text!r} is neither off, auto nor a side of at least {SMALLEST_TILE} pixels",
            hint="such as 1024",
        )
    return int(text)
