"""The charts of a report: error against depth, error against the place in the image, calibration of scale."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from leadline.core.errors import InputError
from leadline.flows.evaluate.page import Axis, Bar, Cell, Chart, Curve, Legend, Place, Scale, Tick
from leadline.flows.evaluate.records import Evaluation, Profile
from leadline.ops.colormaps import colormap_table
from leadline.ops.legend import round_ticks

__all__ = ["depth_chart", "legend_of", "place_maps", "scale_histograms"]

_LEAST_SHARE = 1e-3
"""A bin with a smaller share of all pixels has no mean worth drawing."""

_BINS = 24
_NARROWEST = (0.8, 1.25)
_FINE = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4, 1.6, 1.8, 2.0)
_COARSE = tuple(factor * 10.0**power for power in range(-6, 7) for factor in (1, 2, 5))
_DARK, _LIGHT = "#1a1a1a", "#ffffff"

Floats = NDArray[np.float64]


def depth_chart(evaluation: Evaluation) -> Chart | None:
    """Mean relative error of all pixels at a depth, a line a model, over the share of pixels at that depth.

    Args:
        evaluation: What came of it.

    Returns:
        The chart; None where no profile was kept.

    Raises:
        InputError: Profiles have different bins of depth.
    """
    profiles = _profiles(evaluation)
    if not profiles:
        return None
    edges = next(iter(profiles.values()))[0].depth_edges_m
    means: dict[str, Floats] = {}
    shares = np.zeros(len(edges) - 1)
    for model, kept in profiles.items():
        _check_edges(kept, edges)
        sums, pixels = sum(p.depth_abs_rel for p in kept), np.sum([p.depth_pixels for p in kept], axis=0)
        enough = pixels >= _LEAST_SHARE * pixels.sum()
        means[model] = 100 * np.divide(sums, pixels, out=np.full(len(pixels), math.nan), where=enough)
        shares = shares + pixels / max(pixels.sum(), 1) / len(profiles)
    top = max((float(np.nanmax(m)) for m in means.values() if not np.isnan(m).all()), default=0.0) or 1.0
    across = _shares(edges, edges[0], edges[-1])
    middles = (across[1:] + across[:-1]) / 2
    curves = tuple(
        Curve(
            model,
            tuple((float(x), float(y)) for x, y in zip(middles, m / (1.1 * top), strict=True) if y == y),
        )
        for model, m in means.items()
    )
    bars = tuple(
        Bar(float(left), float(right), float(height))
        for left, right, height in zip(across, across[1:], shares / max(shares.max(), 1e-9), strict=False)
    )
    x = Axis("true depth (m)", _ticks(float(edges[0]), float(edges[-1]), most=8))
    return Chart(x, Axis("mean |error| / truth (%)", _ticks(0.0, 1.1 * top, most=6)), curves, bars)


def place_maps(evaluation: Evaluation) -> tuple[tuple[Place, ...], Legend | None]:
    """Mean relative error of all pixels in each cell of the image, a map a model, all in one range of colours.

    Args:
        evaluation: What came of it.

    Returns:
        The maps, and their legend; None where no profile was kept.
    """
    means: dict[str, Floats] = {}
    for model, kept in _profiles(evaluation).items():
        sums, pixels = sum(p.place_abs_rel for p in kept), np.sum([p.place_pixels for p in kept], axis=0)
        means[model] = 100 * np.divide(sums, pixels, out=np.full(pixels.shape, math.nan), where=pixels > 0)
    known = [m[~np.isnan(m)] for m in means.values()]
    largest = max((float(m.max()) for m in known if m.size), default=0.0)
    if not largest > 0:
        return (), None
    maps = tuple(
        Place(model, tuple(tuple(_cell(float(value), largest) for value in row) for row in m))
        for model, m in means.items()
    )
    return maps, legend_of("magma", (0.0, largest), title="mean |error| / truth (%)")


def scale_histograms(evaluation: Evaluation) -> tuple[Scale, ...]:
    """How the median of truth / prediction is spread over images, a histogram a model, on one logarithmic axis.

    Args:
        evaluation: What came of it.

    Returns:
        The histograms; none where no prediction has a scale.
    """
    scales = {
        model: np.array([p.scale for p in kept if math.isfinite(p.scale) and p.scale > 0])
        for model, kept in _profiles(evaluation).items()
    }
    scales = {model: values for model, values in scales.items() if values.size}
    if not scales:
        return ()
    low = min(_NARROWEST[0], *(float(values.min()) for values in scales.values()))
    high = max(_NARROWEST[1], *(float(values.max()) for values in scales.values()))
    edges = np.geomspace(low, high, _BINS + 1)
    edges[0], edges[-1] = low, high
    counts = {model: np.histogram(values, edges)[0] for model, values in scales.items()}
    top = max(int(count.max()) for count in counts.values())
    axis = Axis("median of truth / prediction", _log_ticks(low, high))
    one = math.log(1 / low) / math.log(high / low)
    return tuple(
        Scale(model, axis, _bars(counts[model] / top), top, one, _scale_words(values))
        for model, values in scales.items()
    )


def legend_of(colormap: str, span: tuple[float, float], *, title: str) -> Legend:
    """The legend of a colour map: the upper end of its table to the left.

    Args:
        colormap: Its name.
        span: Values at the left and the right end.
        title: What is measured.

    Returns:
        The legend, with round numbers.
    """
    table = colormap_table(colormap)[::-1]
    colours = tuple(_hex(colour) for colour in table[np.linspace(0, 255, 17).round().astype(int)])
    return Legend(title, colours, _ticks(*span, most=5))


def _profiles(evaluation: Evaluation) -> Mapping[str, Sequence[Profile]]:
    found = {
        model.name: [row.profile for row in evaluation.rows_of(model.name) if row.profile is not None]
        for model in evaluation.models
    }
    return {model: kept for model, kept in found.items() if kept}


def _check_edges(profiles: Sequence[Profile], edges: Floats) -> None:
    for profile in profiles:
        if not np.array_equal(profile.depth_edges_m, edges):
            raise InputError(
                f"profiles with bins of depth up to {profile.depth_edges_m[-1]:g} m and up to {edges[-1]:g} m are "
                "of different protocols",
                hint="evaluate all models in one go",
            )


def _shares(values: Floats, low: float, high: float) -> Floats:
    shares: Floats = (values - low) / (high - low)
    return shares


def _ticks(low: float, high: float, *, most: int) -> tuple[Tick, ...]:
    ticks, digits = round_ticks(low, high, most=most)
    return tuple(Tick((tick - low) / (high - low), f"{tick:.{digits}f}") for tick in ticks)


def _log_ticks(low: float, high: float) -> tuple[Tick, ...]:
    inside = [value for value in (_FINE if high / low < 8 else _COARSE) if low <= value <= high]
    while len(inside) > 8:
        inside = [value for place, value in enumerate(inside) if place % 2 == inside.index(1.0) % 2]
    return tuple(Tick(math.log(value / low) / math.log(high / low), f"{value:g}") for value in inside)


def _bars(heights: Floats) -> tuple[Bar, ...]:
    count = len(heights)
    return tuple(Bar(n / count, (n + 1) / count, float(height)) for n, height in enumerate(heights))


def _scale_words(values: Floats) -> str:
    near = float(np.mean(np.abs(np.log(values)) <= math.log(1.1)))
    return f"median {float(np.median(values)):.3f}; {near:.0%} of {len(values):,} images within a tenth of 1"


def _cell(value: float, largest: float) -> Cell:
    if math.isnan(value):
        return Cell("–", "none", "currentColor")
    colour = colormap_table("magma")[255 - round(255 * value / largest)]
    bright = float(colour @ np.array([0.2126, 0.7152, 0.0722])) > 110
    return Cell(
        f"{value:.1f}" if largest < 100 else f"{value:.0f}", _hex(colour), _DARK if bright else _LIGHT
    )


def _hex(colour: NDArray[np.uint8]) -> str:
    return "#" + "".join(f"{int(part):02x}" for part in colour)
