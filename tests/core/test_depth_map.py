"""Depth maps: what the constructor takes, refuses and settles; how they print, copy and pickle."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError
from leadline.core.kind import Along, Freedom, Kind, Quantity
from leadline.ops.crop import crop
from leadline.ops.flip import flip
from leadline.ops.geometry import to_axis, to_depth, to_inverse, to_ray
from leadline.ops.resize import resize

INVERSE = Kind(Quantity.INVERSE)
AFFINE = Kind(Quantity.INVERSE, Freedom.AFFINE)
NAN, INF = np.nan, np.inf


def test_without_masks_positive_values_are_valid_and_inf_is_sky() -> None:
    depth = DepthMap(np.array([[1.0, 0.0, -2.0], [NAN, INF, -INF]]), Kind())
    np.testing.assert_array_equal(depth.valid, [[True, False, False], [False, False, False]])
    np.testing.assert_array_equal(depth.infinite, [[False, False, False], [False, True, False]])
    np.testing.assert_array_equal(depth.values, [[1, NAN, NAN], [NAN, INF, NAN]])


def test_affine_values_may_be_zero_or_negative() -> None:
    depth = DepthMap(np.array([[-3.0, 0.0, NAN, INF]]), AFFINE)
    np.testing.assert_array_equal(depth.valid, [[True, True, False, False]])
    np.testing.assert_array_equal(depth.values, np.float32([[-3, 0, NAN, NAN]]))


def test_inf_is_not_sky_for_inverse_depth() -> None:
    depth = DepthMap(np.array([[2.0, INF, 0.0]]), INVERSE)
    assert not depth.infinite.any()
    np.testing.assert_array_equal(depth.valid, [[True, False, False]])


@pytest.mark.parametrize(("kind", "marker"), [(Kind(), INF), (INVERSE, 0.0), (AFFINE, 0.0)])
def test_sky_gets_its_value_and_unknown_is_nan(kind: Kind, marker: float) -> None:
    valid, infinite = np.array([[True, False, False]]), np.array([[False, True, False]])
    depth = DepthMap(np.array([[5.0, 6.0, 7.0]]), kind, valid, infinite)
    np.testing.assert_array_equal(depth.values, np.float32([[5, marker, NAN]]))


def test_a_valid_mask_keeps_inf_from_becoming_sky() -> None:
    with pytest.raises(InputError, match="holds inf"):
        DepthMap(np.array([[INF, 1.0]]), Kind(), np.array([[True, True]]))
    depth = DepthMap(np.array([[INF, 1.0]]), Kind(), np.array([[False, True]]))
    assert depth.infinite[0, 0]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.ones(3), r"shape \(3,\)"),
        (np.ones((2, 2, 1)), r"\(2, 2, 1\)"),
        (np.ones((0, 4)), r"\(0, 4\)"),
        (np.ones((2, 2), bool), "bool"),
        (np.array([["a"]]), "type <U1"),
        (np.ones((2, 2), complex), "complex"),
    ],
)
def test_only_one_channel_of_numbers_is_depth(values: np.ndarray[Any, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        DepthMap(values, Kind())


@pytest.mark.parametrize("mask", [np.ones((2, 3), bool), np.ones((2, 2)), np.ones((2, 2), np.uint8)])
@pytest.mark.parametrize("name", ["valid", "infinite"])
def test_masks_are_bool_and_fit(name: str, mask: np.ndarray[Any, Any]) -> None:
    with pytest.raises(InputError, match=f"mask '{name}'"):
        DepthMap(np.ones((2, 2)), Kind(), **{name: mask})


def test_a_pixel_is_not_both_valid_and_infinite() -> None:
    both = np.array([[True, False]])
    with pytest.raises(InputError, match="1 pixels are both"):
        DepthMap(np.ones((1, 2)), Kind(), both, both)


@pytest.mark.parametrize(
    ("value", "kind", "words"),
    [
        (
            0.0,
            Kind(),
            r"row 1, column 0\) holds 0.0, which is not positive and finite as metric-depth must be",
        ),
        (-1.0, INVERSE, "holds -1.0"),
        (NAN, Kind(), "holds nan"),
        (NAN, AFFINE, "which is not finite as affine-invariant-inverse-depth"),
        (INF, AFFINE, "holds inf"),
    ],
)
def test_valid_values_are_what_the_kind_says(value: float, kind: Kind, words: str) -> None:
    with pytest.raises(InputError, match=words):
        DepthMap(np.array([[1.0], [value]]), kind, np.ones((2, 1), bool))


def test_the_camera_has_the_map_s_size() -> None:
    with pytest.raises(InputError, match="camera of 4x3 does not fit depth of 3x4"):
        DepthMap(np.ones((4, 3)), Kind(), camera=Camera.assumed(4, 3))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4", np.uint8, np.uint16, np.int32])
def test_values_are_float32_whatever_came(dtype: Any) -> None:
    depth = DepthMap(np.array([[1, 2]], dtype), Kind())
    assert depth.values.dtype == np.dtype(np.float32)
    assert depth.values.dtype.isnative
    np.testing.assert_array_equal(depth.values, [[1, 2]])


def test_what_the_caller_holds_stays_the_caller_s() -> None:
    values = np.array([[1.0, -1.0]], np.float32)
    valid, infinite = np.array([[True, False]]), np.array([[False, False]])
    depth = DepthMap(values, Kind(), valid, infinite)
    for array in (values, valid, infinite):
        assert array.flags.writeable
        array[...] = array[:, ::-1]
    np.testing.assert_array_equal(depth.values, np.float32([[1, NAN]]))
    np.testing.assert_array_equal(depth.valid, [[True, False]])


def test_settled_read_only_values_are_shared_and_never_copied() -> None:
    first = DepthMap(np.array([[1.0, NAN, INF]]), Kind())
    again = first.coarsened(Freedom.SCALE).with_camera(Camera.assumed(3, 1))
    for name in ("values", "valid", "infinite"):
        assert np.shares_memory(getattr(first, name), getattr(again, name))


@pytest.mark.parametrize("name", ["values", "valid", "infinite"])
@pytest.mark.parametrize(
    "copied",
    [lambda d: d, copy.copy, copy.deepcopy, lambda d: pickle.loads(pickle.dumps(d))],
    ids=["itself", "copy", "deepcopy", "pickle"],
)
def test_arrays_are_read_only_even_after_copying_and_pickling(name: str, copied: Any) -> None:
    depth = copied(DepthMap(np.array([[1.0, NAN, INF]]), Kind(), camera=Camera.assumed(3, 1)))
    with pytest.raises(ValueError, match="read-only"):
        getattr(depth, name)[0, 0] = 0
    np.testing.assert_array_equal(depth.values, np.float32([[1, NAN, INF]]))
    assert depth.camera == Camera.assumed(3, 1)
    assert depth.kind == Kind()


def test_fields_cannot_be_replaced() -> None:
    with pytest.raises(AttributeError):
        DepthMap(np.ones((1, 1)), Kind()).kind = AFFINE  # type: ignore[misc]


def test_equality_is_identity_and_maps_can_be_keys() -> None:
    one, other = DepthMap(np.ones((1, 1)), Kind()), DepthMap(np.ones((1, 1)), Kind())
    assert one != other
    assert len({one, other}) == 2


@pytest.mark.parametrize("other", [1.0, 1, None, "depth", np.float32(1), np.ones((1, 1))])
def test_comparing_with_a_number_or_an_array_is_refused(other: Any) -> None:
    depth = DepthMap(np.ones((1, 1)), Kind())
    for compare in (lambda: depth == other, lambda: other == depth, lambda: depth != other):
        with pytest.raises(KindError, match="not an array"):
            compare()
    assert depth == depth


@pytest.mark.parametrize("kind", [Kind(), INVERSE, AFFINE])
@pytest.mark.parametrize("value", [1e39, np.finfo(np.float64).max])
def test_what_float32_cannot_hold_is_unknown_and_never_sky(kind: Kind, value: float) -> None:
    depth = DepthMap(np.array([[value, 2.0]]), kind)
    np.testing.assert_array_equal(depth.valid, [[False, True]])
    np.testing.assert_array_equal(depth.infinite, [[False, False]])
    np.testing.assert_array_equal(depth.values, np.float32([[NAN, 2]]))


@pytest.mark.parametrize(
    ("value", "words"), [(1e39, r"1e\+39 \(inf in float32\)"), (1e-50, r"1e-50 \(0.0 in float32\)")]
)
def test_what_float32_cannot_hold_cannot_be_said_to_be_valid(value: float, words: str) -> None:
    with pytest.raises(InputError, match=f"holds {words}, which is not positive and finite"):
        DepthMap(np.array([[value]]), Kind(), np.array([[True]]))


def test_sizes_and_units() -> None:
    depth = DepthMap(np.ones((2, 3)), INVERSE)
    assert (depth.shape, depth.height, depth.width, depth.unit) == ((2, 3), 2, 3, "1/m")


def test_range_is_of_valid_pixels_only() -> None:
    assert DepthMap(np.array([[3.0, 1.5, INF, NAN, 0.0]]), Kind()).range() == (1.5, 3.0)
    assert DepthMap(np.array([[NAN, INF]]), Kind()).range() is None


def test_refining_by_itself_is_refused() -> None:
    with pytest.raises(KindError, match="cannot become metric-inverse-depth"):
        DepthMap(np.ones((1, 1)), AFFINE).coarsened(Freedom.NONE)


@pytest.mark.parametrize(
    ("depth", "line"),
    [
        (
            DepthMap(
                np.linspace(0.9, 6.3, 6).reshape(2, 3),
                Kind(),
                camera=Camera.assumed(3, 2),
                scale_uncertain=True,
            ),
            "DepthMap 2x3, metres (scale uncertain), 0.9 to 6.3, camera assumed 63°",
        ),
        (
            DepthMap(np.ones((1, 2)), Kind(), camera=Camera.assumed(2, 1)),
            "DepthMap 1x2, metres, 1 to 1, camera assumed 63°",
        ),
        (
            DepthMap(np.ones((1, 2)), Kind(freedom=Freedom.SCALE), scale_uncertain=True),
            "DepthMap 1x2, depth, scale unknown, 1 to 1",
        ),
        (
            DepthMap(np.ones((1, 2)), Kind(), camera=Camera.from_fov(90, 2, 1)),
            "DepthMap 1x2, metres, 1 to 1, camera given 90°",
        ),
        (DepthMap(np.array([[NAN]]), Kind()), "DepthMap 1x1, metres, no valid pixel"),
        (
            DepthMap(np.array([[-1.25, 800.0], [NAN, 12345.0]]), AFFINE),
            "DepthMap 2x2, inverse depth, scale and shift unknown, -1.2 to 1.23e+04, 75% valid",
        ),
        (
            DepthMap(np.array([[0.01, INF]]), Kind(Quantity.DEPTH, Freedom.SCALE, Along.RAY)),
            "DepthMap 1x2, depth, scale unknown along the ray, 0.01 to 0.01, 50% valid, with sky",
        ),
        (
            DepthMap(np.where(np.arange(1000) < 5, 1.0, NAN)[None], INVERSE),
            "DepthMap 1x1000, 1/metres, 1 to 1, 0.5% valid",
        ),
        (
            DepthMap(np.where(np.arange(1000) < 999, 1.0, NAN)[None], Kind()),
            "DepthMap 1x1000, metres, 1 to 1, 99% valid",
        ),
    ],
)
def test_it_prints_as_one_honest_line(depth: DepthMap, line: str) -> None:
    assert repr(depth) == line


def test_an_assumed_camera_alone_makes_nothing_uncertain() -> None:
    seen = Camera.assumed(2, 1)
    assert not DepthMap(np.ones((1, 2)), Kind(), camera=seen).scale_uncertain
    assert not DepthMap(np.ones((1, 2)), Kind()).with_camera(seen).scale_uncertain


def test_metres_made_for_an_assumed_focal_length_stay_uncertain() -> None:
    made = DepthMap(np.full((2, 4), 2.0), Kind(), camera=Camera.assumed(4, 2), scale_uncertain=True)
    changes: list[Callable[[DepthMap], DepthMap]] = [
        lambda d: d.with_camera(Camera.from_fov(70, 4, 2)),
        lambda d: d.with_camera(None),
        lambda d: d.coarsened(Freedom.SCALE),
        lambda d: resize(d, width=8, height=5),
        lambda d: crop(d, left=1, top=0, width=2, height=1),
        flip,
        to_inverse,
        lambda d: to_depth(to_inverse(d)),
        to_ray,
        lambda d: to_axis(to_ray(d)),
        copy.deepcopy,
        lambda d: pickle.loads(pickle.dumps(d)),
    ]
    for change in changes:
        assert change(made) is not made
        assert change(made).scale_uncertain
        assert not change(replace(made, scale_uncertain=False)).scale_uncertain


def test_a_window_is_taken_without_a_second_look() -> None:
    whole = DepthMap(np.array([[1.0, 0.0, 3.0], [4.0, np.inf, 6.0]]), Kind(), camera=Camera.assumed(3, 2))
    camera = Camera.assumed(3, 2).cropped(1, 0, 2, 2)
    arrays = {name: getattr(whole, name)[:, 1:].copy() for name in ("values", "valid", "infinite")}
    part = whole.taken(arrays["values"], valid=arrays["valid"], infinite=arrays["infinite"], camera=camera)
    checked = DepthMap(arrays["values"], Kind(), arrays["valid"], arrays["infinite"], camera)
    assert np.array_equal(part.values, checked.values, equal_nan=True)
    assert repr(part) == repr(checked)
    assert not part.values.flags.writeable
    assert whole.shape == (2, 3)
    for wrong in ({"valid": whole.valid}, {"camera": whole.camera}):
        given = {"valid": part.valid, "infinite": part.infinite, "camera": camera} | wrong
        with pytest.raises(InputError, match="values, masks and camera are of different sizes"):
            whole.taken(part.values, **given)  # type: ignore[arg-type]
