"""What a chain of transforms did to the pixels: found by sending every pixel's own coordinates through it.

The coordinates go through the chain as a mask of three channels (column, row, mark), sampled linearly, so that they
come out as the exact place of the source that each pixel of the result shows. Where that is an affine map of the pixel,
as for every flip, crop, resize and rotation, it is fitted; else the places themselves are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MARK", "TOLERANCE_PX", "Shown", "coordinates", "shown_by"]

MARK = np.float32(0.625)
"""Third channel of a pixel that came from the source; what a transform fills in has another."""

TOLERANCE_PX = 0.25
"""How far a pixel may lie from where the affine map has it."""

_STRAY_PX = 0.75
"""Beyond this a pixel shows something else: a copy in a reflected border."""

_REACHES_PX = (4.0, 1.0, TOLERANCE_PX, 0.05, 0.02)
"""How near a pixel must lie to count in each round of the fit; the last leaves out those at the edge of a resized crop."""

_FEW = 16
"""Fewer pixels than this fix no map."""


_Planes = tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]]]


@dataclass(frozen=True, eq=False, slots=True)
class Shown:
    """Which part of the source each pixel of the result shows.

    Convention:
        (u, v) = ``to_source`` · (x, y, 1), pixels with integer centres, from the result back to the source.

    Args:
        to_source: float64 (2, 3); None where no affine map fits.
        rows: Source row of each pixel of the result, whole numbers, shape (H, W).
        columns: Source column of each, likewise.
        known: Whether it shows the source at all.
    """

    to_source: NDArray[np.float64] | None
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    known: NDArray[np.bool_]


def coordinates(height: int, width: int) -> NDArray[np.float32]:
    """The mask to send through a chain of transforms.

    Args:
        height: Rows of the source.
        width: Columns of the source.

    Returns:
        float32 (H, W, 3): column, row and mark of every pixel.
    """
    places = np.empty((height, width, 3), np.float32)
    places[..., 0] = np.arange(width)
    places[..., 1] = np.arange(height)[:, None]
    places[..., 2] = MARK
    return places


def shown_by(places: NDArray[np.float32], *, height: int, width: int) -> Shown:
    """Reads what came out of a chain of transforms.

    Args:
        places: What became of ``coordinates(height, width)``.
        height: Rows of the source.
        width: Columns of the source.

    Returns:
        What each pixel shows.

    Example:
        >>> mirrored = coordinates(6, 8)[:, ::-1]
        >>> shown_by(mirrored, height=6, width=8).to_source
        array([[-1.,  0.,  7.],
               [ 0.,  1.,  0.]])
    """
    u, v = (np.ascontiguousarray(places[..., channel]) for channel in (0, 1))
    marked = np.abs(places[..., 2] - MARK) < 1e-3
    size = (width, height)
    to_source = _fit(places[..., :2], marked, size)
    if to_source is not None:
        fitted = _apply(to_source, *marked.shape)
        stray = np.maximum(np.abs(u - fitted[0]), np.abs(v - fitted[1]))
        inside = marked & _within(fitted, size, margin=-0.5)
        core = inside & _within(fitted, size, margin=0.5)
        if int((stray[core] > TOLERANCE_PX).sum()) <= core.sum() // 1000:
            return _gathered(fitted, inside & (stray < _STRAY_PX), to_source, size)
    return _gathered((u, v), marked & _within((u, v), size, margin=-0.5), None, size)


def _gathered(
    uv: _Planes, known: NDArray[np.bool_], to_source: NDArray[np.float64] | None, size: tuple[int, int]
) -> Shown:
    """The nearest source pixel of each place; halfway between two, the first of them."""
    columns, rows = (
        np.clip(np.ceil(np.where(known, plane, 0) - np.float32(0.502)), 0, length - 1).astype(np.int32)
        for plane, length in zip(uv, size, strict=True)
    )
    return Shown(to_source, rows, columns, known)


def _within(uv: _Planes, size: tuple[int, int], *, margin: float) -> NDArray[np.bool_]:
    inside = [
        (plane >= margin - 1e-3) & (plane <= length - 1 - margin + 1e-3)
        for plane, length in zip(uv, size, strict=True)
    ]
    return inside[0] & inside[1]


def _apply(to_source: NDArray[np.float64], height: int, width: int) -> _Planes:
    x, y = np.arange(width), np.arange(height)[:, None]
    u, v = ((row[0] * x + row[2]).astype(np.float32) + (row[1] * y).astype(np.float32) for row in to_source)
    return u, v


def _fit(
    uv: NDArray[np.float32], marked: NDArray[np.bool_], size: tuple[int, int]
) -> NDArray[np.float64] | None:
    """The affine map that most marked pixels agree on: medians first, least squares over those that agree after.

    A grid of at most about 64 x 64 pixels, first and last rows and columns included, is looked at.
    """
    grid = tuple(np.unique(np.linspace(0, length - 1, 64).round().astype(int)) for length in marked.shape)
    rows, columns = np.meshgrid(*grid, indexing="ij")
    seen, there = uv[rows, columns].astype(np.float64), marked[rows, columns]
    xy = np.stack([columns, rows], -1).astype(np.float64)
    fitted = _by_medians(seen, there, xy)
    for reach in _REACHES_PX:
        if fitted is None:
            return None
        expected = xy @ fitted[:, :2].T + fitted[:, 2]
        agree = there & (np.abs(seen - expected).max(-1) < reach)
        agree &= _within((expected[..., 0], expected[..., 1]), size, margin=0.5)
        fitted = _least_squares(seen[agree], xy[agree])
    return fitted


def _by_medians(
    uv: NDArray[np.float64], marked: NDArray[np.bool_], xy: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    slopes = []
    for axis in (1, 0):
        length = marked.shape[axis]
        stride = max(1, length // 4)
        near, far = range(max(0, length - stride)), range(stride, length)
        both = np.take(marked, near, axis) & np.take(marked, far, axis)
        if not bool(both.any()):
            return None
        moved = (np.take(uv, far, axis) - np.take(uv, near, axis))[both]
        steps = (np.take(xy, far, axis) - np.take(xy, near, axis))[both].max(-1)
        slopes.append(np.median(moved / steps[:, None], axis=0))
    linear = np.stack(slopes, 1)
    offset = np.median((uv - xy @ linear.T)[marked], axis=0)
    return np.hstack([linear, offset[:, None]])


def _least_squares(uv: NDArray[np.float64], xy: NDArray[np.float64]) -> NDArray[np.float64] | None:
    if len(xy) < _FEW or bool((np.ptp(xy, axis=0) == 0).any()):
        return None
    middle = xy.mean(0)
    solution, *_ = np.linalg.lstsq(np.hstack([xy - middle, np.ones((len(xy), 1))]), uv, rcond=None)
    linear = np.round(solution[:2].T, 9)
    offset = np.round(solution[2] - linear @ middle, 6)
    return np.asarray(np.hstack([linear, offset[:, None]]) + 0.0)
