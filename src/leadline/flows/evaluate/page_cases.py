"""The best, median and worst images of every model, with their pictures."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.flows.evaluate.counting import clamped, counting
from leadline.flows.evaluate.page import Case, Cases, Legend, Panel
from leadline.flows.evaluate.page_charts import legend_of
from leadline.flows.evaluate.protocol import Protocol
from leadline.flows.evaluate.records import Evaluation, Judged, Row
from leadline.flows.evaluate.wording import decimals_for, heading, shown
from leadline.io.pictures import jpeg_bytes
from leadline.ops.colour import ColourOptions, colourise, value_range
from leadline.ops.metrics import METRICS
from leadline.ops.thumbnail import thumbnail

__all__ = ["Reader", "cases_of"]

Reader = Callable[[Row], Judged | None]
"""Reads a sample and its prediction again; None where it cannot."""

_EACH = 2
"""Cases of each rank."""

_LONGEST = 360
"""Pixels of the longer side of a picture."""

_QUALITY = 80

_WIDE = 2.0
"""Photos wider than this many times their height stand two in a row, not four."""

_FIGURES = 4


def cases_of(evaluation: Evaluation, *, read: Reader) -> tuple[Cases, ...]:
    """Cases of every model, ranked by the protocol's first metric.

    Args:
        evaluation: What came of it.
        read: Reads a sample and its prediction again.

    Returns:
        Models in order; of each the best images, those in the middle and the worst, none of them twice.
    """
    top = _error_top(evaluation.rows)
    return tuple(
        Cases(
            model.name,
            tuple(
                _case(rank, row, read(row), evaluation.protocol, top)
                for rank, row in _chosen(list(evaluation.rows_of(model.name)), evaluation.protocol)
            ),
        )
        for model in evaluation.models
    )


def _chosen(rows: Sequence[Row], protocol: Protocol) -> list[tuple[str, Row]]:
    metric = protocol.metrics[0]
    ranked = sorted(
        (row for row in rows if not math.isnan(_score(row, metric))),
        key=lambda row: _score(row, metric),
        reverse=METRICS[metric].better == "higher",
    )
    count, taken = len(ranked), dict[int, str]()
    for more in range(_EACH):
        places = {"best": more, "worst": count - 1 - more, "median": (count - 1) // 2 + more}
        for rank, place in places.items():
            if 0 <= place < count:
                taken.setdefault(place, rank)
    return [(taken[place], ranked[place]) for place in sorted(taken)]


def _score(row: Row, metric: str) -> float:
    scores = row.scores.get("protocol")
    return math.nan if scores is None else float(getattr(scores, metric))


def _case(rank: str, row: Row, judged: Judged | None, protocol: Protocol, top: float) -> Case:
    figures = ", ".join(
        f"{heading(metric, protocol)} {shown(_score(row, metric), decimals_for([_score(row, metric)]))}"
        for metric in protocol.metrics[:_FIGURES]
    )
    if judged is None:
        return Case(rank, row.sample, figures, (), wide=False)
    panels = _panels(judged, protocol, top)
    width, height = panels[0].size
    return Case(rank, row.sample, figures, panels, wide=width > _WIDE * height)


def _panels(judged: Judged, protocol: Protocol, top: float) -> tuple[Panel, ...]:
    truth = judged.sample.truth
    size = _size(truth)
    photo = _panel("photo", _photo(judged, size), None)
    if not _is_metric(truth) or not _is_metric(judged.depth):
        own = [_own_colours("truth", truth, size), _own_colours("prediction", judged.depth, size)]
        return photo, *own
    colours = ColourOptions(range=_shared_range(truth))
    legend = _depth_legend(colours)
    said = [
        _panel(name, colourise(thumbnail(depth, width=size[0], height=size[1]), options=colours), legend)
        for name, depth in (("truth", truth), ("prediction", judged.depth))
    ]
    return photo, *said, _error_panel(judged.depth, truth, protocol, size, top)


def _is_metric(depth: DepthMap) -> bool:
    return depth.kind.quantity is Quantity.DEPTH and depth.kind.freedom is Freedom.NONE


def _size(truth: DepthMap) -> tuple[int, int]:
    scale = min(1.0, _LONGEST / max(truth.shape))
    return max(1, round(scale * truth.width)), max(1, round(scale * truth.height))


def _photo(judged: Judged, size: tuple[int, int]) -> NDArray[np.uint8]:
    from PIL import Image

    photo = Image.fromarray(judged.sample.image.rgb_HW3)
    return np.asarray(photo.resize(size, Image.Resampling.BOX))


def _shared_range(truth: DepthMap) -> tuple[float, float]:
    """The range of truth, in which the prediction is coloured too."""
    low, high = value_range(truth) if bool(truth.valid.any()) else (0.5, 5.0)
    return (low, high) if high > 1.02 * low else (0.95 * low, 1.05 * high)


def _depth_legend(colours: ColourOptions) -> Legend:
    low, high = (float(end) for end in colours.range if not isinstance(end, str))
    return legend_of(colours.colormap, (low, high), title="depth (m)")


def _own_colours(name: str, depth: DepthMap, size: tuple[int, int]) -> Panel:
    """A map in its own range, which says nothing of another's: near to the left, and no numbers."""
    ramp = legend_of("viridis", (0.0, 1.0), title=f"{depth.kind.words}: near to far, own range")
    pixels = colourise(thumbnail(depth, width=size[0], height=size[1]))
    return _panel(name, pixels, Legend(ramp.title, ramp.colours, ()))


def _error_panel(
    depth: DepthMap, truth: DepthMap, protocol: Protocol, size: tuple[int, int], top: float
) -> Panel:
    error = thumbnail(_error(depth, truth, protocol), width=size[0], height=size[1])
    pixels = colourise(error, options=ColourOptions("magma", range=(0.0, top)))
    return _panel("error", pixels, legend_of("magma", (0.0, 100 * top), title="|error| / truth (%)"))


def _error(depth: DepthMap, truth: DepthMap, protocol: Protocol) -> DepthMap:
    """Relative error where it counts. As a map whose unit is not known, so that 0 may be a value."""
    counted, said = counting(truth, protocol), clamped(depth, protocol)
    counts = counted.valid & said.valid
    with np.errstate(invalid="ignore"):
        error = np.abs(said.values - counted.values) / counted.values
    return DepthMap(error, Kind(Quantity.DEPTH, Freedom.AFFINE), counts)


def _error_top(rows: Sequence[Row]) -> float:
    """The relative error that gets the last colour in every error map: about three times that of a usual image."""
    means = [
        float(row.profile.place_abs_rel.sum() / row.profile.place_pixels.sum())
        for row in rows
        if row.profile is not None and row.profile.place_pixels.sum() > 0
    ]
    usual = 3 * float(np.median(means)) if means else 0.3
    return next((top for top in (0.02, 0.05, 0.1, 0.2, 0.3, 0.5) if usual <= top), 1.0)


def _panel(caption: str, rgb_HW3: NDArray[np.uint8], legend: Legend | None) -> Panel:
    source = f"data:image/jpeg;base64,{b64encode(jpeg_bytes(rgb_HW3, quality=_QUALITY)).decode('ascii')}"
    height, width = rgb_HW3.shape[:2]
    return Panel(caption, source, (width, height), legend)
