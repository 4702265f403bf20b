"""One prediction against one truth: closed forms for every alignment, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError
from leadline.core.kind import Along, Freedom, Kind, Quantity
from leadline.flows.evaluate.judging import ALONGSIDE, judge
from leadline.flows.evaluate.protocol_files import load_protocol
from leadline.ops.geometry import to_ray
from leadline.ops.resize import resize
from leadline.ops.windows import window

METRIC = load_protocol("nyu-eigen-filled").changed({"dataset": "any", "crop": "none"})
MEDIAN = load_protocol("median-scaled")
AFFINE = load_protocol("zero-shot-affine-depth")
INVERSE = load_protocol("zero-shot-affine-inverse-depth")
DEPTH_AFFINE, INVERSE_AFFINE = Kind(Quantity.DEPTH, Freedom.AFFINE), Kind(Quantity.INVERSE, Freedom.AFFINE)


def scene(height: int = 48, width: int = 64) -> DepthMap:
    """A slanted floor with a box, 1 to 6 m."""
    rows, columns = np.mgrid[:height, :width]
    metres = 6 - 4.5 * rows / height + 0.5 * columns / width
    metres[10:20, 10:25] = 1.5
    return DepthMap(metres, Kind(), camera=Camera.assumed(width, height))


def like(truth: DepthMap, values: np.ndarray, kind: Kind | None = None) -> DepthMap:
    return DepthMap(values, kind or Kind(), camera=truth.camera)


def test_a_tenth_too_far_is_a_tenth_of_abs_rel_and_nothing_once_scale_is_free() -> None:
    truth = scene()
    verdict = judge(like(truth, truth.values * 1.1), truth, METRIC)
    assert verdict.scores["protocol"].abs_rel == pytest.approx(0.1, rel=1e-5)
    assert set(verdict.scores) == {"protocol", "scale", "affine-depth", "affine-inverse-depth"}
    for rung in ("scale", "affine-depth", "affine-inverse-depth"):
        assert verdict.scores[rung].abs_rel == pytest.approx(0, abs=1e-5)
    assert verdict.profile is not None
    assert verdict.profile.scale == pytest.approx(1 / 1.1, rel=1e-5)
    assert verdict.remarks == ()


def test_only_a_few_metrics_are_measured_beside_the_protocols_own() -> None:
    truth = scene()
    verdict = judge(truth, truth, METRIC)
    beside = verdict.scores["scale"]
    assert all(np.isfinite(getattr(beside, name)) for name in ALONGSIDE)
    assert np.isnan(beside.psnr)
    assert all(np.isfinite(getattr(verdict.scores["protocol"], n)) or n == "psnr" for n in METRIC.metrics)


@pytest.mark.parametrize(
    ("kind", "protocol"), [(DEPTH_AFFINE, AFFINE), (INVERSE_AFFINE, INVERSE)], ids=["depth", "inverse"]
)
def test_scale_and_shift_do_not_count_where_the_protocol_fits_them(kind: Kind, protocol: object) -> None:
    truth = scene()
    base = truth.values if kind.quantity is Quantity.DEPTH else 1 / truth.values
    verdict = judge(like(truth, 0.37 * base - 0.02, kind), truth, protocol)  # type: ignore[arg-type]
    assert verdict.scores["protocol"].abs_rel == pytest.approx(0, abs=1e-4)
    assert set(verdict.scores) == {"protocol"}, "no other rung may score a kind that cannot become it"
    assert verdict.depth.kind == Kind()


def test_median_scaling_is_the_ratio_of_medians_and_not_the_median_of_ratios() -> None:
    truth = scene()
    noise = np.random.default_rng(0).lognormal(0, 0.5, truth.shape)
    said = like(truth, truth.values * noise * 3, Kind(Quantity.DEPTH, Freedom.SCALE))
    verdict = judge(said, truth, MEDIAN)
    ratio = np.median(truth.values) / np.median(said.values)
    scaled = np.clip(said.values.astype(np.float64) * ratio, 1e-3, 80)
    expected = np.mean(np.abs(scaled - truth.values) / truth.values)
    assert verdict.scores["protocol"].abs_rel == pytest.approx(expected, rel=1e-5)
    assert np.median(truth.values / said.values) != pytest.approx(ratio, rel=1e-2)


def test_scale_alone_can_be_fitted_by_least_squares() -> None:
    truth = scene()
    said = truth.values.astype(np.float64) ** 0.7
    verdict = judge(
        like(truth, said, Kind(Quantity.DEPTH, Freedom.SCALE)), truth, MEDIAN.changed({"alignment": "scale"})
    )
    said32 = said.astype(np.float32).astype(np.float64)
    scale = float((said32 * truth.values).sum() / (said32**2).sum())
    expected = np.mean(np.abs(scale * said32 - truth.values) / truth.values)
    assert verdict.scores["protocol"].abs_rel == pytest.approx(expected, rel=1e-5)


def test_aligned_disparity_below_zero_is_the_farthest_depth_and_not_a_negative_one() -> None:
    truth = scene()
    inverse = 1 / truth.values.astype(np.float64)
    inverse[0, :5] = -50.0
    verdict = judge(like(truth, inverse, INVERSE_AFFINE), truth, INVERSE)
    assert float(np.nanmax(verdict.depth.values)) == pytest.approx(10.0)
    assert verdict.scores["protocol"].coverage == 1.0
    assert verdict.scores["protocol"].abs_rel < 5


def test_depth_that_a_shift_brings_below_zero_is_the_nearest_that_counts() -> None:
    truth = scene()
    values = truth.values.astype(np.float64).copy()
    values[0, :5] = -20.0
    said = like(truth, values, DEPTH_AFFINE)
    clamped, left = judge(said, truth, AFFINE), judge(said, truth, AFFINE.changed({"clamp": "false"}))
    assert clamped.scores["protocol"].coverage == 1.0
    assert left.scores["protocol"].coverage < 1.0


def test_only_truth_between_the_limits_and_inside_the_window_counts() -> None:
    truth = scene(480, 640)
    far = truth.values.copy()
    far[200:210] = 12.0
    protocol = load_protocol("nyu-eigen-filled")
    verdict = judge(like(truth, truth.values), like(truth, far), protocol)
    assert verdict.scores["protocol"].known == (471 - 45 - 10) * (601 - 41)
    assert verdict.profile is not None
    assert verdict.profile.place_pixels.sum() == verdict.profile.depth_pixels.sum() == (471 - 45 - 10) * 560


def test_predictions_are_clipped_to_the_limits_where_the_protocol_says_so() -> None:
    truth = scene()
    said = like(truth, np.full(truth.shape, 40.0))
    clipped = judge(said, truth, METRIC).scores["protocol"]
    free = judge(said, truth, METRIC.changed({"clamp": "false"})).scores["protocol"]
    assert clipped.mae == pytest.approx(np.nan, nan_ok=True)
    assert clipped.abs_rel == pytest.approx(np.mean(np.abs(10 - truth.values) / truth.values), rel=1e-5)
    assert free.abs_rel == pytest.approx(np.mean(np.abs(40 - truth.values) / truth.values), rel=1e-5)


def test_the_profile_holds_the_relative_error_by_depth_and_place() -> None:
    truth = scene()
    said = truth.values.copy()
    said[:24] *= 1.2
    profile = judge(like(truth, said), truth, METRIC).profile
    assert profile is not None
    np.testing.assert_allclose(profile.place_abs_rel[:3] / profile.place_pixels[:3], 0.2, rtol=1e-4)
    np.testing.assert_allclose(profile.place_abs_rel[3:], 0, atol=1e-4)
    inside = (truth.values >= 1) & (truth.values < 2)
    assert profile.depth_pixels[1] == inside.sum()
    expected = (np.abs(said - truth.values) / truth.values)[inside].sum()
    assert profile.depth_abs_rel[1] == pytest.approx(expected, rel=1e-4)


def test_another_size_of_the_same_shape_is_resized_and_said() -> None:
    truth = scene()
    small = resize(truth, width=32, height=24)
    verdict = judge(small, truth, METRIC)
    assert verdict.remarks[0] == "resized from 32x24 to the truth's 64x48"
    assert verdict.prediction.shape == truth.shape
    assert verdict.scores["protocol"].abs_rel < 0.1


def test_another_shape_is_refused() -> None:
    with pytest.raises(
        InputError, match="the prediction is 64x64, the truth 64x48: they are of different shapes"
    ):
        judge(scene(64, 64), scene(), METRIC)


@pytest.mark.parametrize(
    ("frame", "own", "name"),
    [((375, 1242), (352, 1216), "kitti-benchmark"), ((480, 640), (426, 560), "nyu-eigen")],
)
def test_a_prediction_of_a_benchmarks_window_is_put_where_it_belongs(
    frame: tuple[int, int], own: tuple[int, int], name: str
) -> None:
    truth = scene(*frame)
    rows, columns = window(name, height=frame[0], width=frame[1])
    cut = DepthMap(truth.values[rows, columns], Kind())
    verdict = judge(cut, truth, METRIC)
    assert verdict.scores["protocol"].abs_rel == pytest.approx(0, abs=1e-6)
    share = own[0] * own[1] / (frame[0] * frame[1])
    assert verdict.scores["protocol"].coverage == pytest.approx(share)
    assert f"taken for the window {name}" in verdict.remarks[0]


@pytest.mark.parametrize(
    ("frame", "own"), [((375, 1242), (340, 1216)), ((480, 640), (430, 560)), ((480, 640), (400, 520))]
)
def test_a_crop_is_not_stretched(frame: tuple[int, int], own: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="they are of different shapes"):
        judge(scene(*own), scene(*frame), METRIC)


def test_a_photo_of_nearly_the_depths_shape_is_taken() -> None:
    verdict = judge(scene(968, 1296), scene(480, 640), METRIC)
    assert verdict.remarks[0] == "resized from 1296x968 to the truth's 640x480"
    small = judge(scene(350, 518), scene(500, 741), METRIC)
    assert "resized" in small.remarks[0]


def test_pixels_without_a_prediction_are_told() -> None:
    truth = scene()
    values = truth.values.copy()
    values[:12] = np.nan
    verdict = judge(like(truth, values), truth, METRIC)
    assert verdict.scores["protocol"].coverage == 0.75
    assert verdict.remarks == ("25.0% of the pixels that count have no prediction and are not scored",)


def test_sky_where_truth_is_near_is_wrong_and_not_left_out() -> None:
    truth = scene()
    values = truth.values.copy()
    values[:12] = np.inf
    clipped = judge(like(truth, values), truth, METRIC)
    assert clipped.scores["protocol"].coverage == 1.0
    far = np.where(np.isinf(values), 10.0, values)
    expected = np.mean(np.abs(far - truth.values) / truth.values)
    assert clipped.scores["protocol"].abs_rel == pytest.approx(expected, rel=1e-5)
    free = judge(like(truth, values), truth, METRIC.changed({"clamp": "false"}))
    assert free.scores["protocol"].coverage == 0.75


def test_a_mirrored_prediction_is_told() -> None:
    truth = scene()
    turned = truth.values + 3 * np.mgrid[:48, :64][1] / 64
    mirrored = judge(like(truth, turned[:, ::-1].copy()), like(truth, turned), METRIC)
    assert "fits the truth better mirrored left to right" in mirrored.remarks
    assert judge(like(truth, turned), like(truth, turned), METRIC).remarks == ()


@pytest.mark.parametrize(("times", "unit"), [(1000, "millimetres"), (100, "centimetres"), (256, "1/256 m")])
def test_another_unit_is_told(times: float, unit: str) -> None:
    truth = scene()
    verdict = judge(like(truth, truth.values * times * 1.1), truth, METRIC)
    assert [unit in remark for remark in verdict.remarks] == [True]
    assert judge(like(truth, truth.values * 3), truth, METRIC).remarks == ()


def test_a_constant_prediction_is_said_not_scored_where_it_must_be_aligned() -> None:
    truth = scene()
    with pytest.raises(InputError, match="the prediction is constant"):
        judge(like(truth, np.full(truth.shape, 2.0), DEPTH_AFFINE), truth, AFFINE)
    verdict = judge(like(truth, np.full(truth.shape, 2.0)), truth, METRIC)
    assert {"protocol", "scale"} == set(verdict.scores)
    assert sum("no figures of the rung affine" in remark for remark in verdict.remarks) == 2


def test_no_truth_that_counts_is_a_reason() -> None:
    truth = scene()
    with pytest.raises(InputError, match="no pixel of known truth lies between"):
        judge(truth, like(truth, np.full(truth.shape, 20.0)), METRIC)


@pytest.mark.parametrize("protocol", [METRIC, MEDIAN], ids=lambda protocol: protocol.alignment)
def test_no_prediction_where_truth_is_known_is_a_reason(protocol: object) -> None:
    truth = scene()
    said = DepthMap(truth.values, Kind(), valid=np.zeros(truth.shape, bool))
    with pytest.raises(InputError, match="known truth"):
        judge(said, truth, protocol)  # type: ignore[arg-type]


def test_distance_along_the_ray_is_brought_to_the_axis_on_both_sides() -> None:
    truth = scene()
    for said, so in ((to_ray(truth), truth), (truth, to_ray(truth)), (to_ray(truth), to_ray(truth))):
        assert judge(said, so, METRIC).scores["protocol"].abs_rel == pytest.approx(0, abs=1e-6)
    assert to_ray(truth).kind == Kind(along=Along.RAY)


def test_truth_without_metres_is_refused() -> None:
    truth = scene()
    with pytest.raises(KindError, match="the truth holds depth, scale unknown, not metres"):
        judge(truth, replace(truth, kind=Kind(Quantity.DEPTH, Freedom.SCALE)), METRIC)


def test_a_kind_that_the_protocol_cannot_score_is_refused() -> None:
    truth = scene()
    with pytest.raises(KindError, match="needs metric-depth"):
        judge(like(truth, truth.values, INVERSE_AFFINE), truth, METRIC)


def test_metric_inverse_depth_is_scored_as_depth() -> None:
    truth = scene()
    verdict = judge(like(truth, 1 / truth.values, Kind(Quantity.INVERSE)), truth, METRIC)
    assert verdict.scores["protocol"].abs_rel == pytest.approx(0, abs=1e-5)
