"""Structural similarity with holes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadline.ops.metrics_pair import MeasureOptions, Pair

__all__ = ["measure_structure", "ssim"]

Floats = NDArray[np.float64]
_K1, _K2 = 0.01, 0.03
_SIGMA, _REACH = 1.5, 5
_STRIP = 48


@dataclass(frozen=True, slots=True)
class _Window:
    """Pixels a side, the sum of all weights, what makes a variance a sample's, and the weighted sums of its rows."""

    size: int
    weight: float
    sample: float
    smooth: Callable[[Floats], Floats]


def measure_structure(pair: Pair, options: MeasureOptions) -> dict[str, float]:
    """SSIM of a pair.

    Args:
        pair: Prediction and truth.
        options: Data range and window.

    Returns:
        By the field of ``Scores``; NaN where no window is free of unscored pixels.
    """
    return {
        "ssim": ssim(
            pair.p_HW,
            pair.t_HW,
            counts_HW=pair.scored_HW,
            data_range=options.data_range_m or math.nan,
            window=options.ssim_window,
        )
    }


def ssim(
    p_HW: NDArray[np.float32],
    t_HW: NDArray[np.float32],
    *,
    counts_HW: NDArray[np.bool_],
    data_range: float,
    window: str = "uniform",
) -> float:
    """Mean structural similarity over the windows that lie inside the picture and touch no pixel that does not count.

    Without holes it is scikit-image's ``structural_similarity`` with its defaults (7x7 uniform, sample covariance), or with
    ``gaussian_weights=True, sigma=1.5, use_sample_covariance=False``, as in the paper.

    Source: Z. Wang et al., "Image quality assessment: from error visibility to structural similarity", TIP 2004.

    Args:
        p_HW: One picture.
        t_HW: The other.
        counts_HW: Pixels that count.
        data_range: From the smallest to the largest value there may be.
        window: ``"uniform"`` or ``"gaussian"``.

    Returns:
        1 where the two are alike; NaN where there is no such window.

    Example:
        >>> picture = np.arange(64, dtype=np.float32).reshape(8, 8)
        >>> ssim(picture, picture, counts_HW=np.ones((8, 8), bool), data_range=64.0)
        1.0
    """
    chosen = _WINDOWS[window]
    if min(p_HW.shape) < chosen.size or not counts_HW.any():
        return math.nan
    whole = bool(counts_HW.all())
    # Variances do not see a shift; taken about a middle, little cancels in them.
    centre = float(t_HW[counts_HW].mean(dtype=np.float64))
    total, count = 0.0, 0
    for rows in _strips(p_HW.shape[0], chosen.size):
        counts = counts_HW[rows]
        x, y = (_centred(plane[rows], counts, centre, whole=whole) for plane in (p_HW, t_HW))
        similar = _similarity(x, y, centre, chosen, data_range)
        if not whole:
            free = _free(counts, chosen.size)
            similar *= free
            count += int(np.count_nonzero(free))
        else:
            count += similar.size
        total += float(similar.sum())
    return 2 * total / count if count else math.nan


def _strips(height: int, window: int) -> Iterator[slice]:
    """Rows of strips that stay in a core's own cache; each overlaps the next so that every window is in one of them."""
    for first in range(0, height - window + 1, _STRIP):
        yield slice(first, min(height, first + _STRIP + window - 1))


def _centred(plane: NDArray[np.float32], counts: NDArray[np.bool_], centre: float, *, whole: bool) -> Floats:
    shifted = plane.astype(np.float64)
    shifted -= centre
    if not whole:
        shifted[~counts] = 0.0
    return shifted


def _similarity(x: Floats, y: Floats, centre: float, window: _Window, data_range: float) -> Floats:
    """Half the SSIM of every window, with what all windows share cancelled from numerator and denominator.

    SSIM = (2 ux uy + c1) (2 vxy + c2) / ((ux² + uy² + c1) (vx + vy + c2)), with variances from sums of products.
    """
    n = window.weight
    c1, c2 = (_K1 * data_range) ** 2, (_K2 * data_range) ** 2 * n / window.sample / 2
    shared, power = x * y, x * x
    power += y * y
    ux, uy, shared, power = (_both_ways(plane, window.smooth) for plane in (x, y, shared, power))
    ux *= 1 / n
    uy *= 1 / n
    shared -= n * (ux * uy)
    power -= n * (ux * ux + uy * uy)
    ux += centre
    uy += centre
    shared += c2
    power += 2 * c2
    shared *= 2 * (ux * uy) + c1
    power *= ux * ux + uy * uy + c1
    shared /= power
    return shared


def _both_ways(plane: Floats, smooth: Callable[[Floats], Floats]) -> Floats:
    """Weighted sum of every window that lies inside."""
    return smooth(smooth(plane).T).T


def _free(counts: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    """Windows in which every pixel counts."""
    for _ in range(2):
        kept = len(counts) - size + 1
        every = counts[:kept].copy()
        for k in range(1, size):
            every &= counts[k : k + kept]
        counts = every.T
    return counts


def _seven(plane: Floats) -> Floats:
    """Sum of every seven rows, as 1 + 2 + 4: pairs, and pairs of pairs."""
    kept = len(plane) - 6
    two = plane[:-1] + plane[1:]
    total: Floats = two[:kept] + two[2 : kept + 2]
    total += two[4 : kept + 4]
    total += plane[6:]
    return total


def _bell(plane: Floats) -> Floats:
    """Mean of every eleven rows under a Gaussian of σ = 1.5."""
    kept = len(plane) - 2 * _REACH
    weights = np.exp(-0.5 * (np.arange(-_REACH, 1) / _SIGMA) ** 2)
    weights /= 2 * weights.sum() - 1
    total: Floats = plane[_REACH : _REACH + kept] * weights[_REACH]
    for k in range(_REACH):
        total += weights[k] * (plane[k : k + kept] + plane[2 * _REACH - k : 2 * _REACH - k + kept])
    return total


_WINDOWS = {
    "uniform": _Window(7, 49.0, 49 / 48, _seven),
    "gaussian": _Window(2 * _REACH + 1, 1.0, 1.0, _bell),
}
