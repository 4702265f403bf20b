"""Where the errors of one image are: against depth, and against the place in the image."""

from __future__ import annotations

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
        depth: What is scored: the same in metres.
        truth: What is so, valid only where it counts.
        protocol: Its limits and its data range.

    Returns:
        The profile.
    """
    both = truth.valid & depth.valid
    where = np.flatnonzero(both).astype(np.int64, copy=False)
    true = truth.values.ravel()[where].astype(np.float64)
    said = depth.values.ravel()[where].astype(np.float64)
    if protocol.clamp:
        said = np.clip(said, protocol.near_m, protocol.far_m)
    relative = np.abs(said - true) / true
    bins = np.minimum((true * (BINS / protocol.data_range_m)).astype(np.int64), BINS - 1)
    cells = _cells(where, truth.height, truth.width)
    return Profile(
        np.linspace(0.0, protocol.data_range_m, BINS + 1),
        np.bincount(bins, relative, BINS).astype(np.float64),
        np.bincount(bins, minlength=BINS).astype(np.int64),
        np.bincount(cells, relative, CELLS[0] * CELLS[1]).astype(np.float64).reshape(CELLS),
        np.bincount(cells, minlength=CELLS[0] * CELLS[1]).astype(np.int64).reshape(CELLS),
        _scale(prediction, truth),
    )


def _cells(where: NDArray[np.int64], height: int, width: int) -> NDArray[np.int64]:
    rows, columns = np.divmod(where, width)
    cells: NDArray[np.int64] = (rows * CELLS[0] // height) * CELLS[1] + columns * CELLS[1] // width
    return cells


def _scale(prediction: DepthMap, truth: DepthMap) -> float:
    """Median of truth / prediction; NaN where the prediction's scale means nothing."""
    if prediction.kind.freedom is Freedom.AFFINE:
        return float("nan")
    depth = to_depth(prediction)
    both = truth.valid & depth.valid
    return float(np.median(truth.values[both] / depth.values[both]))
