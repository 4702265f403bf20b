"""The rays along which a camera's pixels look."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError

__all__ = ["camera_of", "rays", "slopes"]


def rays(camera: Camera) -> NDArray[np.float32]:
    """The ray of every pixel.

    Convention:
        OpenCV axes; z = 1, so that point = z x ray. Not unit vectors.

    Args:
        camera: The camera.

    Returns:
        float32, shape (H, W, 3).

    Example:
        >>> rays(Camera(2, 2, 0, 0, 3, 1))[0, 2]
        array([1., 0., 1.], dtype=float32)
    """
    x, y = slopes(camera)
    directions = np.ones((camera.height, camera.width, 3), np.float32)
    directions[..., 0], directions[..., 1] = x, y
    return directions


def slopes(camera: Camera) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The rays of a camera as two lines of slopes, which broadcast to the picture.

    Convention:
        OpenCV axes; x / z of every column and y / z of every row.

    Args:
        camera: The camera.

    Returns:
        X of the rays of a row, shape (1, W), and y of the rays of a column, shape (H, 1), at z = 1.

    Example:
        >>> slopes(Camera(2, 2, 0, 0, 3, 1))[0]
        array([[0. , 0.5, 1. ]])
    """
    x: NDArray[np.float64] = (np.arange(camera.width, dtype=np.float64) - camera.cx) / camera.fx
    y: NDArray[np.float64] = (np.arange(camera.height, dtype=np.float64) - camera.cy) / camera.fy
    return x[None, :], y[:, None]


def camera_of(depth: DepthMap) -> Camera:
    """The camera of a depth map that needs one.

    Args:
        depth: The map.

    Returns:
        Its camera.

    Raises:
        InputError: It has none.
    """
    if depth.camera is None:
        raise InputError(
            "the depth map has no camera, so its pixels have no rays",
            hint="give it one with depth.with_camera(Camera.from_fov(fov_deg, width, height))",
        )
    return depth.camera
