"""Alignment: kinds, points, refusals. Fits are held against scipy in tests/oracles."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError, UnknownName
from leadline.core.kind import Along, Freedom, Kind, Quantity
from leadline.ops.align import Alignment, align
from leadline.ops.geometry import to_depth, to_inverse, to_ray
from leadline.ops.known_points import KnownPoints

AFFINE = Kind(Quantity.INVERSE, Freedom.AFFINE)
CAMERA = Camera.from_fov(80, 8, 6)


def scene(seed: int = 0) -> DepthMap:
    values = np.random.default_rng(seed).uniform(1.0, 8.0, (6, 8))
    values[0, 0], values[0, 1] = np.nan, np.inf
    return DepthMap(values, Kind(), camera=CAMERA)


def told(truth: DepthMap, kind: Kind, scale: float, shift: float = 0.0) -> DepthMap:
    """What a network of a kind would say: (value - shift) / scale."""
    values = (to_inverse(truth) if kind.quantity is Quantity.INVERSE else truth).values
    return DepthMap((values - shift) / scale, kind, truth.valid, truth.infinite, truth.camera)


@pytest.mark.parametrize("method", ["least-squares", "robust"])
def test_affine_disparity_becomes_metres(method: Any) -> None:
    truth = scene()
    prediction = told(truth, AFFINE, 0.02, -0.3)
    found = align(prediction, truth, method=method)
    assert (found.scale, found.shift) == pytest.approx((0.02, -0.3), rel=1e-4)
    assert (found.space, found.method, found.n_pixels) == ("inverse-depth", method, 46)
    assert found.residual < 1e-6
    aligned = found.apply(prediction)
    assert aligned.kind == Kind(Quantity.INVERSE)
    metric = to_depth(aligned)
    assert metric.kind == Kind()
    np.testing.assert_allclose(metric.values, truth.values, rtol=1e-4)
    assert metric.infinite[0, 1]
    assert metric.camera is truth.camera


@pytest.mark.parametrize("method", ["least-squares", "robust"])
@pytest.mark.parametrize("kind", [Kind(freedom=Freedom.SCALE), Kind(Quantity.INVERSE, Freedom.SCALE), Kind()])
def test_a_scale_alone(kind: Kind, method: Any) -> None:
    truth = scene()
    found = align(told(truth, kind, 3.0), truth, method=method)
    assert found.scale == pytest.approx(3.0, rel=1e-5)
    assert found.shift == 0.0
    assert found.freedom is Freedom.SCALE
    assert found.space == kind.quantity.value


def test_either_space_below_affine_and_the_quantity_comes_back() -> None:
    truth = scene()
    prediction = told(truth, Kind(freedom=Freedom.SCALE), 4.0)
    for space, scale in (("depth", 4.0), (Quantity.INVERSE, 0.25)):
        found = align(prediction, truth, space=space)
        assert found.scale == pytest.approx(scale, rel=1e-5)
        aligned = found.apply(prediction)
        assert aligned.kind == Kind()
        np.testing.assert_allclose(aligned.values, truth.values, rtol=1e-5)


def test_scale_and_shift_can_be_asked_of_a_finer_kind() -> None:
    truth = scene()
    prediction = told(truth, Kind(), 2.0, 0.4)
    found = align(prediction, truth, freedom=Freedom.AFFINE)
    assert (found.scale, found.shift) == pytest.approx((2.0, 0.4), rel=1e-4)
    assert found.apply(prediction).kind == Kind()


def test_the_result_knows_no_more_than_its_reference() -> None:
    truth = scene().coarsened(Freedom.SCALE)
    prediction = told(scene(), AFFINE, 0.5, 0.1)
    found = align(prediction, truth)
    assert found.result is Freedom.SCALE
    assert found.apply(prediction).kind == Kind(Quantity.INVERSE, Freedom.SCALE)


def test_a_reference_along_the_other_line_is_turned() -> None:
    truth = scene()
    prediction = told(truth, AFFINE, 0.02, -0.3)
    found = align(prediction, to_ray(truth))
    assert (found.scale, found.shift) == pytest.approx((0.02, -0.3), rel=1e-4)
    along_ray = told(to_ray(truth), Kind(freedom=Freedom.SCALE, along=Along.RAY), 5.0)
    assert align(along_ray, truth).scale == pytest.approx(5.0, rel=1e-5)
    assert align(along_ray, truth).apply(along_ray).kind == Kind(along=Along.RAY)


# known points


def test_a_few_known_points_are_enough() -> None:
    truth = scene()
    prediction = told(truth, AFFINE, 0.02, -0.3)
    rows, columns = np.array([2, 5, 3]), np.array([3, 7, 0])
    points = KnownPoints(rows, columns, truth.values[rows, columns])
    found = align(prediction, points)
    assert (found.scale, found.shift, found.n_pixels) == (
        pytest.approx(0.02, rel=1e-3),
        pytest.approx(-0.3, rel=1e-3),
        3,
    )
    assert found.result is Freedom.NONE


@pytest.mark.parametrize("along", list(Along))
@pytest.mark.parametrize("measured", list(Along))
def test_points_measured_with_a_tape_run_along_the_ray(along: Along, measured: Along) -> None:
    truth = scene()
    maps = {Along.AXIS: truth, Along.RAY: to_ray(truth)}
    prediction = told(maps[along], Kind(freedom=Freedom.SCALE, along=along), 7.0)
    points = KnownPoints([5], [7], [maps[measured].values[5, 7]], along=measured)  # type: ignore[arg-type]
    assert align(prediction, points).scale == pytest.approx(7.0, rel=1e-5)


def test_points_on_unknown_pixels_do_not_count() -> None:
    prediction = told(scene(), AFFINE, 1.0)
    points = KnownPoints(np.array([0, 0, 3]), np.array([0, 1, 3]), np.array([2.0, 3.0, 4.0]))
    with pytest.raises(InputError, match=r"1 pixels are valid in both, too few to align \(at least 2\)"):
        align(prediction, points)


# refusals


def test_opposite_directions_are_refused() -> None:
    truth = scene()
    upside_down = DepthMap(truth.values, AFFINE, truth.valid, truth.infinite)
    with pytest.raises(InputError, match=r"best scale is -0\.\d+, which is not positive.*inverse-depth"):
        align(upside_down, truth)


@pytest.mark.parametrize("method", ["least-squares", "robust"])
def test_a_constant_prediction_fixes_nothing(method: Any) -> None:
    flat = DepthMap(np.full((6, 8), 2.0), AFFINE)
    with pytest.raises(InputError, match=r"constant \(2\)"):
        align(flat, scene(), method=method)
    zero = DepthMap(np.zeros((6, 8)), AFFINE)
    with pytest.raises(InputError, match=r"constant \(0\)"):
        align(zero, scene(), method=method)


def test_too_few_pixels() -> None:
    blank = DepthMap(np.full((6, 8), np.nan), Kind())
    with pytest.raises(InputError, match=r"0 pixels are valid in both, too few to align \(at least 1\)"):
        align(blank, scene())


def test_sizes_must_agree() -> None:
    with pytest.raises(InputError, match="reference of 8x6 does not fit a prediction of 3x2"):
        align(DepthMap(np.ones((2, 3)), Kind()), scene())


def test_an_affine_reference_fixes_nothing() -> None:
    with pytest.raises(KindError, match="cannot fix a scale"):
        align(scene(), scene().coarsened(Freedom.AFFINE))


def test_an_affine_prediction_stays_in_its_own_space() -> None:
    with pytest.raises(KindError, match="1/x means nothing"):
        align(told(scene(), AFFINE, 1.0), scene(), space="depth")


@pytest.mark.parametrize(
    ("kind", "freedom"), [(AFFINE, Freedom.SCALE), (AFFINE, Freedom.NONE), (Kind(), Freedom.NONE)]
)
def test_fitting_less_than_is_unknown_is_refused(kind: Kind, freedom: Freedom) -> None:
    with pytest.raises(KindError, match=f"cannot be aligned by freedom {freedom.name} alone"):
        align(told(scene(), kind, 1.0), scene(), freedom=freedom)


def test_names_get_near_matches() -> None:
    with pytest.raises(UnknownName, match="did you mean 'robust'"):
        align(scene(), scene(), method="robus")  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match="did you mean 'inverse-depth'"):
        align(scene(), scene(), space="inverse")
    with pytest.raises(UnknownName, match="did you mean 'clamp'"):
        align(scene(), scene()).apply(scene(), nonpositive="clam")  # type: ignore[arg-type]


# applying


def test_values_the_shift_makes_negative_are_never_silent() -> None:
    truth = DepthMap(np.array([[1.0, 2.0, 4.0, np.nan, np.nan]]), Kind())
    prediction = DepthMap(np.array([[10.0, 5.0, 2.5, 0.0, -4.0]]), AFFINE)
    found = align(prediction, truth)
    below = DepthMap(prediction.values - 3, AFFINE)
    invalid = found.apply(below)
    np.testing.assert_array_equal(invalid.valid, [[True, True, False, False, False]])
    assert (invalid.values[invalid.valid] > 0).all()


LIMIT_M: dict[str, Any] = {"nonpositive": "clamp", "limit_m": 10.0}


def test_clamping_touches_only_what_lies_beyond_the_limit() -> None:
    """1/z = 0.1 x value: known at 1 to 4 m, seen also at 8 m, at 20 m, at infinity and behind the camera."""
    truth = DepthMap(np.array([[1.0, 2.0, 4.0, np.nan, np.nan, np.nan, np.nan, np.nan]]), Kind())
    values = np.array([[10.0, 5.0, 2.5, 1.25, 0.5, 0.0, -4.0, 0.0]])
    sky = np.arange(8)[None] == 7
    prediction = DepthMap(values, AFFINE, ~sky, sky)
    clamped = to_depth(align(prediction, truth).apply(prediction, **LIMIT_M))
    np.testing.assert_allclose(clamped.values, [[1, 2, 4, 8, 10, 10, 10, np.inf]], rtol=1e-5)
    assert clamped.kind == Kind()
    np.testing.assert_array_equal(clamped.infinite, sky)


def test_a_room_aligned_to_three_near_points_is_not_flattened() -> None:
    truth = DepthMap(np.linspace(0.8, 7.5, 48).reshape(6, 8), Kind())
    prediction = told(truth, AFFINE, 0.02, -0.3)
    near = KnownPoints(np.array([0, 0, 1]), np.array([0, 5, 3]), truth.values[[0, 0, 1], [0, 5, 3]])
    clamped = to_depth(align(prediction, near).apply(prediction, **LIMIT_M))
    np.testing.assert_allclose(clamped.values, truth.values, rtol=1e-3)


@pytest.mark.parametrize("limit_m", [None, 0.0, -1.0, np.nan, np.inf])
def test_clamping_needs_a_limit(limit_m: Any) -> None:
    prediction = told(scene(), AFFINE, 0.02, -0.3)
    with pytest.raises(InputError, match=rf"farthest depth in metres, not {limit_m}.*pass limit_m=10.0"):
        align(prediction, scene()).apply(prediction, nonpositive="clamp", limit_m=limit_m)


def test_a_limit_without_clamping_is_refused() -> None:
    with pytest.raises(InputError, match=r"limit_m=10\.0 does nothing"):
        align(scene(), scene()).apply(scene(), limit_m=10.0)


def test_only_metric_inverse_depth_has_a_farthest_depth_to_clamp_to() -> None:
    with pytest.raises(KindError, match="after an alignment in depth;"):
        align(scene(), scene()).apply(scene(), **LIMIT_M)
    prediction = told(scene(), AFFINE, 0.5, 0.1)
    found = align(prediction, scene().coarsened(Freedom.SCALE))
    with pytest.raises(KindError, match="alignment in inverse-depth of unknown scale"):
        found.apply(prediction, **LIMIT_M)


def test_the_scale_is_as_sure_as_the_reference() -> None:
    doubtful = replace(scene(), camera=Camera.assumed(8, 6), scale_uncertain=True)
    points = KnownPoints(np.array([3]), np.array([3]), scene().values[[3], [3]])
    for reference in (points, scene()):
        assert not align(doubtful, reference).apply(doubtful).scale_uncertain
    assert align(scene(), doubtful).apply(scene()).scale_uncertain
    inverse = align(doubtful, points, space="inverse-depth").apply(doubtful)
    assert not inverse.scale_uncertain
    assert "uncertain" not in repr(inverse)


def test_an_alignment_is_reused_on_another_frame_but_not_on_another_kind() -> None:
    found = align(told(scene(0), AFFINE, 0.02, -0.3), scene(0))
    later = found.apply(told(scene(1), AFFINE, 0.02, -0.3))
    np.testing.assert_allclose(to_depth(later).values, scene(1).values, rtol=1e-4)
    scale_only = align(scene(), scene())
    with pytest.raises(KindError, match="it finds a scale along the axis"):
        scale_only.apply(told(scene(), AFFINE, 1.0))
    with pytest.raises(KindError, match="it finds a scale and a shift along the axis"):
        found.apply(DepthMap(np.ones((6, 8)), Kind(along=Along.RAY)))


def test_an_alignment_can_be_kept() -> None:
    found = align(scene(), scene())
    assert isinstance(found, Alignment)
    assert found == align(scene(), scene())
    with pytest.raises(AttributeError):
        found.scale = 2.0  # type: ignore[misc]


def test_the_robust_fit_shrugs_off_a_quarter_of_nonsense() -> None:
    rng = np.random.default_rng(3)
    truth = DepthMap(rng.uniform(1, 8, (80, 100)), Kind())
    values = ((1 / truth.values + 0.2) / 0.05).astype(np.float32)
    wrong = rng.random(values.shape) < 0.25
    prediction = DepthMap(np.where(wrong, rng.uniform(0, 40, values.shape), values), AFFINE)
    plain, robust = align(prediction, truth), align(prediction, truth, method="robust")
    assert robust.scale == pytest.approx(0.05, rel=0.05)
    assert abs(robust.scale - 0.05) < abs(plain.scale - 0.05) / 3
    half = DepthMap(
        np.where(rng.random(values.shape) < 0.4, 1000.0, 2 * truth.values), Kind(freedom=Freedom.SCALE)
    )
    assert align(half, truth, method="robust").scale == pytest.approx(0.5, rel=1e-4)


def test_the_robust_fit_draws_from_very_many(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    truth = DepthMap(rng.uniform(1, 8, (60, 60)), Kind())
    prediction = DepthMap((1 / truth.values + rng.normal(0, 0.01, truth.shape)) / 0.05, AFFINE)
    whole = align(prediction, truth, method="robust")
    monkeypatch.setattr("leadline.ops.fit._ROBUST_PAIRS", 500)
    part = align(prediction, truth, method="robust")
    assert part.n_pixels == whole.n_pixels == 3600
    assert part.scale == pytest.approx(whole.scale, rel=0.02)
    assert part.scale != whole.scale


def test_the_robust_fit_of_a_prediction_that_hardly_varies_is_a_line_through_its_mean() -> None:
    truth = DepthMap(np.random.default_rng(0).uniform(1, 2, (80, 80)), Kind())
    values = np.full((80, 80), 3.0)
    values[0, 0] = 4.0
    prediction = DepthMap(values, AFFINE)
    inverse = 1 / truth.values.astype(np.float64)
    if inverse[0, 0] < inverse.mean():
        truth = DepthMap(1 / (2 - inverse), Kind())
    plain, robust = align(prediction, truth), align(prediction, truth, method="robust")
    assert (robust.scale, robust.shift) == pytest.approx((plain.scale, plain.shift), rel=0.2)
    assert np.isfinite(robust.residual)


def test_the_robust_fit_stops_where_the_reweighted_prediction_no_longer_varies() -> None:
    known, values = np.full((100, 100), 2.0), np.full((100, 100), 3.0)
    values[50, :3], known[50, :3] = (4.0, 5.0, 6.0), (1.0, 1.5, 0.5)
    truth, prediction = DepthMap(known, Kind()), DepthMap(values, AFFINE)
    plain, robust = align(prediction, truth), align(prediction, truth, method="robust")
    assert (robust.scale, robust.shift) == pytest.approx((plain.scale, plain.shift))
    assert robust.scale * 3 + robust.shift == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("every", [2, 3, 5, 8])
def test_the_robust_fit_of_very_many_sees_stripes(every: int) -> None:
    values = np.full((480, 640), 2.0)
    values[:, every // 2 :: every] = 4.0
    truth = DepthMap(3 * values + 1, Kind())
    found = align(DepthMap(values, Kind(freedom=Freedom.AFFINE)), truth, method="robust")
    assert (found.scale, found.shift) == pytest.approx((3.0, 1.0), rel=1e-6)


@pytest.mark.parametrize("places", [[(0, 1)], [(0, 1), (200, 333)], [(0, 0), (0, 1), (479, 638)]])
def test_the_robust_fit_of_very_many_goes_by_all_where_those_drawn_do_not_vary(places: Any) -> None:
    values = np.full((480, 640), 2.0)
    for place, value in zip(places, (4.0, 5.0, 6.0), strict=False):
        values[place] = value
    prediction, truth = DepthMap(values, Kind(freedom=Freedom.AFFINE)), DepthMap(3 * values + 1, Kind())
    found = align(prediction, truth, method="robust")
    assert (found.scale, found.shift) == pytest.approx((3.0, 1.0), rel=1e-6)
