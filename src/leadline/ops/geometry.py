"""Between depth, inverse depth, axis, ray and points."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.cloud import PointCloud
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError
from leadline.core.image import Image
from leadline.core.kind import Along, Freedom, Kind, Quantity
from leadline.ops.rays import camera_of, slopes

__all__ = ["project", "to_axis", "to_depth", "to_inverse", "to_ray", "unproject"]


def to_depth(depth: DepthMap) -> DepthMap:
    """Inverse depth as depth (law 2).

    Convention:
        depth = 1 / inverse depth; sky goes from 0 to +inf. A value whose reciprocal float32 cannot hold becomes unknown.

    Args:
        depth: Depth or inverse depth.

    Returns:
        Depth of the same freedom; the very same object where it was depth already.

    Raises:
        KindError: Inverse depth with an unknown shift: its reciprocal means nothing.

    Example:
        >>> to_depth(DepthMap(np.array([[0.5, 0.25]]), Kind(Quantity.INVERSE)))
        DepthMap 1x2, metres, 2 to 4
    """
    return _reciprocal(depth, Quantity.DEPTH)


def to_inverse(depth: DepthMap) -> DepthMap:
    """Depth as inverse depth (law 2).

    Convention:
        inverse depth = 1 / depth; sky goes from +inf to 0. A value whose reciprocal float32 cannot hold becomes unknown.

    Args:
        depth: Depth or inverse depth.

    Returns:
        Inverse depth of the same freedom; the very same object where it was inverse depth already.

    Raises:
        KindError: Depth with an unknown shift: its reciprocal means nothing.

    Example:
        >>> to_inverse(DepthMap(np.array([[2.0, np.inf]]), Kind())).values
        array([[0.5, 0. ]], dtype=float32)
    """
    return _reciprocal(depth, Quantity.INVERSE)


def to_axis(depth: DepthMap) -> DepthMap:
    """Distance along the ray as z along the optical axis (law 2).

    Convention:
        z = distance / |ray|, with the ray (x, y, 1) of each pixel.

    Args:
        depth: Depth or inverse depth; with a camera, if it is along the ray.

    Returns:
        The same quantity along the axis; the very same object where it was so already.

    Raises:
        KindError: The freedom is AFFINE.
        InputError: There is no camera.

    Example:
        >>> ball = DepthMap(np.ones((480, 640)), Kind(along=Along.RAY), camera=Camera.assumed(640, 480))
        >>> to_axis(ball)
        DepthMap 480x640, metres, 0.8 to 1, camera assumed 63°
    """
    return _along(depth, Along.AXIS)


def to_ray(depth: DepthMap) -> DepthMap:
    """Z along the optical axis as distance along the ray (law 2).

    Convention:
        distance = z |ray|, with the ray (x, y, 1) of each pixel.

    Args:
        depth: Depth or inverse depth; with a camera, if it is along the axis.

    Returns:
        The same quantity along the ray; the very same object where it was so already.

    Raises:
        KindError: The freedom is AFFINE.
        InputError: There is no camera.

    Example:
        >>> wall = DepthMap(np.ones((480, 640)), Kind(), camera=Camera.from_fov(90, 640, 480))
        >>> to_ray(wall)
        DepthMap 480x640, metres along the ray, 1 to 1.6, camera given 90°
    """
    return _along(depth, Along.RAY)


def unproject(depth: DepthMap, *, image: Image | None = None) -> PointCloud:
    """The points that a depth map's valid pixels show (law 4).

    Convention:
        OpenCV axes: x right, y down, z forward; row by row. Distances along the ray are taken as such.

    Args:
        depth: Depth below AFFINE with a camera.
        image: The photo it belongs to, for the colours.

    Returns:
        One point a valid pixel; in metres, or in an arbitrary unit where the scale is unknown.

    Raises:
        KindError: The map is affine-invariant or holds inverse depth.
        InputError: The map has no camera, or the photo another size.

    Example:
        >>> unproject(DepthMap(np.full((2, 2), 3.0), Kind(), camera=Camera.assumed(2, 2)))
        PointCloud of 4 points, in metres
    """
    if depth.kind.freedom is Freedom.AFFINE:
        raise KindError(
            f"{depth.kind} has no shape in space: its shift is unknown",
            hint="align it to a reference first (leadline.align)",
        )
    if depth.kind.quantity is Quantity.INVERSE:
        raise KindError(
            f"{depth.kind} is one over distance", hint="turn it into depth first with to_depth(depth)"
        )
    if image is not None and (image.height, image.width) != depth.shape:
        raise InputError(
            f"a photo of {image.width}x{image.height} does not fit depth of {depth.width}x{depth.height}",
            hint="resize one of them",
        )
    axial = to_axis(depth)
    x, y = slopes(camera_of(axial))
    z = axial.values[axial.valid].astype(np.float64)
    points = np.empty((len(z), 3), np.float32)
    points[:, 0] = np.broadcast_to(x, depth.shape)[axial.valid] * z
    points[:, 1] = np.broadcast_to(y, depth.shape)[axial.valid] * z
    points[:, 2] = z
    colours = None if image is None else image.rgb_HW3[axial.valid]
    for array in (points, colours):
        if array is not None:
            array.flags.writeable = False
    unit = "m" if depth.kind.freedom is Freedom.NONE else "arbitrary"
    return PointCloud(points, colours, unit, unit == "m" and depth.scale_uncertain)


def project(cloud: PointCloud, *, camera: Camera) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where points appear in a camera.

    Convention:
        Pixel centres are whole numbers. A point behind the camera (z not positive) appears nowhere: its u and v are
        NaN. A point in front may lie outside the picture.

    Args:
        cloud: Points in the camera's frame.
        camera: The camera.

    Returns:
        Columns and rows (N, 2), and z along the axis (N,) in the cloud's unit.

    Example:
        >>> uv_N2, z_m = project(PointCloud(np.array([[1, 0, 2]])), camera=Camera(100, 100, 50, 40, 101, 81))
        >>> uv_N2, z_m
        (array([[100.,  40.]]), array([2.]))
    """
    x, y, z_m = cloud.points_N3.astype(np.float64).T
    ahead = np.where(z_m > 0, z_m, np.nan)
    uv_N2 = np.stack([camera.fx * x / ahead + camera.cx, camera.fy * y / ahead + camera.cy], axis=1)
    return uv_N2, z_m


def _reciprocal(depth: DepthMap, quantity: Quantity) -> DepthMap:
    if depth.kind.quantity is quantity:
        return depth
    if depth.kind.freedom is Freedom.AFFINE:
        raise KindError(
            f"{depth.kind} cannot be turned into {quantity.value}: with an unknown shift, 1/x means nothing",
            hint="align it to a reference first (leadline.align)",
        )
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        values = np.reciprocal(depth.values)
    return _recast(depth, values, replace(depth.kind, quantity=quantity))


def _along(depth: DepthMap, along: Along) -> DepthMap:
    if depth.kind.along is along:
        return depth
    if depth.kind.freedom is Freedom.AFFINE:
        raise KindError(
            f"{depth.kind} cannot go from {depth.kind.along.value} to {along.value}: its shift is unknown",
            hint="align it to a reference first (leadline.align)",
        )
    x, y = slopes(camera_of(depth))
    length = np.sqrt(x * x + y * y + 1)
    longer = (along is Along.RAY) == (depth.kind.quantity is Quantity.DEPTH)
    with np.errstate(over="ignore", under="ignore"):
        values = (depth.values * length if longer else depth.values / length).astype(np.float32)
    return _recast(depth, values, replace(depth.kind, along=along))


def _recast(depth: DepthMap, values: NDArray[np.float32], kind: Kind) -> DepthMap:
    with np.errstate(invalid="ignore"):
        valid = depth.valid & np.isfinite(values) & (values > 0)
    return DepthMap(values, kind, valid, depth.infinite, depth.camera, depth.scale_uncertain)
