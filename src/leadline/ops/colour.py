"""Depth as colour."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, UnknownName
from leadline.core.kind import Quantity
from leadline.ops.colormaps import COLORMAPS, SKY, UNKNOWN, colormap_table
from leadline.ops.legend import Words, legend

__all__ = ["COLORMAPS", "ColourOptions", "colormap_table", "colourise", "picture", "value_range"]

_RANGES = ("robust", "full")
_PERCENTILES = (2, 98)
_SAMPLES = 1 << 17
"""Maps of more pixels than this are sampled on a regular grid for their percentiles."""

_BAND = 1 << 18
"""Pixels that are coloured at once."""

_LARGEST, _NARROWEST = 1e37, 1e-35
"""Bounds within which 255 steps of a range are float32 numbers."""

_GROUND, _SKY = 256, 258
"""Rows of the extended table: two greys, then the sky."""


@dataclass(frozen=True, slots=True)
class ColourOptions:
    """How depth becomes colour.

    Args:
        colormap: Name of the colour map.
        range: ``"robust"`` (2nd to 98th percentile), ``"full"`` (smallest to largest), or two different numbers
            ``(near, far)`` in the map's own values, in either order.

    Raises:
        UnknownName: No colour map or range has that name.
        InputError: The range is neither a word nor two numbers, or its two numbers are not finite, are the same, or are beyond what float32 can step through.
    """

    colormap: str = "viridis"
    range: str | tuple[float, float] = "robust"

    def __post_init__(self) -> None:
        if self.colormap not in COLORMAPS:
            raise UnknownName("colour map", self.colormap, known=COLORMAPS)
        if isinstance(self.range, str):
            if self.range not in _RANGES:
                if self.range.isalpha():
                    raise UnknownName("colour range", self.range, known=_RANGES)
                raise InputError(
                    f"colour range {self.range!r} is neither {' nor '.join(_RANGES)} nor two numbers",
                    hint="two numbers are written 0.5,6",
                )
            return
        near, far = self.range
        if not (abs(near) < _LARGEST and abs(far) < _LARGEST and abs(near - far) > _NARROWEST):
            raise InputError(
                f"colour range {near} to {far} has no width that can be drawn",
                hint="give two different numbers, near and far",
            )


def value_range(depth: DepthMap, *, options: ColourOptions | None = None) -> tuple[float, float]:
    """The smallest and the largest value that get colours of their own.

    Args:
        depth: The map.
        options: Which range.

    Returns:
        Smallest and largest, in the map's own values; the same number twice where all values are the same.

    Raises:
        InputError: No pixel is valid and the range is not given in numbers.

    Example:
        >>> from leadline.core.kind import Kind
        >>> value_range(DepthMap(np.array([[1.0, 2.0, 9.0]]), Kind()), options=ColourOptions(range="full"))
        (1.0, 9.0)
    """
    chosen = (options or ColourOptions()).range
    if not isinstance(chosen, str):
        return (float(min(chosen)), float(max(chosen)))
    span = depth.range() if chosen == "full" else _percentiles(depth)
    if span is None:
        raise InputError(
            "no pixel is valid, so there is no range of values", hint="give the range in numbers"
        )
    return span


def colourise(depth: DepthMap, *, options: ColourOptions | None = None) -> NDArray[np.uint8]:
    """A depth map as a picture: near at the upper, bright end of the colour map.

    Convention:
        Near is the upper end for depth and for inverse depth alike: in viridis and grey, near is bright; in turbo, jet
        and Spectral_r, near is red. Colour is linear in the map's own values; beyond the range it stays at its end.
        Unknown pixels show a chequered grey ground, sky is pale blue.

    Args:
        depth: The map.
        options: Colour map and range.

    Returns:
        uint8, shape (H, W, 3).

    Example:
        >>> from leadline.core.kind import Kind
        >>> row = DepthMap(np.array([[1.0, 5.0, 9.0]]), Kind())
        >>> colourise(row, options=ColourOptions("gray", range="full"))[0, :, 0]
        array([255, 128,   0], dtype=uint8)
    """
    pixels = np.empty((*depth.shape, 3), np.uint8)
    options = options or ColourOptions()
    _paint(depth, _span(depth, options), options.colormap, pixels)
    return pixels


def picture(
    depth: DepthMap, *, options: ColourOptions | None = None, words: Words | None = None
) -> NDArray[np.uint8]:
    """A depth map as a picture with a legend underneath that says the unit and which end is near.

    Args:
        depth: The map.
        options: Colour map and range.
        words: What the legend says, where the values are not the depth that their kind says.

    Returns:
        uint8, shape (H + legend, W, 3).

    Example:
        >>> from leadline.core.kind import Kind
        >>> picture(DepthMap(np.ones((240, 320)), Kind())).shape[1]
        320
    """
    options = options or ColourOptions()
    span = _span(depth, options)
    strip = legend(depth, span=span, table=colormap_table(options.colormap), words=words)
    pixels = np.empty((depth.height + len(strip), depth.width, 3), np.uint8)
    _paint(depth, span, options.colormap, pixels[: depth.height])
    pixels[depth.height :] = strip
    return pixels


def _span(depth: DepthMap, options: ColourOptions) -> tuple[float, float] | None:
    return value_range(depth, options=options) if bool(depth.valid.any()) else None


def _percentiles(depth: DepthMap) -> tuple[float, float] | None:
    every = math.ceil(math.sqrt(depth.values.size / _SAMPLES))
    part = np.s_[::every, ::every]
    sample = depth.values[part][depth.valid[part]]
    if every > 1 and len(sample) < _SAMPLES // 16:
        sample = depth.values[depth.valid]
    if not len(sample):
        return None
    low, high = np.percentile(sample, _PERCENTILES)
    return (float(low), float(high))


def _paint(
    depth: DepthMap, span: tuple[float, float] | None, colormap: str, pixels: NDArray[np.uint8]
) -> None:
    """Colours a map into an array, band by band, so that a large map needs no large temporaries."""
    table = np.concatenate([colormap_table(colormap), np.array([*UNKNOWN, SKY], np.uint8)])
    rows = max(1, _BAND // depth.width)
    for top in range(0, depth.height, rows):
        band = slice(top, min(top + rows, depth.height))
        np.take(table, _codes(depth, band, span), axis=0, out=pixels[band], mode="clip")


def _codes(depth: DepthMap, band: slice, span: tuple[float, float] | None) -> NDArray[np.uint16]:
    """Rows of the extended table for some rows of the map."""
    values, valid = depth.values[band], depth.valid[band]
    if span is None or span[1] - span[0] <= _NARROWEST:
        codes = np.full(values.shape, 128, np.uint16)
    else:
        near, far = span if depth.kind.quantity is Quantity.DEPTH else span[::-1]
        with np.errstate(over="ignore"):
            share = (values - np.float32(far)) * np.float32(255 / (near - far)) + np.float32(0.5)
        np.clip(share, 0, 255, out=share)
        share[~valid] = 0
        codes = share.astype(np.uint16)
    if not bool(valid.all()):
        cell = max(4, min(depth.shape) // 60)
        rows = (np.arange(band.start, band.stop) // cell)[:, None]
        columns = (np.arange(depth.width) // cell)[None, :]
        np.copyto(codes, (_GROUND + (rows + columns) % 2).astype(np.uint16), where=~valid)
        codes[depth.infinite[band]] = _SKY
    return codes
