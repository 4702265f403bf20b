"""Whether depth jumps where it should: precision and recall of occluding edges."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from leadline.ops.metrics_pair import Pair

__all__ = ["measure_boundary"]

Floats = NDArray[np.float64]
_THRESHOLDS = np.linspace(1.05, 1.25, 10)
_WEIGHTS = _THRESHOLDS / _THRESHOLDS.sum()


def measure_boundary(pair: Pair) -> dict[str, float]:
    """Precision, recall and F1 of the edges between a pixel and its four neighbours, as Depth Pro defines them.

    There is an edge where the neighbour is more than t times as far. For each of ten t from 1.05 to 1.25, precision and
    recall are means over the four directions (0 where a direction has no edge) and F1 is their harmonic mean; each is then
    averaged over t, weighted by t. Only neighbours that are both scored are looked at.

    Source: A. Bochkovskii et al., "Depth Pro: Sharp monocular metric depth in less than a second", ICLR 2025.

    Args:
        pair: Prediction and truth.

    Returns:
        By the fields of ``Scores``; NaN where the truth has no edge at all.
    """
    found = np.array([_edges(p, t) for p, t in _neighbours(pair)])  # (direction, 3, threshold)
    said, true, shared = found.swapaxes(0, 1).astype(np.float64)
    if not true.any():
        return dict.fromkeys(("boundary_precision", "boundary_recall", "boundary_f1"), math.nan)
    precision = (shared / np.maximum(said, 1)).mean(axis=0)
    recall = (shared / np.maximum(true, 1)).mean(axis=0)
    both = precision + recall
    f1 = np.divide(2 * precision * recall, both, out=np.zeros_like(both), where=both > 0)
    return {
        "boundary_precision": float(_WEIGHTS @ precision),
        "boundary_recall": float(_WEIGHTS @ recall),
        "boundary_f1": float(_WEIGHTS @ f1),
    }


def _neighbours(pair: Pair) -> Iterator[tuple[Floats, Floats]]:
    """Ratio of the neighbour's depth to the pixel's, predicted and true, to the right, left, bottom and top."""
    for one, other in (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:-1, :], np.s_[1:, :]),
    ):
        known = pair.scored_HW[one] & pair.scored_HW[other]
        near_p, far_p, near_t, far_t = (
            plane[part][known].astype(np.float64) for plane in (pair.p_HW, pair.t_HW) for part in (one, other)
        )
        yield far_p / near_p, far_t / near_t
        yield near_p / far_p, near_t / far_t


def _edges(p: Floats, t: Floats) -> NDArray[np.int64]:
    """Number of edges at every threshold: predicted, true, and both; shape (3, thresholds)."""
    edge = np.maximum(p, t) > _THRESHOLDS[0]
    said, true = (np.searchsorted(_THRESHOLDS, ratio[edge]) for ratio in (p, t))
    return np.array([_above(levels) for levels in (said, true, np.minimum(said, true))])


def _above(levels: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many exceed each threshold, from the number of thresholds that each exceeds."""
    counts = np.bincount(levels, minlength=len(_THRESHOLDS) + 1)
    return np.cumsum(counts[::-1])[::-1][1:]
