"""Scores against the formulas written out pixel by pixel in plain Python, and the laws they obey."""

from __future__ import annotations

import math
from statistics import fmean, pstdev

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError
from leadline.core.kind import Along, Freedom, Kind, Quantity
from leadline.ops.metrics import score

depths = hnp.arrays(np.float32, (4, 5), elements=st.floats(0.125, 16, width=32))


def metres(values: np.ndarray, **rest: object) -> DepthMap:
    return DepthMap(np.asarray(values, np.float32), Kind(), **rest)  # type: ignore[arg-type]


def by_hand(prediction: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    pairs = [(float(p), float(t)) for p, t in zip(prediction.ravel(), truth.ravel(), strict=True)]
    logs = [math.log(p / t) for p, t in pairs]
    worse = [max(p / t, t / p) for p, t in pairs]
    return {
        "abs_rel": fmean(abs(p - t) / t for p, t in pairs),
        "sq_rel": fmean((p - t) ** 2 / t for p, t in pairs),
        "rmse": math.sqrt(fmean((p - t) ** 2 for p, t in pairs)),
        "rmse_log": math.sqrt(fmean(x * x for x in logs)),
        "log10": fmean(abs(math.log10(p / t)) for p, t in pairs),
        "silog": pstdev(logs),
        "delta1": fmean(w < 1.25 for w in worse),
        "delta2": fmean(w < 1.25**2 for w in worse),
        "delta3": fmean(w < 1.25**3 for w in worse),
    }


@given(depths, depths)
def test_every_score_is_its_formula(prediction: np.ndarray, truth: np.ndarray) -> None:
    scores = score(metres(prediction), metres(truth))
    for name, value in by_hand(prediction, truth).items():
        assert getattr(scores, name) == pytest.approx(value, rel=1e-6, abs=1e-7), name
    assert scores.pixels == 20
    assert scores.coverage == 1.0


@given(depths)
def test_truth_scores_perfectly_against_itself(truth: np.ndarray) -> None:
    found = score(metres(truth), metres(truth))
    assert [getattr(found, name) for name in by_hand(truth, truth)] == [0, 0, 0, 0, 0, 0, 1, 1, 1]
    assert (found.pixels, found.known, found.coverage) == (20, 20, 1.0)


@given(depths, depths, st.sampled_from([0.25, 2.0, 4.0]))
def test_relative_scores_do_not_see_the_unit_and_silog_does_not_see_the_scale(
    prediction: np.ndarray, truth: np.ndarray, factor: float
) -> None:
    plain = score(metres(prediction), metres(truth))
    both = score(metres(prediction * factor), metres(truth * factor))
    assert both.abs_rel == pytest.approx(plain.abs_rel)
    assert both.delta1 == plain.delta1
    assert both.rmse == pytest.approx(plain.rmse * factor)
    assert score(metres(prediction * factor), metres(truth)).silog == pytest.approx(plain.silog, abs=1e-7)


def test_errors_are_relative_to_the_truth_not_to_the_prediction() -> None:
    assert score(metres([[3.0]]), metres([[2.0]])).abs_rel == pytest.approx(0.5)
    assert score(metres([[2.0]]), metres([[3.0]])).abs_rel == pytest.approx(1 / 3)


def test_a_ratio_of_exactly_1_25_does_not_count_as_near() -> None:
    assert score(metres([[1.25]]), metres([[1.0]])).delta1 == 0.0


def test_only_known_truth_inside_mask_and_limits_is_scored() -> None:
    truth = metres([[1.0, 2.0, 12.0, 4.0, 5.0]], valid=np.array([[True, True, True, True, False]]))
    mask = np.array([[True, True, True, False, True]])
    scores = score(metres([[1.5, 30.0, 1.0, 1.0, 1.0]]), truth, mask=mask, limits_m=(1e-3, 10.0))
    assert scores.pixels == 2
    assert scores.abs_rel == pytest.approx((0.5 / 1 + 8 / 2) / 2)  # 30 m is clipped to 10 m


def test_pixels_without_a_prediction_are_reported_not_scored() -> None:
    prediction = metres([[1.0, 9.0]], valid=np.array([[True, False]]))
    scores = score(prediction, metres([[1.0, 1.0]]))
    assert (scores.abs_rel, scores.pixels, scores.coverage) == (0.0, 1, 0.5)


@pytest.mark.parametrize(
    "kind", [Kind(Quantity.INVERSE), Kind(freedom=Freedom.SCALE), Kind(freedom=Freedom.AFFINE)], ids=str
)
def test_only_metres_are_scored(kind: Kind) -> None:
    other = DepthMap(np.ones((1, 1), np.float32), kind)
    with pytest.raises(KindError, match="the prediction holds"):
        score(other, metres([[1.0]]))
    with pytest.raises(KindError, match="the truth holds"):
        score(metres([[1.0]]), other)


def test_axis_and_ray_are_not_compared() -> None:
    ray = DepthMap(np.ones((1, 1), np.float32), Kind(along=Along.RAY), camera=Camera.assumed(1, 1))
    with pytest.raises(KindError, match="along the ray"):
        score(ray, metres([[1.0]]))


def test_sizes_and_masks_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="does not fit truth"):
        score(metres([[1.0]]), metres([[1.0, 2.0]]))
    for mask in (np.ones((2, 2), bool), np.ones((1, 1), int)):
        with pytest.raises(InputError, match="is not bool"):
            score(metres([[1.0]]), metres([[1.0]]), mask=mask)


def test_an_image_without_a_pixel_to_score_is_refused() -> None:
    with pytest.raises(InputError, match="none of 0 pixels"):
        score(metres([[1.0]]), metres([[1.0]], valid=np.array([[False]])))
