from __future__ import annotations

import numpy as np
import pytest

from leadline.core.depth_map import DepthMap
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.ops.thumbnail import thumbnail


def test_values_are_taken_and_never_blended() -> None:
    metres = np.arange(1, 49, dtype=np.float32).reshape(6, 8)
    small = thumbnail(DepthMap(metres, Kind()), width=4, height=2)
    assert small.values.tolist() == metres[np.ix_([1, 4], [1, 3, 5, 7])].tolist()


def test_masks_go_with_their_pixels() -> None:
    metres = np.ones((4, 4))
    metres[:2], metres[2:, :2] = np.inf, 0.0
    small = thumbnail(DepthMap(metres, Kind()), width=2, height=2)
    assert small.infinite.tolist() == [[True, True], [False, False]]
    assert small.valid.tolist() == [[False, False], [False, True]]


@pytest.mark.parametrize("kind", [Kind(), Kind(Quantity.INVERSE, Freedom.AFFINE)])
def test_single_points_stay_visible(kind: Kind) -> None:
    known = np.zeros((90, 120), bool)
    known[7::20, 11::20] = True
    values = np.where(known, np.arange(90 * 120).reshape(90, 120) + 1.0, np.nan)
    small = thumbnail(DepthMap(values, kind, known), width=12, height=9)
    assert small.valid.sum() == known.sum()
    assert sorted(small.values[small.valid]) == sorted(values[known])


def test_a_small_map_becomes_larger_without_holes() -> None:
    points = np.zeros((2, 2))
    points[0, 1] = 3.0
    small = thumbnail(DepthMap(points, Kind()), width=8, height=4)
    assert np.array_equal(
        small.valid, np.arange(8)[None] // 4 * np.ones((4, 1)) * (np.arange(4)[:, None] < 2) > 0
    )
