"""Tiles that overlap: how a large photo is cut, how a tile is brought to the scale of the whole, and how tiles become one map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadline.core.errors import InputError
from leadline.core.kind import Freedom
from leadline.ops.fit import fit

__all__ = ["Blend", "Fitted", "Tile", "fit_to_whole", "tile_rows"]

_FEWEST_PAIRS = 8
"""Known pixels of the whole that a tile must share with it for a fit to mean anything."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A window of a photo: columns [left, left + width), rows [top, top + height)."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Fitted:
    """What takes a tile's values to those of the whole: scale x value + shift."""

    scale: float
    shift: float


def tile_rows(width: int, height: int, *, side: int) -> list[list[Tile]]:
    """Equal tiles that cover a photo, each over a quarter of its neighbour or more.

    Args:
        width: Columns of the photo.
        height: Rows of the photo.
        side: Longest side of a tile in pixels.

    Returns:
        Rows of tiles, from top to bottom and left to right.

    Example:
        >>> [[tile.left for tile in row] for row in tile_rows(1000, 300, side=400)]
        [[0, 300, 600]]
    """
    lefts, tops = _starts(width, side), _starts(height, side)
    return [[Tile(left, top, min(side, width), min(side, height)) for left in lefts] for top in tops]


def _starts(length: int, side: int) -> list[int]:
    if length <= side:
        return [0]
    count = -(-(length - side) // (side - side // 4)) + 1
    return [round(k * (length - side) / (count - 1)) for k in range(count)]


def fit_to_whole(
    values: NDArray[np.float32],
    tile: Tile,
    whole: NDArray[np.float32],
    *,
    width: int,
    height: int,
    freedom: Freedom,
) -> Fitted | None:
    """The scale, and the shift where one is unknown, between a tile and a small prediction of the whole photo.

    Convention:
        Pixels of the whole that lie in the tile are compared with the tile's mean over each of them. Both are in the model's
        own quantity. The fit is robust: an edge that the small prediction blurs does not pull it.

    Args:
        values: The tile's values, shape (tile.height, tile.width); NaN where unknown.
        tile: Where it is.
        whole: The small prediction, shape (h, w); NaN where unknown.
        width: Columns of the photo.
        height: Rows of the photo.
        freedom: AFFINE fits a scale and a shift, else a scale alone, which leaves positive values positive.

    Returns:
        What was fitted; None where the two share too little, or run in opposite directions, as in a tile of bare wall.
    """
    rows, row_means = _means(whole.shape[0], height, tile.top, tile.height)
    columns, column_means = _means(whole.shape[1], width, tile.left, tile.width)
    known = np.isfinite(values)
    filled = np.where(known, values, np.float32(0))
    share = row_means @ known.astype(np.float32) @ column_means.T
    here = (row_means @ filled @ column_means.T).astype(np.float64)
    there = whole[rows][:, columns].astype(np.float64)
    both = (share > 0.999) & np.isfinite(there)
    if freedom < Freedom.AFFINE:
        both &= (here > 0) & (there > 0)
    if int(both.sum()) < _FEWEST_PAIRS:
        return None
    try:
        scale, shift = fit(here[both], there[both], freedom=max(freedom, Freedom.SCALE), method="robust")
    except InputError:
        return None
    return Fitted(scale, shift) if np.isfinite(scale) and np.isfinite(shift) and scale > 0 else None


def _means(small: int, large: int, start: int, length: int) -> tuple[slice, NDArray[np.float32]]:
    """The small pixels that lie whole in a span of large ones, and the weights of the large ones' mean over each."""
    size = large / small
    first, last = int(np.ceil(start / size - 1e-9)), int(np.floor((start + length) / size + 1e-9))
    edges = np.arange(first, max(first, last) + 1) * size - start
    at = np.arange(length)
    low, high = edges[:-1, None], edges[1:, None]
    overlap = np.minimum(high, at + 1) - np.maximum(low, at)
    return slice(first, max(first, last)), (np.clip(overlap, 0, None) / size).astype(np.float32)


class Blend:
    """One map of many tiles, in which neighbours fade into each other. It holds the map and one row of tiles.

    Convention:
        A tile's weight falls linearly to its edges; the weighted mean is taken of the tiles that know a pixel.

    Args:
        width: Columns of the photo.
        height: Rows of the photo.
    """

    def __init__(self, width: int, height: int) -> None:
        self.values = np.zeros((height, width), np.float32)
        self._weights = np.zeros((0, width), np.float32)
        self._top = 0

    def begin_row(self, top: int, height: int) -> None:
        """Settles the rows above a row of tiles, which no later tile reaches.

        Args:
            top: Its first row.
            height: Its rows.
        """
        self._settle(top)
        kept = self._weights[top - self._top :]
        fresh = np.zeros((height, self.values.shape[1]), np.float32)
        fresh[: len(kept)] = kept
        self._weights, self._top = fresh, top

    def add(self, values: NDArray[np.float32], tile: Tile) -> None:
        """Lays a tile into the row that was begun.

        Args:
            values: Its values at the whole's scale; NaN where unknown.
            tile: Where it is.
        """
        weight = np.outer(_ramp(tile.height), _ramp(tile.width))
        known = np.isfinite(values)
        weight *= known
        span = np.s_[tile.left : tile.left + tile.width]
        rows = slice(tile.top, tile.top + tile.height)
        self.values[rows, span] += np.where(known, values, np.float32(0)) * weight
        self._weights[tile.top - self._top : tile.top - self._top + tile.height, span] += weight

    def done(self) -> NDArray[np.float32]:
        """The map.

        Returns:
            float32, shape (height, width); NaN where no tile knows a pixel.
        """
        self._settle(self.values.shape[0])
        return self.values

    def _settle(self, bottom: int) -> None:
        rows = slice(self._top, min(bottom, self._top + len(self._weights)))
        weights = self._weights[: rows.stop - rows.start]
        with np.errstate(invalid="ignore", divide="ignore"):
            np.divide(self.values[rows], weights, out=self.values[rows])


def _ramp(length: int) -> NDArray[np.float32]:
    """Weights along a side: highest in the middle, never 0, so that a pixel at the photo's edge is known too."""
    at = np.arange(length, dtype=np.float32)
    return (np.minimum(at + 1, length - at) / np.float32((length + 1) / 2)).astype(np.float32)
