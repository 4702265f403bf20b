"""Boxes, ellipsoids and frusta, and what a pinhole camera's rays meet first among them, in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera

__all__ = ["Form", "Shape", "Surface", "cast", "surface_of", "turned"]

Array = NDArray[np.float64]
NEAREST_M = 0.02
"""Surfaces nearer than this to the camera are not seen."""


class Form(IntEnum):
    """What a shape is."""

    SHELL = 0
    BOX = 1
    ELLIPSOID = 2
    FRUSTUM = 3


@dataclass(frozen=True, slots=True)
class Shape:
    """One surface of a scene.

    Convention:
        World axes: x and y level, z up, metres. A SHELL is a box seen from inside. A FRUSTUM is a cylinder or cone along
        its own z with caps.

    Args:
        form: What it is.
        centre_m: Its centre in the world.
        half_m: Half sizes along its own axes; of a FRUSTUM the radius at its foot, the radius at its head, half its height.
        R_world_own: Rotation from its own axes to the world's, (3, 3).
        looks: Numbers of the looks of its faces -x, +x, -y, +y, -z, +z.
        thing: Number of the thing that it is a part of; 0 is the room.
    """

    form: Form
    centre_m: Array
    half_m: Array
    R_world_own: Array
    looks: tuple[int, int, int, int, int, int]
    thing: int = 0

    @property
    def reach_m(self) -> Array:
        """Half sizes of the box about it, along its own axes."""
        if self.form is not Form.FRUSTUM:
            return self.half_m
        radius = max(self.half_m[0], self.half_m[1])
        return np.array([radius, radius, self.half_m[2]])


@dataclass(frozen=True, slots=True)
class Surface:
    """What is seen at each pixel.

    Args:
        points_m: Where, in the world, (N, 3).
        normals: Outward unit normals in the world, (N, 3).
        own_m: Where, along the shape's own axes, (N, 3).
        faces: 0 to 5, in the order of ``Shape.looks``; 0 on round sides.
        which: Numbers of the shapes, (N,).
    """

    points_m: Array
    normals: Array
    own_m: Array
    faces: NDArray[np.intp]
    which: NDArray[np.intp]


def turned(yaw_rad: float) -> Array:
    """The rotation about the upright axis."""
    c, s = np.cos(yaw_rad), np.sin(yaw_rad)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def cast(shapes: list[Shape], *, camera: Camera, T_world_camera: Array) -> tuple[Array, NDArray[np.intp]]:
    """What each pixel's ray meets first.

    Each shape is met only within the rectangle that it can cover. Float64 throughout.

    Convention:
        Depth along the optical axis: rays are ((u - cx) / fx, (v - cy) / fy, 1), so that the ray's parameter is z.

    Args:
        shapes: The scene; the first is a SHELL about all.
        camera: Who sees it.
        T_world_camera: Pose, OpenCV axes to world; outside every solid shape.

    Returns:
        Depth in metres (H, W) and the numbers of the shapes (H, W).
    """
    x = ((np.arange(camera.width) - camera.cx) / camera.fx)[None, :]
    y = ((np.arange(camera.height) - camera.cy) / camera.fy)[:, None]
    z_m = np.full((camera.height, camera.width), np.inf)
    which = np.zeros(z_m.shape, np.intp)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        for number, shape in enumerate(shapes):
            turn = shape.R_world_own.T @ T_world_camera[:3, :3]
            origin = shape.R_world_own.T @ (T_world_camera[:3, 3] - shape.centre_m)
            window = _window(shape, turn, origin, camera)
            if window is None:
                continue
            rows, columns = window
            rays = [(a * x[:, columns] + c) + b * y[rows] + 1e-30 for a, b, c in turn]
            met = _MEETS[shape.form](shape.half_m, origin, rays)
            nearer = (met < z_m[window]) & (met > NEAREST_M)
            np.copyto(z_m[window], met, where=nearer)
            np.copyto(which[window], number, where=nearer)
    return z_m, which


def surface_of(
    shapes: list[Shape], which: NDArray[np.intp], z_m: Array, *, camera: Camera, T_world_camera: Array
) -> Surface:
    """Points and exact normals of what ``cast`` found.

    Args:
        shapes: The scene.
        which: Numbers of the shapes, (H, W).
        z_m: Depth along the axis, (H, W).
        camera: Who sees it.
        T_world_camera: Its pose.

    Returns:
        One surface element a pixel, row by row.
    """
    v, u = np.mgrid[: camera.height, : camera.width]
    seen = np.stack([(u - camera.cx) / camera.fx * z_m, (v - camera.cy) / camera.fy * z_m, z_m], -1).reshape(
        -1, 3
    )
    points = seen @ T_world_camera[:3, :3].T + T_world_camera[:3, 3]
    own, local = np.empty_like(points), np.empty_like(points)
    normals, faces = np.empty_like(points), np.zeros(len(points), np.intp)
    flat = which.ravel()
    order = np.argsort(flat, kind="stable")
    numbers, starts = np.unique(flat[order], return_index=True)
    for number, part in zip(numbers, np.split(order, starts[1:]), strict=True):
        shape = shapes[number]
        own[part] = (points[part] - shape.centre_m) @ shape.R_world_own
        local[part], faces[part] = _normals(shape, own[part])
        normals[part] = local[part] @ shape.R_world_own.T
    return Surface(points, normals, own, faces, flat)


def _window(shape: Shape, turn: Array, origin: Array, camera: Camera) -> tuple[slice, slice] | None:
    """The pixels that a shape can cover; None where it is behind or beside the view."""
    whole = (slice(0, camera.height), slice(0, camera.width))
    if shape.form is Form.SHELL:
        return whole
    signs = np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)], np.float64)
    corners = (signs * shape.reach_m - origin) @ turn
    ahead = corners[:, 2]
    if ahead.max() <= NEAREST_M:
        return None
    if ahead.min() <= NEAREST_M:
        return whole
    u = corners[:, 0] / ahead * camera.fx + camera.cx
    v = corners[:, 1] / ahead * camera.fy + camera.cy
    left, right = max(0, int(np.floor(u.min()))), min(camera.width, int(np.ceil(u.max())) + 1)
    top, bottom = max(0, int(np.floor(v.min()))), min(camera.height, int(np.ceil(v.max())) + 1)
    return (slice(top, bottom), slice(left, right)) if left < right and top < bottom else None


def _slabs(half: Array, origin: Array, rays: list[Array]) -> tuple[Array, Array]:
    near, far = np.float64(-np.inf), np.float64(np.inf)
    for h, o, d in zip(half, origin, rays, strict=True):
        inverse = 1.0 / d
        middle, width = inverse * -o, np.abs(inverse) * h
        near, far = np.maximum(near, middle - width), np.minimum(far, middle + width)
    return np.asarray(near), np.asarray(far)


def _shell(half: Array, origin: Array, rays: list[Array]) -> Array:
    return _slabs(half, origin, rays)[1]


def _box(half: Array, origin: Array, rays: list[Array]) -> Array:
    near, far = _slabs(half, origin, rays)
    return np.where(near <= far, near, np.inf)


def _ellipsoid(half: Array, origin: Array, rays: list[Array]) -> Array:
    o = origin / half
    scaled = [d / h for d, h in zip(rays, half, strict=True)]
    a = scaled[0] ** 2 + scaled[1] ** 2 + scaled[2] ** 2
    b = o[0] * scaled[0] + o[1] * scaled[1] + o[2] * scaled[2]
    inside = b * b - a * (o @ o - 1.0)
    return np.where(inside > 0, (-b - np.sqrt(np.maximum(inside, 0.0))) / a, np.inf)


def _frustum(half: Array, origin: Array, rays: list[Array]) -> Array:
    middle, slope = (half[0] + half[1]) / 2, (half[1] - half[0]) / (2 * half[2])
    (ox, oy, oz), (dx, dy, dz) = origin, rays
    radius = middle + slope * oz
    level = dx * dx + dy * dy
    a = level - (slope * dz) ** 2
    b = ox * dx + oy * dy - slope * radius * dz
    root = np.sqrt(b * b - a * (ox * ox + oy * oy - radius * radius))
    met = np.full(a.shape, np.inf)
    for t in ((-b - root) / a, (-b + root) / a):
        z = oz + t * dz
        _keep_nearer(met, t, (np.abs(z) <= half[2]) & (middle + slope * z >= 0))
    for end, reach in ((-half[2], half[0]), (half[2], half[1])):
        t = (end - oz) / dz
        _keep_nearer(met, t, (ox + t * dx) ** 2 + (oy + t * dy) ** 2 <= reach * reach)
    return met


def _keep_nearer(met: Array, t: Array, where: NDArray[np.bool_]) -> None:
    np.copyto(met, t, where=where & (t > NEAREST_M) & (t < met))


_MEETS = {Form.SHELL: _shell, Form.BOX: _box, Form.ELLIPSOID: _ellipsoid, Form.FRUSTUM: _frustum}


def _normals(shape: Shape, own: Array) -> tuple[Array, NDArray[np.intp]]:
    """Unit normals along the shape's own axes, and the faces."""
    if shape.form is Form.ELLIPSOID:
        across = own / shape.half_m**2
        return across / np.linalg.norm(across, axis=1, keepdims=True), np.zeros(len(own), np.intp)
    if shape.form is Form.FRUSTUM:
        return _frustum_normals(shape.half_m, own)
    axis = np.argmin(np.abs(np.abs(own) - shape.half_m), axis=1)
    sign = np.sign(np.take_along_axis(own, axis[:, None], 1)[:, 0])
    normals = np.zeros_like(own)
    np.put_along_axis(normals, axis[:, None], sign[:, None], 1)
    faces = 2 * axis + (sign > 0)
    return (-normals if shape.form is Form.SHELL else normals), faces


def _frustum_normals(half: Array, own: Array) -> tuple[Array, NDArray[np.intp]]:
    slope = (half[1] - half[0]) / (2 * half[2])
    radius = np.hypot(own[:, 0], own[:, 1])
    off_side = np.abs(radius - (half[0] + half[1]) / 2 - slope * own[:, 2])
    off_cap = np.abs(np.abs(own[:, 2]) - half[2])
    cap = off_cap < off_side
    safe = np.maximum(radius, 1e-12)
    side = np.stack([own[:, 0] / safe, own[:, 1] / safe, np.full_like(safe, -slope)], -1) / np.hypot(
        1.0, slope
    )
    up = np.sign(own[:, 2])
    normals = np.where(cap[:, None], np.stack([0 * up, 0 * up, up], -1), side)
    return normals, np.where(cap, 4 + (up > 0), 0)
