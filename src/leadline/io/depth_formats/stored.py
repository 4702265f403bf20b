"""What a depth file holds: stored numbers, and how they become values."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.core.record import Encoding

__all__ = ["Stored", "decoded", "encoded_16bit", "fitted_16bit", "floats", "strips"]

MILLIMETRES = Encoding(scale=0.001, offset=0.0, invalid=0, infinite=65535)
"""What metric depth under 65 m is stored as."""

MILLIMETRES_BELOW_M = 65.0
_FIRST, _LAST = 1, 65534
_STRIP_PIXELS = 2**20
_LARGEST = float(np.finfo(np.float32).max)
_SMALLEST = float(np.finfo(np.float32).smallest_subnormal)


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A depth file as it lies on disk.

    Args:
        numbers_HW: The stored numbers, integers or floats.
        form: What the file is, in words: ``"16-bit PNG"``.
        record: The record as JSON, or None in a bare file.
        valid: The stored mask of known pixels, where the format holds one.
        infinite: The stored mask of known sky, where the format holds one.
        uncertainty: The stored standard deviation of each value, in the values' unit, where the file holds one.
    """

    numbers_HW: NDArray[Any]
    form: str
    record: str | None = None
    valid: NDArray[np.bool_] | None = None
    infinite: NDArray[np.bool_] | None = None
    uncertainty: NDArray[np.float32] | None = None


def fitted_16bit(depth: DepthMap) -> Encoding:
    """The encoding a map gets in a 16-bit file unless the caller says another.

    Convention:
        value = stored x scale + offset; stored 0 is unknown and 65535 is known sky. Metric depth under 65 m is in
        millimetres. Else the largest value lies at 65534; only AFFINE kinds, whose zero means nothing, get an offset,
        with which the smallest lies at 1.

    Args:
        depth: The map.

    Returns:
        The encoding. Its rounding error is at most half a step, and a whole step for positive values under half a
        step, which are kept from rounding to "unknown".

    Example:
        >>> fitted_16bit(DepthMap(np.ones((2, 2)), Kind())).scale
        0.001
    """
    low, high = depth.range() or (1.0, 1.0)
    metric = depth.kind.quantity is Quantity.DEPTH and depth.kind.freedom is Freedom.NONE
    if metric and high < MILLIMETRES_BELOW_M:
        return MILLIMETRES
    if depth.kind.freedom < Freedom.AFFINE:
        return Encoding(high / _LAST, 0.0, 0, 65535)
    step = (high - low) / (_LAST - _FIRST) or abs(low) / _LAST or 1.0
    return Encoding(step, low - step * _FIRST, 0, 65535)


def strips(height: int, width: int) -> Iterator[slice]:
    """Slices of rows of about a million pixels, so that no temporary is ever as large as the map."""
    rows = max(1, _STRIP_PIXELS // width)
    return (slice(top, min(height, top + rows)) for top in range(0, height, rows))


def encoded_16bit(depth: DepthMap, encoding: Encoding) -> NDArray[np.uint16]:
    """A map as 16-bit numbers.

    Args:
        depth: The map.
        encoding: Scale, offset and markers.

    Returns:
        uint16 (H, W).

    Raises:
        InputError: The scale is not positive, a value does not fit, or a mark is needed that the encoding lacks.
    """
    _check(depth, encoding)
    marks = [int(m) for m in (encoding.invalid, encoding.infinite) if m is not None]
    first = 1 if 0 in marks or depth.kind.freedom < Freedom.AFFINE else 0
    last = _LAST if 65535 in marks else 65535
    stored = np.empty(depth.shape, np.uint16)
    for rows in strips(*depth.shape):
        valid = depth.valid[rows]
        values = np.where(valid, depth.values[rows], 0).astype(np.float64)
        steps = np.rint((values - encoding.offset) / encoding.scale)
        if bool((valid & ((steps > last) | (steps < 0))).any()):
            raise InputError(
                f"values of {depth!r} do not fit 16 bits with scale {encoding.scale} and offset {encoding.offset}",
                hint=f"they reach from {encoding.offset} to {encoding.scale * last + encoding.offset:.6g}: use a larger scale, or a float format",
            )
        strip = np.clip(steps, first, last)
        if encoding.invalid is not None:
            strip[~valid] = encoding.invalid
        if encoding.infinite is not None:
            strip[depth.infinite[rows]] = encoding.infinite
        stored[rows] = strip
    return stored


def _check(depth: DepthMap, encoding: Encoding) -> None:
    if not (encoding.scale > 0 and math.isfinite(encoding.scale) and math.isfinite(encoding.offset)):
        raise InputError(
            f"scale {encoding.scale} and offset {encoding.offset} are not usable",
            hint="give a positive scale and a finite offset",
        )
    if encoding.offset < 0 and depth.kind.freedom < Freedom.AFFINE:
        raise InputError(
            f"offset {encoding.offset} would make {depth.kind} negative", hint="use an offset of 0 or more"
        )
    for mark, what in ((encoding.invalid, "invalid"), (encoding.infinite, "infinite")):
        if mark is not None and mark not in (0, 65535):
            raise InputError(
                f"mark {mark} for {what} pixels lies among the values", hint="use 0, 65535 or none"
            )
    unknown = not bool((depth.valid | depth.infinite).all())
    if (unknown and encoding.invalid is None) or (bool(depth.infinite.any()) and encoding.infinite is None):
        raise InputError(
            f"{depth!r} has pixels that are not valid, and the encoding has no mark for them",
            hint="set encoding.invalid and encoding.infinite, for instance to 0 and 65535",
        )
    if encoding.invalid is not None and encoding.invalid == encoding.infinite:
        raise InputError(
            f"unknown pixels and sky share the mark {encoding.invalid}", hint="give each its own"
        )


def floats(depth: DepthMap) -> NDArray[np.float32]:
    """A map as floats for formats without masks: NaN unknown, +inf known sky, whatever the quantity.

    Args:
        depth: The map.

    Returns:
        float32 (H, W); the map's own array where nothing has to change.
    """
    if depth.kind.quantity is Quantity.DEPTH or not bool(depth.infinite.any()):
        return depth.values
    stored = depth.values.copy()
    stored[depth.infinite] = np.inf
    return stored


def decoded(
    stored: Stored, *, kind: Kind, encoding: Encoding, bare_invalid: tuple[float, ...] | None
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]:
    """Values and masks of what a file holds.

    Convention:
        In a bare file (``bare_invalid`` given) NaN and infinities are unknown, as in Middlebury's files, never sky.

    Args:
        stored: The file's numbers.
        kind: What the values mean; below AFFINE numbers that are not positive are unknown.
        encoding: How numbers become values.
        bare_invalid: Stored numbers that mean unknown in a bare file; None where leadline wrote the file.

    Returns:
        Values float32, valid, infinite.
    """
    numbers = stored.numbers_HW
    values = np.empty(numbers.shape, np.float32)
    valid = np.empty(numbers.shape, bool)
    infinite = np.zeros(numbers.shape, bool)
    marks = bare_invalid or (() if encoding.invalid is None else (encoding.invalid,))
    whole = numbers.dtype.kind in "iu"
    for rows in strips(*numbers.shape):
        strip = numbers[rows]
        fine = np.isfinite(strip) & ~np.isin(strip, marks)
        if bare_invalid is None:
            infinite[rows] = (
                strip == encoding.infinite if whole and encoding.infinite is not None else _sky(strip)
            )
            fine &= ~infinite[rows]
        scaled = np.where(fine, strip, 0).astype(np.float64) * encoding.scale + encoding.offset
        if kind.freedom < Freedom.AFFINE:
            fine &= scaled > 0
            scaled = np.where(fine, np.maximum(scaled, _SMALLEST), 0)
        values[rows] = np.clip(scaled, -_LARGEST, _LARGEST)
        valid[rows] = fine
    if stored.valid is not None and stored.infinite is not None:
        valid &= stored.valid
        infinite = stored.infinite
    for made in (values, valid, infinite):
        made.flags.writeable = False  # so that a DepthMap takes them without a copy
    return values, valid, infinite


def _sky(strip: NDArray[Any]) -> NDArray[np.bool_]:
    return np.isposinf(strip) if strip.dtype.kind == "f" else np.zeros(strip.shape, bool)
