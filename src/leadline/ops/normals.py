"""Surface normals of a depth map."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.ops.geometry import to_axis, to_inverse
from leadline.ops.rays import camera_of, slopes

__all__ = ["normals", "normals_of"]


def normals(depth: DepthMap) -> NDArray[np.float32]:
    """The surface normal at every pixel, from the slope of inverse depth.

    On a plane inverse depth is linear in the pixel, w = a u + b v + c, and the normal is along
    (fx a, fy b, w - (u - cx) a - (v - cy) b): exact for planes of any tilt. The slopes are means of the differences to
    the valid neighbours on either side. The scale does not matter.

    Source: R. Fan et al., "Three-Filters-to-Normal", IEEE RA-L 2021.

    Convention:
        OpenCV axes; unit length; toward the camera.

    Args:
        depth: Depth or inverse depth below AFFINE with a camera.

    Returns:
        float32, shape (H, W, 3), NaN where the pixel is not valid or has no valid neighbour in its row or its column.

    Raises:
        KindError: The freedom is AFFINE.
        InputError: There is no camera.

    Example:
        >>> from leadline.core.camera import Camera
        >>> from leadline.core.kind import Kind
        >>> wall = DepthMap(np.full((3, 3), 2.0), Kind(), camera=Camera.assumed(3, 3))
        >>> normals(wall)[1, 1]
        array([ 0.,  0., -1.], dtype=float32)
    """
    camera = camera_of(depth)
    inverse = to_inverse(to_axis(depth))
    w = np.where(inverse.valid, inverse.values, np.nan).astype(np.float64)
    return normals_of(w, camera=camera).astype(np.float32)


def normals_of(inverse_HW: NDArray[np.float64], *, camera: Camera) -> NDArray[np.float64]:
    """The same from bare numbers, in the precision that differences between normals need.

    Args:
        inverse_HW: Inverse depth along the axis, NaN where unknown.
        camera: Who sees it.

    Returns:
        Shape (H, W, 3), NaN where there is none.
    """
    x, y = slopes(camera)
    nx, ny = camera.fx * _slope(inverse_HW, axis=1), camera.fy * _slope(inverse_HW, axis=0)
    nz = inverse_HW - x * nx - y * ny
    length = np.sqrt(nx * nx + ny * ny + nz * nz)
    found = np.empty((*inverse_HW.shape, 3))
    for channel, component in enumerate((nx, ny, nz)):
        found[..., channel] = 0.0 - component / length
    return found


def _slope(w: NDArray[np.float64], *, axis: int) -> NDArray[np.float64]:
    """Mean of the known differences to the two neighbours along an axis; NaN where neither is known."""
    step = np.moveaxis(np.diff(w, axis=axis), axis, 0)
    known = np.isfinite(step)
    total, count = np.zeros_like(np.moveaxis(w, axis, 0)), np.zeros(np.moveaxis(w, axis, 0).shape, np.int8)
    for part in (np.s_[:-1], np.s_[1:]):
        total[part] += np.where(known, step, 0)
        count[part] += known
    mean = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return np.moveaxis(mean, 0, axis)
