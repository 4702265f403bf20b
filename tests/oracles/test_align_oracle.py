"""Alignment against scipy and numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import least_squares, lsq_linear

from leadline.core.depth_map import DepthMap
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.ops.align import align
from leadline.ops.fit import BISQUARE, MAD_TO_SIGMA

SEEDS = range(5)


def noisy(seed: int, quantity: Quantity, outliers: float = 0.0) -> tuple[DepthMap, DepthMap, Any, Any]:
    rng = np.random.default_rng(seed)
    truth = DepthMap(rng.uniform(0.7, 9.0, (24, 32)), Kind())
    there = truth.values if quantity is Quantity.DEPTH else 1 / truth.values
    there = there.astype(np.float64)
    here = (there + rng.normal(0, 0.02, there.shape) - rng.uniform(-0.4, 0.4)) / rng.uniform(0.1, 5)
    wrong = rng.random(here.shape) < outliers
    here = np.where(wrong, rng.uniform(here.min(), 4 * here.max(), here.shape), here).astype(np.float32)
    valid = rng.random(here.shape) < 0.9
    prediction = DepthMap(here, Kind(quantity, Freedom.AFFINE), valid)
    return prediction, truth, here[valid].astype(np.float64), there[valid]


@pytest.mark.parametrize("quantity", list(Quantity))
@pytest.mark.parametrize("seed", SEEDS)
def test_scale_and_shift_are_the_least_squares_ones(seed: int, quantity: Quantity) -> None:
    prediction, truth, here, there = noisy(seed, quantity)
    found = align(prediction, truth)
    oracle = lsq_linear(np.stack([here, np.ones_like(here)], axis=1), there)
    assert (found.scale, found.shift) == pytest.approx(tuple(oracle.x), rel=1e-5)
    assert found.residual == pytest.approx(np.sqrt(2 * oracle.cost / len(here)), rel=1e-5)
    assert found.n_pixels == len(here)


@pytest.mark.parametrize("quantity", list(Quantity))
@pytest.mark.parametrize("seed", SEEDS)
def test_a_scale_alone_is_the_least_squares_one(seed: int, quantity: Quantity) -> None:
    rng = np.random.default_rng(seed)
    truth = DepthMap(rng.uniform(0.7, 9.0, (24, 32)), Kind())
    prediction = DepthMap(truth.values * rng.uniform(2, 3, truth.shape), Kind(freedom=Freedom.SCALE))
    here, there = (
        (m.values if quantity is Quantity.DEPTH else 1 / m.values).ravel() for m in (prediction, truth)
    )
    found = align(prediction, truth, space=quantity)
    oracle = least_squares(lambda s: s[0] * here - there, [1.0], xtol=1e-14, ftol=1e-14, gtol=1e-14)
    assert found.scale == pytest.approx(float(oracle.x[0]), rel=1e-6)
    median = align(prediction, truth, space=quantity, method="robust")
    assert median.scale == pytest.approx(float(np.median(there / here)), rel=1e-6)


def bisquare(z: Any) -> Any:
    """Tukey's loss of z = (e / bend)², as scipy wants it: the value and its first two derivatives."""
    inside = z < 1
    rest = np.where(inside, 1 - z, 0.0)
    return np.stack([(1 - rest**3) / 3, rest**2, np.where(inside, -2 * rest, 0.0)])


@pytest.mark.parametrize("outliers", [0.0, 0.2, 0.35])
@pytest.mark.parametrize("quantity", list(Quantity))
@pytest.mark.parametrize("seed", SEEDS)
def test_the_robust_line_minimises_tukeys_loss(seed: int, quantity: Quantity, outliers: float) -> None:
    prediction, truth, here, there = noisy(seed, quantity, outliers)
    found = align(prediction, truth, method="robust")
    error = np.abs(found.scale * here + found.shift - there)
    bend = BISQUARE * MAD_TO_SIGMA * float(np.median(error))
    start = [1.02 * found.scale, found.shift + 0.1 * bend]
    oracle = least_squares(
        lambda x: x[0] * here + x[1] - there,
        start,
        loss=bisquare,
        f_scale=bend,
        x_scale=[np.abs(here).mean() ** -1, 1.0],
        xtol=1e-14,
        ftol=1e-14,
        gtol=1e-14,
    )
    assert (found.scale, found.shift) == pytest.approx(tuple(oracle.x), rel=1e-4, abs=1e-5)
    assert found.residual == pytest.approx(np.sqrt(np.mean(error**2)))
