"""Depth made small for looking at."""

from __future__ import annotations

import numpy as np

from leadline.core.depth_map import DepthMap

__all__ = ["thumbnail"]

_SPARSE = 0.25


def thumbnail(depth: DepthMap, *, width: int, height: int) -> DepthMap:
    """Depth at the size of a picture: no values are blended, and single points of sparse depth stay visible.

    Args:
        depth: The map.
        width: Columns wanted.
        height: Rows wanted.

    Returns:
        A map of that size, without a camera: the pixel under each new centre; where few pixels are known and several fall
        on a new one, a known one of them.

    Example:
        >>> from leadline.core.kind import Kind
        >>> points = np.zeros((4, 8))
        >>> points[1, 6] = 3.0
        >>> thumbnail(DepthMap(points, Kind()), width=4, height=2).values[0, 3]
        np.float32(3.0)
    """
    down, across = -(-depth.height // height), -(-depth.width // width)
    if float(depth.valid.mean()) < _SPARSE and (down > 1 or across > 1):
        return _of_points(depth, width, height)
    rows = (2 * np.arange(height) + 1) * depth.height // (2 * height)
    columns = (2 * np.arange(width) + 1) * depth.width // (2 * width)
    part = np.ix_(rows, columns)
    return DepthMap(depth.values[part], depth.kind, depth.valid[part], depth.infinite[part])


def _of_points(depth: DepthMap, width: int, height: int) -> DepthMap:
    rows, columns = np.nonzero(depth.valid)
    near = np.full((height, width), np.nan, np.float32)
    near[rows * height // depth.height, columns * width // depth.width] = depth.values[rows, columns]
    return DepthMap(near, depth.kind, valid=~np.isnan(near))
