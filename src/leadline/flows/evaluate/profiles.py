"""Where the errors of one image are: against depth, and against the place in the image."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.kind import Freedom
from leadline.flows.evaluate.protocol import Protocol
from leadline.flows.evaluate.records import Profile
from leadline.ops.geometry import to_depth

__all__ = ["BINS", "CELLS", "profile_of"]

BINS = 10
"""Bins of depth, from 0 to the protocol's data range; the last takes what is beyond."""

CELLS = (6, 8)
"""Rows and columns of cells of the image."""


def profile_of(prediction: DepthMap, depth: DepthMap, truth: DepthMap, protocol: Protocol) -> Profile:
    """Sums of the relative error over bins of depth and cells of the image.

    Args:
        prediction: What the model said.
        depth: What is scored: the same in metres, clipped.
        truth: What is so, valid only where it counts.
        protocol: Its limits and its data range.

    Returns:
        The profile.
    """
    both = truth.valid & depth.valid
    where = np.flatnonzero(both)
    true = truth.values.ravel()[where].astype(np.float64)
    said = depth.values.ravel()[where].astype(np.float64)
    relative = np.abs(said - true) / true
    bins = np.minimum(true * (BINS / protocol.data_range_m), BINS - 1).astype(np.int8)
    cells = _cells(truth.height, truth.width)[where]
    return Profile(
        np.linspace(0.0, protocol.data_range_m, BINS + 1),
        np.bincount(bins, relative, BINS).astype(np.float64),
        np.bincount(bins, minlength=BINS).astype(np.int64),
        np.bincount(cells, relative, CELLS[0] * CELLS[1]).astype(np.float64).reshape(CELLS),
        np.bincount(cells, minlength=CELLS[0] * CELLS[1]).astype(np.int64).reshape(CELLS),
        _scale(prediction, truth),
    )


@lru_cache(maxsize=8)
def _cells(height: int, width: int) -> NDArray[np.int8]:
    """The cell of every pixel of an image of this size."""
    rows = np.arange(height) * CELLS[0] // height
    columns = np.arange(width) * CELLS[1] // width
    return (rows[:, None] * CELLS[1] + columns).astype(np.int8).ravel()


def _scale(prediction: DepthMap, truth: DepthMap) -> float:
    """Median of truth / prediction; NaN where the prediction's scale means nothing."""
    if prediction.kind.freedom is Freedom.AFFINE:
        return float("nan")
    depth = to_depth(prediction)
    both = truth.valid & depth.valid
    return float(np.median(truth.values[both] / depth.values[both]))
