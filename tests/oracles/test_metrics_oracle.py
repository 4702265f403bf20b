"""Per-pixel metrics against the papers' formulas in extended precision, and against scikit-image."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio

from leadline.core.depth_map import DepthMap
from leadline.core.kind import Kind
from leadline.ops.metrics import METRICS, Family, MeasureOptions, Scores, measure

PIXELS = [name for name, metric in METRICS.items() if metric.family is Family.PIXELS]
RANGE_M = 10.0
Long = np.longdouble


def formulas(p: np.ndarray, g: np.ndarray) -> dict[str, Long]:
    """Each metric as its source writes it, one by one, of the pixels that are left."""
    p, g = p.astype(Long), g.astype(Long)
    d = np.log(p) - np.log(g)
    mean_d, mean_d2 = np.mean(d), np.mean((d - np.mean(d)) ** 2) + np.mean(d) ** 2
    variance = np.mean((d - np.mean(d)) ** 2)
    worse = np.maximum(p / g, g / p)
    mse = np.mean((p - g) ** 2)
    with np.errstate(divide="ignore"):
        return {
            "abs_rel": np.mean(np.abs(p - g) / g),
            "sq_rel": np.mean((p - g) ** 2 / g),
            "sq_rel_squared": np.mean(((p - g) / g) ** 2),
            "rmse": np.sqrt(mse),
            "mae": np.mean(np.abs(p - g)),
            "rmse_log": np.sqrt(mean_d2),
            "log10": np.mean(np.abs(np.log10(p) - np.log10(g))),
            "silog": np.sqrt(variance),
            "silog_100": 100 * np.sqrt(variance),
            "silog_085": 10 * np.sqrt(variance + Long(15) / 100 * mean_d**2),
            "silog_050": variance + mean_d**2 / 2,
            "irmse": np.sqrt(np.mean((1 / (p / 1000) - 1 / (g / 1000)) ** 2)),
            "imae": np.mean(np.abs(1 / (p / 1000) - 1 / (g / 1000))),
            "delta1": np.mean(worse < 1.25),
            "delta2": np.mean(worse < 1.25**2),
            "delta3": np.mean(worse < 1.25**3),
            "psnr": 10 * np.log10(Long(RANGE_M) ** 2 / mse),
        }


def agree(prediction: np.ndarray, truth: np.ndarray, **rules: tuple[float, float]) -> Scores:
    """Measures a pair, holds all against the formulas, and gives the scores."""
    p, g = prediction.astype(np.float32), truth.astype(np.float32)
    found = measure(
        DepthMap(p, Kind()), DepthMap(g, Kind()), names=PIXELS, options=MeasureOptions(RANGE_M), **rules
    )
    with np.errstate(invalid="ignore"):
        counts = np.isfinite(g) & (g > 0)
        if "limits_m" in rules:
            counts &= (g > rules["limits_m"][0]) & (g < rules["limits_m"][1])
        scored = counts & np.isfinite(p) & (p > 0)
    left = p[scored]
    if "clamp_m" in rules:
        left = np.minimum(np.maximum(left, np.float32(rules["clamp_m"][0])), np.float32(rules["clamp_m"][1]))
    assert (found.pixels, found.known) == (scored.sum(), counts.sum())
    assert found.coverage == pytest.approx(scored.sum() / counts.sum())
    for name, value in formulas(left, g[scored]).items():
        # Where the logarithm does not vary at all, what is left of it is rounding, far below any depth's own precision.
        assert getattr(found, name) == pytest.approx(float(value), rel=1e-6, abs=1e-13), name
    return found


def _room(shape: tuple[int, int], seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.4, 9.5, shape).astype(np.float32)


def _holed() -> tuple[np.ndarray, np.ndarray]:
    p, g = _room((40, 50)), _room((40, 50), 4)
    for plane, shift in ((p, 0), (g, 3)):
        for k, hole in enumerate((np.nan, 0.0, np.inf, -1.0, -np.inf)):
            plane[shift + k :: 7, k::5] = hole
    return p, g


def _one_pixel() -> tuple[np.ndarray, np.ndarray]:
    p, g = _room((9, 11)), np.full((9, 11), np.nan, np.float32)
    g[4, 7] = 2.5
    return p, g


def _far_and_wide() -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(5).uniform(-30, 30, (2, 37, 53))
    p, g = (10**draw).astype(np.float32)
    return p, g


ODD: dict[str, Callable[[], tuple[np.ndarray, np.ndarray]]] = {
    "holes, zeros, infinities and NaN": _holed,
    "one valid pixel": _one_pixel,
    "constant and equal": lambda: (np.full((6, 7), 3.0), np.full((6, 7), 3.0)),
    "constant and different": lambda: (np.full((6, 7), 3.0), np.full((6, 7), 2.0)),
    "constant prediction": lambda: (np.full((64, 48), 2.5), _room((64, 48))),
    "constant truth": lambda: (_room((64, 48)), np.full((64, 48), 2.5)),
    "a factor and float32's rounding": lambda: (_room((64, 48)) * np.float32(1.1), _room((64, 48))),
    "neighbouring floats": lambda: (np.nextafter(_room((33, 31)), np.float32(100)), _room((33, 31))),
    "sixty powers of ten": _far_and_wide,
    "smallest and largest floats": lambda: (np.array([[1e-45, 3e38, 1.0]]), np.array([[3e38, 1e-45, 1.0]])),
    "ratios on the thresholds": lambda: (
        np.array([[5.0, 4.0, 25.0, 16.0, 125.0, 64.0]]),
        np.array([[4.0, 5.0, 16.0, 25.0, 64.0, 125.0]]),
    ),
    "one pixel": lambda: (np.array([[1.5]]), np.array([[1.2]])),
    "one row": lambda: (_room((1, 9601)), _room((1, 9601), 4)),
    "several blocks and a rest": lambda: (_room((211, 173)), _room((211, 173), 4)),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ODD)
def test_odd_pairs_agree_with_the_formulas(name: str) -> None:
    agree(*ODD[name]())


def test_limits_and_clamp_are_those_of_the_formulas() -> None:
    p, g = 3 * _room((40, 50)), 2 * _room((40, 50), 4)
    plain = agree(p, g)
    capped = agree(p, g, limits_m=(1e-3, 10.0))
    both = agree(p, g, limits_m=(1e-3, 10.0), clamp_m=(1e-3, 10.0))
    assert plain.known > capped.known == both.known
    assert capped.rmse > both.rmse


def test_real_pairs_agree_with_the_formulas_and_with_scikit_image(
    real_pairs: dict[str, tuple[DepthMap, DepthMap]],
) -> None:
    for p, g in real_pairs.values():
        found = agree(p.values, g.values)
        both = p.valid & g.valid
        flat_p, flat_g = p.values[both].astype(np.float64), g.values[both].astype(np.float64)
        mse = mean_squared_error(flat_g, flat_p)
        assert found.rmse == pytest.approx(np.sqrt(mse), rel=1e-6)
        assert found.psnr == pytest.approx(
            peak_signal_noise_ratio(flat_g, flat_p, data_range=RANGE_M), rel=1e-6
        )
        agree(p.values, g.values, limits_m=(1e-3, 3.0), clamp_m=(1e-3, 3.0))
