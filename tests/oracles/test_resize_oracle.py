"""Mask-aware resizing against a slow formula, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from leadline.core.depth_map import DepthMap
from leadline.core.kind import Kind, Quantity
from leadline.ops.resize import resize


def triangle(target: int, source: int, at: int) -> np.ndarray:
    """Weights of the source pixels for one target pixel: a triangle as wide as two target pixels, at least two source's."""
    scale = source / target
    width = max(scale, 1.0)
    away = np.arange(source) + 0.5 - (at + 0.5) * scale
    weights = np.maximum(0, 1 - np.abs(away) / width)
    return weights / weights.sum()


def centre_pixels(target: int, source: int, at: int) -> list[int]:
    """The source pixels that the centre of a target pixel lies in or on the border of."""
    position = (at + 0.5) * source / target
    return [j for j in range(source) if j - 1e-9 <= position <= j + 1 + 1e-9]


@pytest.mark.parametrize("kind", [Kind(), Kind(Quantity.INVERSE)])
@pytest.mark.parametrize("size", [(5, 4), (9, 11), (7, 8), (14, 16), (1, 1), (3, 8)])
def test_values_are_weighted_means_of_known_neighbours(kind: Kind, size: tuple[int, int]) -> None:
    rng = np.random.default_rng(7)
    values = rng.uniform(0.5, 9, (8, 7))
    state = rng.choice([0, 1, 1, 2], values.shape)
    depth = DepthMap(values, kind, state == 1, state == 2)
    found = resize(depth, width=size[0], height=size[1])
    linear = 1 / values if kind.quantity is Quantity.DEPTH else values
    for row in range(size[1]):
        for column in range(size[0]):
            under = [
                state[r, c] for r in centre_pixels(size[1], 8, row) for c in centre_pixels(size[0], 7, column)
            ]
            assert found.valid[row, column] == (1 in under)
            assert found.infinite[row, column] == (1 not in under and 2 in under)
            if 1 in under:
                weight = np.outer(triangle(size[1], 8, row), triangle(size[0], 7, column)) * (state == 1)
                mean = (weight * linear).sum() / weight.sum()
                expected = 1 / mean if kind.quantity is Quantity.DEPTH else mean
                assert found.values[row, column] == pytest.approx(expected, rel=1e-5)
