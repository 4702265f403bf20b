"""Geometry: refusals, sky, colours, and real frames. Closed forms are in tests/oracles."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from leadline.core.camera import Camera
from leadline.core.cloud import PointCloud
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError
from leadline.core.image import Image
from leadline.core.kind import Along, Freedom, Kind, Quantity
from leadline.ops.geometry import project, to_axis, to_depth, to_inverse, to_ray, unproject
from leadline.ops.normals import normals

CAMERA = Camera(4, 5, 0.5, 1.0, 3, 2)
ROW = np.array([[1.0, 2.0, np.inf], [np.nan, 4.0, 8.0]])


def test_sky_goes_between_inf_and_0() -> None:
    depth = DepthMap(ROW, Kind(), camera=CAMERA)
    inverse = to_inverse(depth)
    np.testing.assert_array_equal(inverse.values, np.float32([[1, 0.5, 0], [np.nan, 0.25, 0.125]]))
    for changed in (inverse, to_depth(inverse), to_ray(depth), to_ray(inverse), to_axis(to_ray(inverse))):
        np.testing.assert_array_equal(changed.infinite, depth.infinite)
        np.testing.assert_array_equal(changed.valid, depth.valid)
        assert changed.camera is depth.camera
    assert np.isinf(to_ray(depth).values[0, 2])
    assert to_ray(inverse).values[0, 2] == 0


@pytest.mark.parametrize(
    "turn", [to_inverse, lambda depth: to_ray(depth.with_camera(Camera(0.01, 1, 0, 0, 3, 1)))]
)
def test_what_float32_cannot_hold_becomes_unknown(turn: Callable[[DepthMap], DepthMap]) -> None:
    values = np.array([[1e-42, 1.0, 3e38]], np.float32)
    turned = turn(DepthMap(values, Kind()))
    assert np.isfinite(turned.values[turned.valid]).all()
    assert (turned.values[turned.valid] > 0).all()
    assert turned.valid[0, 1]
    assert not turned.valid.all()


@pytest.mark.parametrize(
    ("turn", "kind"),
    [
        (to_inverse, Kind(freedom=Freedom.AFFINE)),
        (to_depth, Kind(Quantity.INVERSE, Freedom.AFFINE)),
        (to_ray, Kind(freedom=Freedom.AFFINE)),
        (to_axis, Kind(Quantity.INVERSE, Freedom.AFFINE, Along.RAY)),
        (normals, Kind(freedom=Freedom.AFFINE)),
        (normals, Kind(Quantity.INVERSE, Freedom.AFFINE)),
    ],
)
def test_affine_is_refused_and_the_way_out_is_named(turn: Callable[[DepthMap], object], kind: Kind) -> None:
    if turn is normals and kind.quantity is Quantity.INVERSE:
        kind = Kind(Quantity.INVERSE, Freedom.AFFINE, Along.RAY)
    with pytest.raises(KindError, match=rf"{kind}.*leadline\.align"):
        turn(DepthMap(np.ones((2, 3)), kind, camera=CAMERA))


@pytest.mark.parametrize(
    ("turn", "kind"),
    [(to_ray, Kind()), (to_axis, Kind(along=Along.RAY)), (unproject, Kind()), (normals, Kind())],
)
def test_without_a_camera_there_are_no_rays(turn: Callable[[DepthMap], object], kind: Kind) -> None:
    with pytest.raises(InputError, match=r"no camera.*with_camera"):
        turn(DepthMap(np.ones((2, 3)), kind))


def test_a_cloud_takes_colours_row_by_row() -> None:
    rgb = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    cloud = unproject(DepthMap(ROW, Kind(), camera=CAMERA), image=Image.from_array(rgb, camera=CAMERA))
    np.testing.assert_array_equal(cloud.points_N3[:, 2], [1, 2, 4, 8])
    np.testing.assert_array_equal(cloud.rgb_N3, rgb.reshape(-1, 3)[[0, 1, 4, 5]])
    np.testing.assert_allclose(cloud.points_N3[3], [8 * (2 - 0.5) / 4, 0, 8])


def test_a_photo_of_another_size_is_refused() -> None:
    with pytest.raises(InputError, match="photo of 2x3 does not fit depth of 3x2"):
        unproject(DepthMap(ROW, Kind(), camera=CAMERA), image=Image.from_array(np.zeros((3, 2, 3), np.uint8)))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Kind(Quantity.INVERSE), r"to_depth"),
        (Kind(Quantity.INVERSE, Freedom.SCALE), r"to_depth"),
        (Kind(freedom=Freedom.AFFINE), r"leadline\.align"),
        (Kind(Quantity.INVERSE, Freedom.AFFINE), r"leadline\.align"),
    ],
)
def test_a_cloud_needs_depth_with_a_known_shift(kind: Kind, words: str) -> None:
    with pytest.raises(KindError, match=words):
        unproject(DepthMap(np.ones((2, 3)), kind, camera=CAMERA))


def test_scale_says_arbitrary_and_an_empty_map_gives_no_points() -> None:
    assert unproject(DepthMap(ROW, Kind(freedom=Freedom.SCALE), camera=CAMERA)).unit == "arbitrary"
    assert len(unproject(DepthMap(np.full((2, 3), np.nan), Kind(), camera=CAMERA))) == 0


def test_points_behind_the_camera_appear_nowhere() -> None:
    uv_N2, z_m = project(PointCloud(np.array([[0, 0, -1], [1, 1, 0], [1, 2, 2]])), camera=CAMERA)
    assert np.isnan(uv_N2[:2]).all()
    np.testing.assert_allclose(uv_N2[2], [4 * 0.5 + 0.5, 5 * 1 + 1.0])
    np.testing.assert_array_equal(z_m, [-1, 0, 2])


def test_a_cloud_of_uncertain_scale_says_so() -> None:
    camera = Camera.assumed(4, 3)
    depth = DepthMap(np.ones((3, 4)), Kind(), camera=camera, scale_uncertain=True)
    assert repr(unproject(depth)) == "PointCloud of 12 points, in metres (scale uncertain)"
    assert repr(unproject(depth.with_camera(camera).coarsened(Freedom.SCALE))).endswith("in arbitrary units")
