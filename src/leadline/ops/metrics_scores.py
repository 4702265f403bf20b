"""The scores of one image, or of many together."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadline.core.errors import InputError
from leadline.ops.metrics_table import METRICS, Pooling

__all__ = ["Scores", "log_figures", "pool"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The errors of one image over the pixels that are scored; ``METRICS`` says what each of them is.

    Convention:
        NaN where a metric was not asked for, or is not defined here: no window without a hole, no camera, no boundary.

    Args:
        abs_rel: See ``METRICS["abs_rel"]``, and so on for every metric.
        pixels: Number of pixels scored.
        known: Number of pixels whose truth counts.
        coverage: pixels / known; the rest has no prediction and is not scored.
        log_mean: mean ln (prediction / truth): how much too far all is, as a logarithm. Comes with the SILog metrics.
        log_spread: Standard deviation of the same. Comes with the SILog metrics.
    """

    pixels: int
    known: int
    coverage: float
    abs_rel: float = math.nan
    sq_rel: float = math.nan
    sq_rel_squared: float = math.nan
    rmse: float = math.nan
    mae: float = math.nan
    rmse_log: float = math.nan
    log10: float = math.nan
    silog: float = math.nan
    silog_100: float = math.nan
    silog_085: float = math.nan
    silog_050: float = math.nan
    irmse: float = math.nan
    imae: float = math.nan
    delta1: float = math.nan
    delta2: float = math.nan
    delta3: float = math.nan
    psnr: float = math.nan
    ssim: float = math.nan
    whdr: float = math.nan
    boundary_precision: float = math.nan
    boundary_recall: float = math.nan
    boundary_f1: float = math.nan
    normal_mean: float = math.nan
    normal_median: float = math.nan
    normal_11: float = math.nan
    normal_22: float = math.nan
    normal_30: float = math.nan
    chamfer: float = math.nan
    cloud_precision: float = math.nan
    cloud_recall: float = math.nan
    cloud_f: float = math.nan
    log_mean: float = math.nan
    log_spread: float = math.nan


def pool(scores: Sequence[Scores]) -> Scores:
    """The scores of all pixels of several images together, as if they were one image.

    Exact: every metric is put together from sums over the pixels that its value and the number of pixels give back. This
    is not the mean over the images, in which an image with few known pixels weighs as much as any other.

    Args:
        scores: One entry an image, all measured in the same way.

    Returns:
        The pooled scores; NaN where a metric cannot be pooled, or where one of the images does not have it.

    Raises:
        InputError: There is no image.

    Example:
        >>> near, far = (Scores(pixels=n, known=n, coverage=1.0, rmse=e) for n, e in ((1, 3.0), (3, 1.0)))
        >>> round(pool([near, far]).rmse ** 2, 6)
        3.0
    """
    if not scores:
        raise InputError("there are no scores to pool", hint="score at least one image")
    weights = np.array([float(one.pixels) for one in scores])
    weights /= weights.sum()
    pixels, known = sum(one.pixels for one in scores), sum(one.known for one in scores)
    mean, spread = _moments(_column(scores, "log_mean"), _column(scores, "log_spread"), weights)
    figures = {
        name: _POOLED[metric.pooling](_column(scores, name), weights)
        for name, metric in METRICS.items()
        if metric.pooling in _POOLED
    }
    asked = [name for name, metric in METRICS.items() if metric.pooling is Pooling.LOG]
    asked = [name for name in asked if not np.isnan(_column(scores, name)).any()]
    figures |= log_figures(mean, spread, names=asked)
    return Scores(
        pixels=pixels, known=known, coverage=pixels / known, log_mean=mean, log_spread=spread, **figures
    )


def log_figures(mean: float, spread: float, *, names: Sequence[str]) -> dict[str, float]:
    """The SILog metrics from mean and standard deviation of the logarithm, without cancellation.

    mean d² - λ (mean d)² = spread² + (1 - λ) (mean d)².

    Args:
        mean: mean d.
        spread: Standard deviation of d.
        names: Those wanted.

    Returns:
        By name.
    """
    figures = {
        "silog": spread,
        "silog_100": 100 * spread,
        "silog_085": 10 * math.sqrt(spread**2 + 0.15 * mean**2),
        "silog_050": spread**2 + 0.5 * mean**2,
    }
    return {name: figures[name] for name in names}


def _column(scores: Sequence[Scores], name: str) -> Floats:
    return np.array([getattr(one, name) for one in scores], np.float64)


def _moments(means: Floats, spreads: Floats, weights: Floats) -> tuple[float, float]:
    """Mean and standard deviation of several groups together (Chan, Golub and LeVeque, 1979)."""
    mean = float(weights @ means)
    return mean, math.sqrt(float(weights @ (spreads**2 + (means - mean) ** 2)))


def _decibel(values: Floats, weights: Floats) -> float:
    relative = float(weights @ 10 ** (-values / 10))
    return math.inf if relative == 0 else -10 * math.log10(relative)


_POOLED: dict[Pooling, Callable[[Floats, Floats], float]] = {
    Pooling.MEAN: lambda values, weights: float(weights @ values),
    Pooling.ROOT: lambda values, weights: math.sqrt(float(weights @ values**2)),
    Pooling.DECIBEL: _decibel,
}
