"""Geometry against closed forms: a tilted plane and a sphere."""

from __future__ import annotations

import numpy as np
import pytest

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.kind import Along, Freedom, Kind
from leadline.ops.crop import crop
from leadline.ops.flip import flip
from leadline.ops.geometry import to_axis, to_inverse, to_ray, unproject
from leadline.ops.normals import normals
from leadline.ops.rays import rays
from leadline.ops.resize import resize

CAMERA = Camera(210.0, 190.0, 70.0, 44.5, 160, 120)
PLANES = [(0.0, 0.0, -1.0), (0.5, -0.3, -1.0), (-1.0, 0.2, -1.5), (0.0, -1.0, -0.05)]


def plane(normal: tuple[float, float, float], camera: Camera = CAMERA) -> tuple[DepthMap, np.ndarray]:
    """Depth of the plane n . P = -2 where it is seen between 0 and 50 m, and its unit normal toward the camera."""
    unit = np.asarray(normal) / np.linalg.norm(normal)
    toward = rays(camera).astype(np.float64) @ unit
    z = -2 / np.where(toward < -1e-6, toward, np.nan)
    return DepthMap(np.where(z < 50, z, np.nan), Kind(), camera=camera), unit


def sphere(centre: np.ndarray, radius: float) -> DepthMap:
    """Depth of the near side of a sphere: the smaller root of |t ray - centre|² = radius²."""
    ray = rays(CAMERA).astype(np.float64)
    a, b, c = (ray**2).sum(-1), ray @ centre, centre @ centre - radius**2
    inside = b * b - a * c
    return DepthMap((b - np.sqrt(np.where(inside > 0, inside, np.nan))) / a, Kind(), camera=CAMERA)


@pytest.mark.parametrize("normal", PLANES)
def test_normals_of_a_plane_are_exact(normal: tuple[float, float, float]) -> None:
    depth, unit = plane(normal)
    for same in (depth, to_ray(depth), to_inverse(depth), depth.coarsened(Freedom.SCALE)):
        found = normals(same)
        known = np.isfinite(found).all(axis=-1)
        assert known.sum() >= depth.valid.sum() - 4
        cosine = found[known].astype(np.float64) @ unit
        assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < 0.5
        assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean() < 0.05


def test_normals_of_a_sphere_point_from_its_centre() -> None:
    centre = np.array([0.2, -0.1, 3.0])
    depth = sphere(centre, 0.8)
    expected = unproject(depth).points_N3 - centre
    found = normals(depth)[depth.valid]
    angle = np.degrees(np.arccos(np.clip((found * expected / 0.8).sum(axis=-1), -1, 1)))
    facing = (
        -(expected * unproject(depth).points_N3).sum(-1)
        / 0.8
        / np.linalg.norm(unproject(depth).points_N3, axis=-1)
    )
    assert np.nanmax(angle[facing > 0.5]) < 1.5
    assert np.nanmedian(angle) < 0.2


def test_points_of_a_sphere_lie_on_it() -> None:
    centre = np.array([0.2, -0.1, 3.0])
    for depth in (sphere(centre, 0.8), to_ray(sphere(centre, 0.8))):
        points = unproject(depth).points_N3
        assert len(points) > 4000
        np.testing.assert_allclose(np.linalg.norm(points - centre, axis=1), 0.8, atol=1e-5)


def test_distance_along_the_ray_is_that_to_the_camera() -> None:
    depth, _ = plane(PLANES[1])
    ray = to_ray(depth)
    assert ray.kind == Kind(along=Along.RAY)
    np.testing.assert_allclose(
        ray.values[ray.valid], np.linalg.norm(unproject(depth).points_N3, axis=1), rtol=1e-6
    )
    ball = DepthMap(np.full((120, 160), 2.5), Kind(along=Along.RAY), camera=CAMERA)
    np.testing.assert_allclose(np.linalg.norm(unproject(ball).points_N3, axis=1), 2.5, rtol=1e-6)
    np.testing.assert_allclose(to_axis(ball).values, 2.5 / np.linalg.norm(rays(CAMERA), axis=-1), rtol=1e-6)


@pytest.mark.parametrize("normal", PLANES[:3])
@pytest.mark.parametrize("size", [(80, 60), (320, 240), (53, 40), (40, 30), (213, 171)])
def test_a_plane_resized_is_the_plane_seen_by_the_resized_camera(
    normal: tuple[float, float, float], size: tuple[int, int]
) -> None:
    depth, _ = plane(normal)
    sized = resize(depth, width=size[0], height=size[1])
    expected, _ = plane(normal, CAMERA.resized(*size))
    border = 1 + -(-size[0] // 160)
    inner = np.s_[border:-border, border:-border]
    both = sized.valid[inner] & expected.valid[inner]
    assert both.mean() > 0.99
    np.testing.assert_allclose(sized.values[inner][both], expected.values[inner][both], rtol=1e-3)


def test_a_plane_cropped_and_mirrored_is_the_plane_seen_by_that_camera() -> None:
    depth, _ = plane(PLANES[1])
    part = crop(depth, left=13, top=7, width=90, height=60)
    expected, _ = plane(PLANES[1], part.camera)
    np.testing.assert_allclose(part.values, expected.values, rtol=1e-6)
    mirrored = flip(depth)
    x, y, z = PLANES[1]
    expected, _ = plane((-x, y, z), mirrored.camera)
    np.testing.assert_allclose(mirrored.values, expected.values, rtol=1e-6)
