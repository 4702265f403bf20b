"""Rays against the inverse of the camera's matrix."""

from __future__ import annotations

import numpy as np
import pytest

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.kind import Kind
from leadline.ops.rays import camera_of, rays, slopes

CAMERA = Camera(4, 5, 0.5, 1.0, 3, 2)


def test_rays_are_those_of_the_matrix() -> None:
    v, u = np.mgrid[:2, :3]
    expected = np.einsum(
        "ij,hwj->hwi", np.linalg.inv(CAMERA.matrix), np.stack([u, v, np.ones_like(u)], axis=-1)
    )
    np.testing.assert_allclose(rays(CAMERA), expected, atol=1e-6)
    assert rays(CAMERA).dtype == np.float32


def test_slopes_are_the_rays_in_two_lines() -> None:
    x, y = slopes(CAMERA)
    assert (x.shape, y.shape) == ((1, 3), (2, 1))
    np.testing.assert_array_equal(np.broadcast_to(x, (2, 3)).astype(np.float32), rays(CAMERA)[..., 0])
    np.testing.assert_array_equal(np.broadcast_to(y, (2, 3)).astype(np.float32), rays(CAMERA)[..., 1])


def test_a_size_in_whole_floats_has_rays() -> None:
    assert rays(Camera(1, 1, 0, 0, 4.0, 3.0)).shape == (3, 4, 3)  # type: ignore[arg-type]


def test_a_map_without_a_camera_has_no_rays() -> None:
    depth = DepthMap(np.ones((2, 3)), Kind(), camera=CAMERA)
    assert camera_of(depth) is CAMERA
    with pytest.raises(InputError, match="has no camera"):
        camera_of(depth.with_camera(None))
