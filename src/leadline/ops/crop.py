"""Cropping that changes values, masks and camera together (law 5)."""

from __future__ import annotations

from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.image import Image

__all__ = ["crop"]


@overload
def crop(value: Image, *, left: int, top: int, width: int, height: int) -> Image: ...
@overload
def crop(value: DepthMap, *, left: int, top: int, width: int, height: int) -> DepthMap: ...
def crop(value: Image | DepthMap, *, left: int, top: int, width: int, height: int) -> Image | DepthMap:
    """A window of a photo or a depth map, with its camera.

    Convention:
        The window is [left, left + width) x [top, top + height); cx' = cx - left, cy' = cy - top.

    Args:
        value: What to cut.
        left: First column kept.
        top: First row kept.
        width: Columns kept.
        height: Rows kept.

    Returns:
        The window; the very same object where the window is the whole.

    Raises:
        InputError: The window is empty, is not in whole pixels, or reaches outside.

    Example:
        >>> photo = Image.from_array(np.zeros((480, 640, 3), np.uint8))
        >>> crop(photo, left=41, top=45, width=560, height=426).camera.cx
        278.5
    """
    window = (left, top, width, height)
    inside = all(isinstance(number, (int, np.integer)) for number in window) and (
        left >= 0
        and top >= 0
        and width >= 1
        and height >= 1
        and left + width <= value.width
        and top + height <= value.height
    )
    if not inside:
        raise InputError(
            f"window left {left}, top {top}, {width}x{height} does not lie within {value.width}x{value.height}",
            hint="give whole pixels inside the picture",
        )
    if (width, height) == (value.width, value.height):
        return value
    part = np.s_[top : top + height, left : left + width]
    if isinstance(value, Image):
        return Image(_cut(value.rgb_HW3, part), value.camera.cropped(*window), value.source)
    camera = None if value.camera is None else value.camera.cropped(*window)
    valid, infinite = _cut(value.valid, part), _cut(value.infinite, part)
    return DepthMap(_cut(value.values, part), value.kind, valid, infinite, camera, value.scale_uncertain)


def _cut(array: NDArray[Any], part: tuple[slice, slice]) -> NDArray[Any]:
    window = array[part].copy()
    window.flags.writeable = False
    return window
