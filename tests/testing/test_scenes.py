from __future__ import annotations

import numpy as np
import pytest

from leadline.core.camera import Camera
from leadline.core.kind import Along, Freedom, Kind, Quantity
from leadline.ops.geometry import to_axis, to_depth, unproject
from leadline.testing.scenes import as_kind, noise_photo, plane, prediction_of, sphere

CAMERA = Camera(50.0, 60.0, 14.0, 11.0, 30, 24)
NORMAL = (0.0, 0.6, 0.8)


def test_every_point_of_a_plane_is_on_the_plane() -> None:
    points = unproject(plane(CAMERA, normal=NORMAL, distance_m=2.0)).points_N3
    np.testing.assert_allclose(points @ np.array(NORMAL), 2.0, rtol=1e-5)


def test_rays_that_miss_a_plane_are_unknown() -> None:
    depth = plane(CAMERA, normal=(1.0, 0.0, 0.0), distance_m=1.0)
    columns = np.arange(30)
    assert (depth.valid == (columns > 14)[None, :]).all()


def test_every_point_of_a_ball_is_on_the_ball_and_the_rest_is_sky() -> None:
    depth = sphere(CAMERA, centre_m=(0.1, -0.2, 4.0), radius_m=0.7)
    points = unproject(depth).points_N3
    away = np.linalg.norm(points - np.array([0.1, -0.2, 4.0]), axis=1)
    np.testing.assert_allclose(away, 0.7, rtol=1e-5)
    assert (points[:, 2] < 4.0).all()
    assert (depth.valid ^ depth.infinite).all()
    assert 0 < depth.valid.mean() < 1


@pytest.mark.parametrize("along", Along)
@pytest.mark.parametrize("quantity", Quantity)
def test_a_scene_of_another_kind_comes_back(quantity: Quantity, along: Along) -> None:
    metric = sphere(CAMERA, centre_m=(0.0, 0.0, 3.0), radius_m=1.0)
    for freedom, factor in ((Freedom.NONE, 1.0), (Freedom.SCALE, 0.5)):
        other = as_kind(metric, Kind(quantity, freedom, along))
        back = to_depth(other) if quantity is Quantity.INVERSE else other
        back = to_axis(back)
        expected = metric.values * (factor if quantity is Quantity.DEPTH else 1 / factor)
        np.testing.assert_allclose(back.values[back.valid], expected[metric.valid], rtol=1e-5)
        assert (back.infinite == metric.infinite).all()


def test_an_affine_scene_is_scaled_and_shifted() -> None:
    metric = plane(CAMERA, normal=(0.0, 0.0, 1.0), distance_m=2.0)
    assert as_kind(metric, Kind(freedom=Freedom.AFFINE)).range() == (1.25, 1.25)
    assert as_kind(metric, Kind(Quantity.INVERSE, Freedom.AFFINE)).range() == (0.5, 0.5)


def test_photos_of_noise_repeat_by_seed() -> None:
    one, same, other = (noise_photo(4, 5, seed=seed) for seed in (1, 1, 2))
    assert (one.rgb_HW3 == same.rgb_HW3).all()
    assert (one.rgb_HW3 != other.rgb_HW3).any()
    assert noise_photo(4, 5, f_px=9.0).camera.fx == 9.0


def test_a_prediction_of_a_scene_fits_its_photo() -> None:
    made = prediction_of(plane(CAMERA, normal=(0.0, 0.0, 1.0), distance_m=2.0))
    assert made.image.camera == CAMERA
    assert made.depth.shape == (made.image.height, made.image.width)
