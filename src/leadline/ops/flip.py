"""Mirroring that changes values, masks and camera together (law 5)."""

from __future__ import annotations

from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.image import Image

__all__ = ["flip"]


@overload
def flip(value: Image) -> Image: ...
@overload
def flip(value: DepthMap) -> DepthMap: ...
def flip(value: Image | DepthMap) -> Image | DepthMap:
    """A photo or a depth map mirrored left to right, with its camera.

    Convention:
        Column u becomes width - 1 - u, and cx' = width - 1 - cx.

    Args:
        value: What to mirror.

    Returns:
        The mirrored value; mirrored twice, it is as it was.

    Example:
        >>> from leadline.core.kind import Kind
        >>> flip(DepthMap(np.array([[1.0, 2.0]]), Kind())).values
        array([[2., 1.]], dtype=float32)
    """
    if isinstance(value, Image):
        return Image(_mirrored(value.rgb_HW3), value.camera.flipped(), value.source)
    camera = None if value.camera is None else value.camera.flipped()
    valid, infinite = _mirrored(value.valid), _mirrored(value.infinite)
    return DepthMap(_mirrored(value.values), value.kind, valid, infinite, camera, value.scale_uncertain)


def _mirrored(array: NDArray[Any]) -> NDArray[Any]:
    mirrored = np.ascontiguousarray(array[:, ::-1])
    mirrored.flags.writeable = False
    return mirrored
