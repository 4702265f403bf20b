"""Whether nearer is nearer: the ordinal error."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from leadline.ops.metrics_pair import MeasureOptions, Pair

__all__ = ["draw_pairs", "measure_order"]

Floats = NDArray[np.float64]


def measure_order(pair: Pair, options: MeasureOptions) -> dict[str, float]:
    """The share of drawn pairs whose order the prediction gets wrong, all pairs weighing the same (WHDR).

    Pairs are drawn from the pixels whose truth counts, whatever the prediction, so that every model is asked the same; those
    that the prediction does not know are left out.

    Source: K. Xian et al., "Structure-guided ranking loss for single image depth prediction", CVPR 2020.

    Args:
        pair: Prediction and truth.
        options: Pairs, seed and threshold.

    Returns:
        By the field of ``Scores``; NaN where there is no pair.
    """
    pixels = np.flatnonzero(pair.counts_HW)
    if len(pixels) < 2:
        return {"whdr": math.nan}
    ends = pixels[draw_pairs(len(pixels), options.order_pairs, seed=options.order_seed)]
    ends = ends[:, pair.scored_HW.ravel()[ends].all(axis=0)]
    if not ends.size:
        return {"whdr": math.nan}
    said, true = (
        _order(plane.ravel()[ends].astype(np.float64), options.order_threshold)
        for plane in (pair.p_HW, pair.t_HW)
    )
    return {"whdr": float(np.mean(said != true))}


def draw_pairs(pixels: int, pairs: int, *, seed: int) -> NDArray[np.int64]:
    """Pairs of different pixels, the same on every machine and with every version of numpy.

    Source of the numbers: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).

    Args:
        pixels: How many there are, at least two.
        pairs: Pairs to draw.
        seed: What they are drawn from.

    Returns:
        Shape (2, pairs).

    Example:
        >>> draw_pairs(10, 3, seed=0)
        array([[5, 9, 7],
               [6, 7, 1]])
    """
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.uint64(0x9E3779B97F4A7C15) * np.arange(1, 2 * pairs + 1, dtype=np.uint64)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    first = (z[0::2] % np.uint64(pixels)).astype(np.int64)
    step = 1 + (z[1::2] % np.uint64(pixels - 1)).astype(np.int64)
    return np.stack([first, (first + step) % pixels])


def _order(ends: Floats, threshold: float) -> NDArray[np.int8]:
    """1 where the first end is farther, -1 where the second is, 0 where they are equal within the threshold."""
    first, second = ends
    farther, nearer = first >= (1 + threshold) * second, second >= (1 + threshold) * first
    order: NDArray[np.int8] = farther.astype(np.int8) - nearer.astype(np.int8)
    return order
