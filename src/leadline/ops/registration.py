"""Depth seen by one camera, as another camera beside it sees it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.ops.geometry import to_axis
from leadline.ops.rays import camera_of, slopes

__all__ = ["register"]


def register(depth: DepthMap, *, camera: Camera, T_camera_depth: NDArray[np.float64]) -> DepthMap:
    """Moves depth into the view of another camera: every pixel becomes a point, and every point the pixel it falls on.

    Each point is laid on the square that its source pixel covers in the target, at least one pixel wide, so that a
    surface stays closed when the target has more pixels; where several points meet, the nearest stays. What nothing falls
    on (what only the target camera sees) is unknown: holes are not filled.

    Convention:
        OpenCV axes; X_camera = T_camera_depth X_depth, in metres; a point belongs to the pixel whose centre is nearest.

    Args:
        depth: Metric depth with its own camera.
        camera: The other camera.
        T_camera_depth: Float64 (4, 4) from the depth camera's axes to the other's.

    Returns:
        Depth along the axis of ``camera``, at its size.

    Raises:
        KindError: The depth is not metric depth.
        InputError: It has no camera, or the matrix is not a finite (4, 4).

    Example:
        >>> wall = DepthMap(np.full((3, 4), 2.0), Kind(), camera=Camera.centred(4, 4, 3))
        >>> register(wall, camera=wall.camera, T_camera_depth=np.eye(4)).range()
        (2.0, 2.0)
    """
    if depth.kind.quantity is not Quantity.DEPTH or depth.kind.freedom is not Freedom.NONE:
        raise KindError(f"{depth.kind} cannot be moved to another camera", hint="use metric depth")
    T = np.asarray(T_camera_depth, np.float64)
    if T.shape != (4, 4) or not bool(np.isfinite(T).all()):
        raise InputError(f"a pose of shape {T.shape} is not a finite 4x4 matrix", hint="give T_camera_depth")
    axial = to_axis(depth)
    source = camera_of(axial)
    x, y = slopes(source)
    z = axial.values[axial.valid].astype(np.float64)
    points = np.stack(
        [np.broadcast_to(s, depth.shape)[axial.valid] * z for s in (x, y)] + [z, np.ones_like(z)]
    )
    moved = (T @ points)[:3]
    values = _splat(moved[:, moved[2] > 0], camera, source, z[moved[2] > 0])
    return DepthMap(values, Kind(), valid=np.isfinite(values), camera=camera)


def _splat(
    points: NDArray[np.float64], camera: Camera, source: Camera, source_z: NDArray[np.float64]
) -> NDArray[np.float32]:
    """The nearest z on every pixel; NaN where there is none."""
    z = points[2]
    u = camera.fx * points[0] / z + camera.cx
    v = camera.fy * points[1] / z + camera.cy
    half = [
        np.maximum(f_to * source_z / (z * f_from) - 1, 0) / 2
        for f_to, f_from in ((camera.fx, source.fx), (camera.fy, source.fy))
    ]
    left, right = np.rint(u - half[0]).astype(np.int64), np.rint(u + half[0]).astype(np.int64)
    top, bottom = np.rint(v - half[1]).astype(np.int64), np.rint(v + half[1]).astype(np.int64)
    nearest = np.full(camera.height * camera.width, np.inf)
    widest = int(min(max((right - left).max(initial=0), (bottom - top).max(initial=0)), 16))
    for down in range(widest + 1):
        for across in range(widest + 1):
            row, column = top + down, left + across
            there = (row <= bottom) & (column <= right)
            there &= (row >= 0) & (row < camera.height) & (column >= 0) & (column < camera.width)
            np.minimum.at(nearest, row[there] * camera.width + column[there], z[there])
    nearest[np.isinf(nearest)] = np.nan
    return nearest.reshape(camera.height, camera.width).astype(np.float32)
