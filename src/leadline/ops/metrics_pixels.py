"""Metrics that look at one pixel at a time, all in one pass.

The pass goes over blocks of pixels small enough to stay in a core's own cache, in float64, so that no figure depends on
how large an image is or how far its depths reach. What several metrics need (the error, the ratio) is made once a block.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from leadline.ops.metrics_scores import log_figures
from leadline.ops.metrics_table import METRICS, Pooling

__all__ = ["measure_pixels"]

Floats = NDArray[np.float64]
_BLOCK = 38_400
_DOT = 9_600  # fewer than OpenBLAS shares out among threads


def measure_pixels(
    p: NDArray[np.float32],
    t: NDArray[np.float32],
    *,
    names: Sequence[str],
    data_range_m: float = math.nan,
) -> dict[str, float]:
    """The metrics of pixels, and mean and spread of the logarithm where one of them rests on it.

    Args:
        p: Predictions, positive and finite, shape (N,).
        t: Truth, positive and finite, shape (N,).
        names: Those wanted of the family PIXELS.
        data_range_m: For PSNR.

    Returns:
        Figures by the fields of ``Scores``.
    """
    logs = [name for name in names if METRICS[name].pooling is Pooling.LOG]
    sums = {name: 0.0 for name in names if METRICS[name].pooling is not Pooling.LOG}
    moments = _Moments()
    for block in _blocks(p, t):
        for name in sums:
            sums[name] += _SUMS[name](block)
        if logs:
            moments.add(block.log)
    figures = {name: _FINISHED[METRICS[name].pooling](total / len(p)) for name, total in sums.items()}
    if "psnr" in sums:
        figures["psnr"] = _psnr(sums["psnr"] / len(p), data_range_m)
    if logs:
        mean, spread = moments.mean, math.sqrt(moments.squares / len(p))
        figures |= {"log_mean": mean, "log_spread": spread, **log_figures(mean, spread, names=logs)}
    return figures


class _Block:
    """A block of pixels, and what metrics share, each made when it is first asked for."""

    def __init__(self, size: int) -> None:
        self.p, self.t, self._e, self._rel, self._r, self._log, self._inverse, self._scratch = np.empty(
            (8, size)
        )
        self.ones = np.ones(size)
        self.made: set[str] = set()

    def load(self, p: NDArray[np.float32], t: NDArray[np.float32]) -> None:
        """Takes in other pixels."""
        self.p[:], self.t[:] = p, t
        self.made.clear()

    def _fresh(self, name: str) -> bool:
        if name in self.made:
            return False
        self.made.add(name)
        return True

    @property
    def e(self) -> Floats:
        """The error p - t."""
        return np.subtract(self.p, self.t, out=self._e) if self._fresh("e") else self._e

    @property
    def rel(self) -> Floats:
        """The relative error e / t."""
        return np.divide(self.e, self.t, out=self._rel) if self._fresh("rel") else self._rel

    @property
    def r(self) -> Floats:
        """The ratio p / t."""
        return np.divide(self.p, self.t, out=self._r) if self._fresh("r") else self._r

    @property
    def log(self) -> Floats:
        """The logarithm of the ratio."""
        return np.log(self.r, out=self._log) if self._fresh("log") else self._log

    @property
    def inverse(self) -> Floats:
        """1/p - 1/t, with the other sign: e / (p t), in which nothing cancels."""
        return np.divide(self.rel, self.p, out=self._inverse) if self._fresh("inverse") else self._inverse

    def size_of(self, values: Floats) -> float:
        """Sum of absolute values."""
        return _dot(np.abs(values, out=self._scratch), self.ones)

    def within(self, factor: float) -> float:
        """Number of pixels with max(r, 1/r) < factor."""
        r = self.r
        return float(np.count_nonzero(r < factor) - np.count_nonzero(r <= 1 / factor))


class _Moments:
    """Mean and sum of squares about it, block by block (Chan, Golub and LeVeque, 1979)."""

    def __init__(self) -> None:
        self.count, self.mean, self.squares = 0, 0.0, 0.0

    def add(self, values: Floats) -> None:
        """Takes in a block."""
        mean = float(np.mean(values))
        away = values - mean
        total, off = self.count + len(values), mean - self.mean
        self.squares += _dot(away, away) + off * off * self.count * len(values) / total
        self.mean += off * len(values) / total
        self.count = total


def _blocks(p: NDArray[np.float32], t: NDArray[np.float32]) -> Iterator[_Block]:
    """Every block in turn, in the same memory."""
    whole = _Block(min(_BLOCK, len(p)))
    for start in range(0, len(p), _BLOCK):
        part = slice(start, start + _BLOCK)
        size = len(p[part])
        block = whole if size == len(whole.p) else _Block(size)
        block.load(p[part], t[part])
        yield block


def _dot(a: Floats, b: Floats) -> float:
    parts = (slice(start, start + _DOT) for start in range(0, len(a), _DOT))
    return float(sum(np.dot(a[part], b[part]) for part in parts))


def _squares(values: Floats) -> float:
    return _dot(values, values)


def _psnr(mean_square: float, data_range_m: float) -> float:
    return math.inf if mean_square == 0 else 10 * math.log10(data_range_m**2 / mean_square)


_SUMS: Mapping[str, Callable[[_Block], float]] = {
    "abs_rel": lambda block: block.size_of(block.rel),
    "sq_rel": lambda block: _dot(block.e, block.rel),
    "sq_rel_squared": lambda block: _squares(block.rel),
    "rmse": lambda block: _squares(block.e),
    "mae": lambda block: block.size_of(block.e),
    "rmse_log": lambda block: _squares(block.log),
    "log10": lambda block: block.size_of(block.log) / math.log(10),
    "irmse": lambda block: _squares(block.inverse) * 1e6,
    "imae": lambda block: block.size_of(block.inverse) * 1e3,
    "delta1": lambda block: block.within(1.25),
    "delta2": lambda block: block.within(1.25**2),
    "delta3": lambda block: block.within(1.25**3),
    "psnr": lambda block: _squares(block.e),
}
_FINISHED: Mapping[Pooling, Callable[[float], float]] = {
    Pooling.MEAN: float,
    Pooling.ROOT: math.sqrt,
    Pooling.DECIBEL: float,
}
