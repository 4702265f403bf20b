"""Looks brought together: means and standard deviations known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.kind import Along, Freedom, Kind, Quantity
from leadline.ops.agreement import agree

AFFINE = Kind(Quantity.INVERSE, Freedom.AFFINE)
SCALE = Kind(Quantity.DEPTH, Freedom.SCALE)


def _map(values: object, kind: Kind | None = None, **more: object) -> DepthMap:
    return DepthMap(np.asarray(values, np.float32), kind or Kind(), **more)  # type: ignore[arg-type]


def test_metres_are_compared_as_they_are() -> None:
    looks = [_map([[2.0, 10.0]]), _map([[4.0, 10.0]]), _map([[6.0, 13.0]])]
    mean, spread = agree(looks)
    np.testing.assert_allclose(mean.values, [[4.0, 11.0]], rtol=1e-6)
    np.testing.assert_allclose(spread, [[2.0, np.sqrt(3)]], rtol=1e-6)


def test_it_is_numpys_mean_and_standard_deviation() -> None:
    stack = np.random.default_rng(0).uniform(1, 9, (5, 20, 30)).astype(np.float32)
    mean, spread = agree(_map(look) for look in stack)
    np.testing.assert_allclose(mean.values, stack.mean(0, np.float64), rtol=1e-6)
    np.testing.assert_allclose(spread, stack.std(0, np.float64, ddof=1), rtol=1e-5)


def test_an_unknown_factor_is_taken_out_by_the_median_of_the_ratios() -> None:
    first = np.array([[1.0, 2.0, 4.0, 8.0, 10.0]])
    other = 3 * first
    other[0, 4] = 45.0  # 15 in the first look's units
    mean, spread = agree([_map(first, SCALE), _map(other, SCALE)])
    np.testing.assert_allclose(mean.values, [[1, 2, 4, 8, 12.5]], rtol=1e-6)
    np.testing.assert_allclose(spread, [[0, 0, 0, 0, 5 / np.sqrt(2)]], atol=1e-6)


def test_an_unknown_factor_and_shift_are_taken_out_by_a_robust_line() -> None:
    first = np.random.default_rng(1).uniform(0, 1, (20, 30))
    other = 5 * first - 2
    other[:4] += 3.0  # a fifth of the picture is 0.6 off in the first look's units
    mean, spread = agree([_map(first, AFFINE), _map(other, AFFINE)])
    np.testing.assert_allclose(mean.values[4:], first[4:], atol=1e-5)
    np.testing.assert_allclose(mean.values[:4], first[:4] + 0.3, atol=1e-5)
    np.testing.assert_allclose(spread[4:], 0, atol=1e-5)
    np.testing.assert_allclose(spread[:4], 0.6 / np.sqrt(2), atol=1e-4)


def test_a_look_that_runs_the_other_way_is_disagreement_and_not_turned_over() -> None:
    first = np.linspace(0, 1, 101)[None]
    mean, spread = agree([_map(first, AFFINE), _map(-2 * first, AFFINE)])
    np.testing.assert_allclose(mean.values, 0.5, atol=1e-6)
    np.testing.assert_allclose(spread, np.abs(first - (1 - first)) / np.sqrt(2), atol=1e-6)


def test_a_constant_look_stands_at_the_median() -> None:
    first = np.array([[0.0, 1.0, 5.0]])
    mean, spread = agree([_map(first, AFFINE), _map(np.full((1, 3), 7.0), AFFINE)])
    np.testing.assert_allclose(mean.values, [[0.5, 1.0, 3.0]], atol=1e-6)
    np.testing.assert_allclose(spread, np.array([[1.0, 0.0, 4.0]]) / np.sqrt(2), atol=1e-6)


def test_two_constant_looks_agree() -> None:
    mean, spread = agree([_map([[3.0, 3.0]], AFFINE), _map([[8.0, 8.0]], AFFINE)])
    assert (mean.values.tolist(), spread.tolist()) == ([[3.0, 3.0]], [[0.0, 0.0]])


def test_what_is_known_is_what_the_first_look_knows() -> None:
    nan, inf = np.nan, np.inf
    camera = Camera.assumed(5, 1)
    first = _map([[2.0, 2.0, nan, inf, 2.0]], camera=camera, scale_uncertain=True)
    others = [_map([[4.0, nan, 4.0, 4.0, inf]]), _map([[6.0, 4.0, 4.0, inf, nan]])]
    mean, spread = agree([first, *others])
    np.testing.assert_array_equal(mean.values, np.float32([[4.0, 3.0, nan, inf, 2.0]]))
    np.testing.assert_array_equal(mean.valid, first.valid)
    np.testing.assert_array_equal(mean.infinite, first.infinite)
    np.testing.assert_allclose(spread, [[2.0, np.sqrt(2), nan, nan, nan]], rtol=1e-6)
    assert (mean.camera, mean.scale_uncertain) == (camera, True)


def test_looks_that_share_no_pixel_change_nothing() -> None:
    first = _map([[1.0, np.nan]], AFFINE)
    mean, spread = agree([first, _map([[np.nan, 1.0]], AFFINE)])
    np.testing.assert_array_equal(mean.values, first.values)
    assert np.isnan(spread).all()


def test_one_look_is_itself_and_says_nothing_of_its_certainty() -> None:
    first = _map(np.random.default_rng(2).normal(size=(4, 5)), AFFINE)
    mean, spread = agree([first])
    np.testing.assert_array_equal(mean.values, first.values)
    assert np.isnan(spread).all()


@settings(max_examples=40, deadline=None)
@given(
    quantity=st.sampled_from(Quantity),
    freedom=st.sampled_from(Freedom),
    along=st.sampled_from(Along),
    looks=st.integers(1, 4),
    seed=st.integers(0, 1000),
)
def test_the_kind_never_changes_and_values_stay_usable(
    quantity: Quantity, freedom: Freedom, along: Along, looks: int, seed: int
) -> None:
    lots = np.random.default_rng(seed)
    kind = Kind(quantity, freedom, along)
    maps = [_map(lots.uniform(0.01, 50, (6, 7)), kind) for _ in range(looks)]
    mean, spread = agree(maps)
    assert mean.kind == kind
    assert mean.valid.all()
    assert spread.dtype == np.float32
    assert np.isnan(spread).all() if looks == 1 else (spread >= 0).all()


def test_looks_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(InputError, match="no look"):
        agree([])
    with pytest.raises(InputError, match="does not go with the first"):
        agree([_map([[1.0]]), _map([[1.0, 2.0]])])
    with pytest.raises(InputError, match="does not go with the first"):
        agree([_map([[1.0]]), _map([[1.0]], SCALE)])
