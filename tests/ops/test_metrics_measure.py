"""Measuring: what is asked for and nothing else, the laws that metrics obey, and what is refused."""

from __future__ import annotations

import math
import sys
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, MissingExtra, UnknownName
from leadline.core.kind import Freedom, Kind
from leadline.ops.align import align
from leadline.ops.metrics import METRICS, Family, MeasureOptions, Metric, Scores, measure

OPTIONS = MeasureOptions(data_range_m=10.0)
CAMERA = Camera(30.0, 30.0, 9.5, 7.5, 20, 16)
EVERY = list(METRICS)
PIXELS = [name for name in EVERY if METRICS[name].family is Family.PIXELS]
depths = hnp.arrays(np.float32, (4, 5), elements=st.floats(0.125, 16, width=32))
BEST = {
    **{name: 0.0 if metric.better == "lower" else 1.0 for name, metric in METRICS.items()},
    "psnr": math.inf,
}


def metres(values: object, **rest: object) -> DepthMap:
    return DepthMap(np.asarray(values, np.float32), Kind(), **rest)  # type: ignore[arg-type]


def steps(seed: int = 0) -> DepthMap:
    """A scene with edges of every height in every direction, and a camera."""
    blocks = np.random.default_rng(seed).permutation(np.geomspace(1, 9, 20)).reshape(4, 5)
    return metres(np.kron(blocks, np.ones((4, 4))), camera=CAMERA)


def test_every_metric_is_a_field_and_says_what_it_is() -> None:
    rest = {"pixels", "known", "coverage", "log_mean", "log_spread"}
    assert {field.name for field in fields(Scores)} == {*METRICS, *rest}
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.words
        assert metric.definition
        assert metric.source
    words = [metric.words for metric in METRICS.values()]
    assert len(set(words)) == len(words)


@pytest.mark.parametrize("metric", METRICS.values(), ids=EVERY)
def test_only_what_is_asked_for_is_there(metric: Metric) -> None:
    found = measure(steps(1), steps(), names=[metric.name], options=OPTIONS)
    companions = {"log_mean", "log_spread"} if metric.name.startswith("silog") else set()
    there = {name for name in (*EVERY, "log_mean", "log_spread") if not math.isnan(getattr(found, name))}
    assert there == {metric.name, *companions}


@pytest.mark.parametrize("metric", METRICS.values(), ids=EVERY)
def test_a_perfect_prediction_gets_the_best_and_a_worse_one_a_worse(metric: Metric) -> None:
    truth = steps()
    found = measure(truth, truth, names=[metric.name], options=OPTIONS)
    assert getattr(found, metric.name) == BEST[metric.name]
    other = getattr(measure(steps(1), truth, names=[metric.name], options=OPTIONS), metric.name)
    assert other > BEST[metric.name] if metric.better == "lower" else other < BEST[metric.name]


@given(depths)
def test_pixel_metrics_of_a_perfect_prediction_are_the_best(truth: np.ndarray) -> None:
    found = measure(metres(truth), metres(truth), names=PIXELS, options=OPTIONS)
    assert {name: getattr(found, name) for name in PIXELS} == {name: BEST[name] for name in PIXELS}


@given(depths, depths)
def test_swapped_arguments_are_seen_by_errors_relative_to_the_truth_and_by_no_other(
    one: np.ndarray, other: np.ndarray
) -> None:
    there, back = (
        measure(metres(a), metres(b), names=PIXELS, options=OPTIONS) for a, b in ((one, other), (other, one))
    )
    for name in set(PIXELS) - {"abs_rel", "sq_rel", "sq_rel_squared"}:
        assert getattr(there, name) == pytest.approx(getattr(back, name), rel=1e-9, abs=1e-12), name
    error = np.abs(one.astype(np.float64) - other)
    assert there.abs_rel == pytest.approx(float(np.mean(error / other)))
    assert back.abs_rel == pytest.approx(float(np.mean(error / one)))


@given(depths, st.floats(1.01, 4))
def test_abs_rel_tells_swapped_arguments(truth: np.ndarray, factor: float) -> None:
    far = metres(truth * np.float32(factor))
    there = measure(far, metres(truth), names=["abs_rel"]).abs_rel
    back = measure(metres(truth), far, names=["abs_rel"]).abs_rel
    assert there == pytest.approx(back * factor, rel=1e-5)
    assert there != back


@given(depths, depths, st.sampled_from([0.125, 0.5, 2.0, 64.0]))
def test_silog_does_not_see_the_scale_and_the_mean_logarithm_is_it(
    prediction: np.ndarray, truth: np.ndarray, factor: float
) -> None:
    names = ["silog", "silog_100", "silog_085", "silog_050"]
    plain = measure(metres(prediction), metres(truth), names=names)
    scaled = measure(metres(prediction * np.float32(factor)), metres(truth), names=names)
    assert scaled.silog == pytest.approx(plain.silog, rel=1e-9, abs=1e-12)
    assert scaled.silog_100 == pytest.approx(100 * plain.silog, rel=1e-9, abs=1e-12)
    assert scaled.log_mean == pytest.approx(plain.log_mean + math.log(factor), abs=1e-12)
    assert scaled.silog_085 == pytest.approx(10 * math.hypot(plain.silog, 0.15**0.5 * scaled.log_mean))
    assert scaled.silog_050 == pytest.approx(plain.silog**2 + 0.5 * scaled.log_mean**2)


@given(depths, depths)
def test_deltas_rise(prediction: np.ndarray, truth: np.ndarray) -> None:
    found = measure(metres(prediction), metres(truth), names=["delta1", "delta2", "delta3"])
    assert 0 <= found.delta1 <= found.delta2 <= found.delta3 <= 1


@pytest.mark.filterwarnings("error")
def test_predictions_that_are_no_depths_are_counted_out_not_scored() -> None:
    prediction = np.full((16, 20), 2.0)
    prediction[0, :6] = (np.nan, np.inf, -np.inf, 0.0, -1.0, 1e300)
    found = measure(DepthMap(prediction, Kind()), metres(np.full((16, 20), 2.0), camera=CAMERA), names=EVERY, options=OPTIONS)  # fmt: skip
    assert (found.pixels, found.known) == (314, 320)
    assert found.coverage == pytest.approx(314 / 320)
    assert (found.rmse, found.ssim, found.whdr, found.chamfer) == (0.0, 1.0, 0.0, 0.0)


@pytest.mark.filterwarnings("error")
def test_a_constant_prediction_has_figures_and_no_boundary() -> None:
    found = measure(metres(np.full((16, 20), 2.0)), steps(), names=EVERY, options=OPTIONS)
    assert all(math.isfinite(getattr(found, name)) for name in EVERY)
    assert (found.boundary_f1, found.boundary_recall) == (0.0, 0.0)


def test_clamp_and_limits_are_apart() -> None:
    truth, prediction = metres([[1.0, 5.0, 20.0]]), metres([[1.0, 30.0, 20.0]])
    names = ["mae"]
    assert measure(prediction, truth, names=names).mae == pytest.approx(25 / 3)
    assert measure(prediction, truth, names=names, limits_m=(1e-3, 10)).mae == pytest.approx(12.5)
    assert measure(prediction, truth, names=names, clamp_m=(1e-3, 10)).mae == pytest.approx(5)
    both = measure(prediction, truth, names=names, limits_m=(1e-3, 10), clamp_m=(1e-3, 10))
    assert (both.mae, both.pixels) == (pytest.approx(2.5), 2)


def test_truth_on_a_limit_does_not_count() -> None:
    truth = metres([[1.0, 2.0, 10.0]])
    found = measure(metres([[1.0, 2.5, 10.0]]), truth, names=["mae"], limits_m=(1.0, 10.0))
    assert (found.known, found.mae) == (1, 0.5)


def test_what_was_aligned_can_be_measured() -> None:
    truth = steps()
    relative = DepthMap(truth.values * 0.1 + 0.5, Kind(freedom=Freedom.AFFINE))
    aligned = align(relative, truth).apply(relative)
    assert measure(aligned, truth, names=["abs_rel"]).abs_rel < 1e-6


@pytest.mark.parametrize("limits", [(10.0, 1.0), (-1.0, 5.0), (2.0, 2.0), (math.nan, 5.0)])
def test_limits_that_do_not_rise_are_refused(limits: tuple[float, float]) -> None:
    truth = metres([[2.0]])
    with pytest.raises(InputError, match=r"limits_m.* not two rising depths"):
        measure(truth, truth, names=["mae"], limits_m=limits)
    with pytest.raises(InputError, match=r"clamp_m.* not two rising depths"):
        measure(truth, truth, names=["mae"], clamp_m=limits)


def test_unknown_metrics_and_a_missing_data_range_are_refused() -> None:
    truth = metres([[2.0]])
    with pytest.raises(UnknownName, match="'abs_rel'"):
        measure(truth, truth, names=["absrel"])
    for name in ("psnr", "ssim"):
        with pytest.raises(InputError, match=f"{name} needs a data range"):
            measure(truth, truth, names=["mae", name])


@pytest.mark.parametrize(
    "wrong",
    [
        {"data_range_m": 0.0},
        {"data_range_m": math.inf},
        {"order_pairs": 0},
        {"order_threshold": -0.1},
        {"order_seed": -1},
        {"cloud_threshold_m": math.nan},
        {"cloud_points": 0},
    ],
    ids=str,
)
def test_options_out_of_bounds_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        MeasureOptions(**wrong)  # type: ignore[arg-type]


def test_an_unknown_window_is_refused() -> None:
    with pytest.raises(UnknownName, match="no window of SSIM is called 'hann'"):
        MeasureOptions(ssim_window="hann")  # type: ignore[arg-type]


def test_clouds_without_scipy_say_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.spatial", None)
    with pytest.raises(MissingExtra, match=r"pip install 'leadline\[evaluate\]'"):
        measure(steps(1), steps(), names=["chamfer"])
