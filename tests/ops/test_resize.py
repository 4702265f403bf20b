"""Resizing: masks, values, cameras, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.image import Image
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.ops.resize import resize

NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(
    "value", [DepthMap(np.ones((3, 4)), Kind()), Image.from_array(np.zeros((3, 4, 3), np.uint8))]
)
class TestBoth:
    def test_the_same_size_is_the_same_object(self, value: Any) -> None:
        assert resize(value, width=4, height=3) is value

    @pytest.mark.parametrize("size", [(0, 3), (4, 0), (-1, 3), (4.0, 3), (4, "3"), (4, None)])
    def test_sizes_are_whole_and_at_least_1(self, value: Any, size: tuple[Any, Any]) -> None:
        with pytest.raises(InputError, match="cannot resize to"):
            resize(value, width=size[0], height=size[1])

    @pytest.mark.parametrize("size", [(1, 1), (4000, 1), (1, 4000), (53, 37), (8, 3), (4, 6)])
    def test_any_size_will_do(self, value: Any, size: tuple[int, int]) -> None:
        changed = resize(value, width=size[0], height=size[1])
        assert (changed.width, changed.height) == size

    def test_numpy_whole_numbers_will_do(self, value: Any) -> None:
        assert resize(value, width=np.int64(2), height=np.uint8(2)).width == 2


def test_photos_are_antialiased_and_keep_their_source() -> None:
    stripes = np.zeros((8, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    small = resize(
        Image.from_array(stripes, camera=Camera.from_fov(70, 64, 8), source="a.jpg"), width=16, height=2
    )
    assert np.ptp(small.rgb_HW3[:, 2:-2].astype(int)) <= 2
    assert abs(int(small.rgb_HW3[0, 8, 0]) - 127) <= 2
    assert small.camera == Camera.from_fov(70, 64, 8).resized(16, 2)
    assert small.source == "a.jpg"
    assert not small.rgb_HW3.flags.writeable


def test_unknown_pixels_do_not_bleed() -> None:
    values = np.full((6, 6), 2.0)
    values[:, 3:] = NAN
    for size in ((3, 3), (12, 12), (5, 7), (2, 2)):
        changed = resize(DepthMap(values, Kind()), width=size[0], height=size[1])
        np.testing.assert_allclose(changed.values[changed.valid], 2.0, rtol=1e-6)
        assert 0.3 < changed.valid.mean() < 0.7


def test_sky_does_not_bleed_and_stays_sky() -> None:
    values = np.full((6, 6), 3.0)
    values[:2] = INF
    for kind, marker in (
        (Kind(), INF),
        (Kind(Quantity.INVERSE), 0.0),
        (Kind(Quantity.INVERSE, Freedom.AFFINE), 0.0),
    ):
        depth = DepthMap(np.where(np.isinf(values), 1.0, values), kind, np.isfinite(values), np.isinf(values))
        changed = resize(depth, width=12, height=12)
        assert changed.infinite[:4].all()
        assert changed.valid[4:].all()
        assert (changed.values[:4] == marker).all()
        np.testing.assert_allclose(changed.values[4:], 3.0, rtol=1e-6)


def test_a_border_under_the_centre_belongs_to_what_is_known() -> None:
    states = DepthMap(np.array([[1.0, NAN, INF, NAN, 4.0, INF, NAN, NAN]]), Kind())
    halved = resize(states, width=4, height=1)
    np.testing.assert_array_equal(halved.valid, [[True, False, True, False]])
    np.testing.assert_array_equal(halved.infinite, [[False, True, False, False]])
    np.testing.assert_allclose(halved.values[halved.valid], [1.0, 4.0])


def test_sparse_points_survive_halving() -> None:
    values = np.full((64, 64), NAN)
    values[5::16, 7::16] = np.arange(1, 17).reshape(4, 4)
    halved = resize(DepthMap(values, Kind()), width=32, height=32)
    assert halved.valid.sum() == 16
    np.testing.assert_allclose(halved.values[2::8, 3::8].ravel(), np.arange(1, 17), rtol=1e-6)


def test_depth_is_blended_in_inverse_depth_and_affine_values_as_they_are() -> None:
    pair = np.array([[1.0, 4.0]])
    assert resize(DepthMap(pair, Kind()), width=1, height=1).values[0, 0] == pytest.approx(1.6)
    for kind in (
        Kind(Quantity.INVERSE),
        Kind(freedom=Freedom.AFFINE),
        Kind(Quantity.INVERSE, Freedom.AFFINE),
    ):
        assert resize(DepthMap(pair, kind), width=1, height=1).values[0, 0] == pytest.approx(2.5)


def test_values_whose_reciprocal_is_not_a_float32_become_unknown() -> None:
    tiny = DepthMap(np.full((2, 2), 1e-40, np.float32), Kind())
    assert not resize(tiny, width=3, height=3).valid.any()


def test_camera_and_kind_go_along() -> None:
    camera = Camera(500, 510, 310, 250, 640, 480)
    depth = resize(
        DepthMap(np.ones((480, 640)), Kind(freedom=Freedom.SCALE), camera=camera), width=320, height=120
    )
    assert depth.camera == camera.resized(320, 120)
    assert depth.kind == Kind(freedom=Freedom.SCALE)
    assert resize(DepthMap(np.ones((2, 2)), Kind()), width=1, height=1).camera is None
