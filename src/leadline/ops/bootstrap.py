"""How far a mean over images might be off: the bootstrap, over images or over the scenes they are of."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from leadline.core.errors import InputError

__all__ = ["bootstrap_intervals", "bootstrap_means"]

_BAND = 1 << 21
"""Draws that are in memory at once."""


def bootstrap_means(
    values_NM: NDArray[np.float64],
    *,
    groups_N: NDArray[np.int64] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Means of resamples of the rows, drawn with replacement, all columns from the same draws.

    Where groups are given, whole groups are drawn (the cluster bootstrap), as many as there are: neighbouring frames of
    one room are alike, and drawing them one by one would make the mean look surer than it is. A NaN counts neither in
    its column's sum nor in its number.

    Sources: B. Efron and R. Tibshirani, An Introduction to the Bootstrap (1993), chapters 6 and 13; A. Davison and
    D. Hinkley, Bootstrap Methods and their Application (1997), section 3.8, on groups.

    Args:
        values_NM: A row an image, a column a quantity, float64 (N, M); NaN where it is not defined.
        groups_N: The group of each row, int (N,); each row is its own where None.
        resamples: How many.
        seed: The same seed draws the same rows.

    Returns:
        float64 (resamples, M); NaN where a resample holds no defined value.

    Raises:
        InputError: There is no row, or the groups are not one a row.

    Example:
        >>> means = bootstrap_means(np.array([[1.0], [3.0]]), resamples=1000)
        >>> sorted(set(means[:, 0].tolist()))
        [1.0, 2.0, 3.0]
    """
    groups = _groups(values_NM, groups_N)
    parts = _sums(values_NM, groups)
    count = int(groups.max()) + 1
    random = np.random.default_rng(seed)
    band = max(1, _BAND // count)
    drawn = [
        _means(_weights(random, min(band, resamples - start), count), parts)
        for start in range(0, resamples, band)
    ]
    return np.concatenate(drawn)


def bootstrap_intervals(
    values_NM: NDArray[np.float64],
    *,
    groups_N: NDArray[np.int64] | None = None,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Percentile bootstrap confidence intervals of the columns' means.

    Args:
        values_NM: A row an image, a column a quantity, float64 (N, M); NaN where it is not defined.
        groups_N: The group of each row, int (N,); each row is its own where None.
        level: How often the interval shall hold the true mean.
        resamples: How many resamples.
        seed: The same seed draws the same rows.

    Returns:
        float64 (M, 2), lower and upper ends; NaN where fewer than two groups (or rows) have a value, since one says
        nothing of how much others vary.

    Raises:
        InputError: There is no row, or the groups are not one a row.

    Example:
        >>> bootstrap_intervals(np.full((5, 1), 2.0)).tolist()
        [[2.0, 2.0]]
    """
    groups = _groups(values_NM, groups_N)
    means = bootstrap_means(values_NM, groups_N=groups, resamples=resamples, seed=seed)
    outside = 50 * (1 - level)
    ends = np.full((values_NM.shape[1], 2), math.nan)
    for column, values in enumerate(means.T):
        if len(np.unique(groups[~np.isnan(values_NM[:, column])])) >= 2:
            ends[column] = _percentiles(values[~np.isnan(values)], (outside, 100 - outside))
    return ends


def _percentiles(values: NDArray[np.float64], shares: tuple[float, float]) -> NDArray[np.float64]:
    if bool(np.isfinite(values).all()):
        return np.percentile(values, shares)
    return np.percentile(
        values, shares, method="inverted_cdf"
    )  # between infinite values nothing can be blended


def _groups(values_NM: NDArray[np.float64], groups_N: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Groups numbered from 0 without gaps."""
    if values_NM.ndim != 2 or len(values_NM) == 0:
        raise InputError(
            f"an array of shape {values_NM.shape} has no rows to draw from",
            hint="give (N, M) with N at least 1",
        )
    if groups_N is None:
        return np.arange(len(values_NM))
    if groups_N.shape != (len(values_NM),):
        raise InputError(
            f"groups of shape {groups_N.shape} are not one for each of {len(values_NM)} rows",
            hint="give one whole number a row",
        )
    return np.unique(groups_N, return_inverse=True)[1].astype(np.int64)


def _sums(values_NM: NDArray[np.float64], groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """By group and column: the sum of finite values, how many are defined, how many are +inf, how many -inf; (4, G, M)."""
    finite = np.isfinite(values_NM)
    layers = (
        np.where(finite, values_NM, 0.0),
        ~np.isnan(values_NM),
        values_NM == np.inf,
        values_NM == -np.inf,
    )
    parts = np.zeros((len(layers), int(groups.max()) + 1, values_NM.shape[1]))
    for part, layer in zip(parts, layers, strict=True):
        np.add.at(part, groups, layer.astype(np.float64))
    return parts


def _weights(random: np.random.Generator, resamples: int, count: int) -> NDArray[np.float64]:
    """How often each group is drawn in each resample, (resamples, count)."""
    drawn = random.integers(0, count, (resamples, count), dtype=np.int64)
    drawn += np.arange(resamples)[:, None] * count
    return (
        np.bincount(drawn.ravel(), minlength=resamples * count).reshape(resamples, count).astype(np.float64)
    )


def _means(weights: NDArray[np.float64], parts: NDArray[np.float64]) -> NDArray[np.float64]:
    total, count, up, down = (weights @ part for part in parts)
    mean: NDArray[np.float64] = np.full_like(total, math.nan)
    np.divide(total, count, out=mean, where=count > 0)
    mean[up > 0] = math.inf
    mean[down > 0] = -math.inf
    mean[(up > 0) & (down > 0)] = math.nan
    return mean
