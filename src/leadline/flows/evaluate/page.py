"""What a report shows, as plain values: a template draws them, nothing is computed there.

Convention:
    Places in charts are shares from 0 to 1, from the left and from the bottom. Numbers that are only read are text.
"""

from __future__ import annotations

from dataclasses import dataclass

from leadline.core.results import ModelRecord
from leadline.flows.evaluate.protocol import Protocol

__all__ = [
    "Axis",
    "Bar",
    "Case",
    "Cases",
    "Cell",
    "Chart",
    "Curve",
    "FigureLine",
    "FigureTable",
    "ImageTable",
    "Ladder",
    "Legend",
    "ModelLine",
    "Page",
    "Pair",
    "PairLine",
    "Panel",
    "Place",
    "Reason",
    "Scale",
    "Setting",
    "Span",
    "Tick",
]


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place on an axis."""

    share: float
    label: str


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis: what it measures, and its ticks."""

    title: str
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a histogram: from, to, and its height."""

    left: float
    right: float
    height: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A line through points (across, up)."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over bars, each scaled on its own."""

    x: Axis
    y: Axis
    curves: tuple[Curve, ...]
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Legend:
    """A bar of colours, from left to right, with ticks and words."""

    title: str
    colours: tuple[str, ...]
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """A confidence interval drawn as a line with a dot, on an axis that the lines of a table share."""

    low: float
    mean: float
    high: float


@dataclass(frozen=True, slots=True)
class FigureLine:
    """Figures of one model by one metric.

    Args:
        model: The model.
        values: Mean, interval, median, pooled, number of images.
        span: The interval as a picture; None where there is none.
        best: Whether no model has a better figure of those the protocol reports.
    """

    model: str
    values: tuple[str, ...]
    span: Span | None
    best: bool


@dataclass(frozen=True, slots=True)
class FigureTable:
    """One metric of all models.

    Args:
        heading: Its name, unit and direction.
        definition: Its formula.
        source: Who defined it so.
        lines: A line a model.
    """

    heading: str
    definition: str
    source: str
    lines: tuple[FigureLine, ...]


@dataclass(frozen=True, slots=True)
class Ladder:
    """One metric of all models on every rung: the model, then a figure a rung."""

    heading: str
    lines: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class PairLine:
    """Two models by one metric.

    Args:
        heading: The metric.
        values: Difference, interval.
        counts: Images on which the first wins, on which they are equal, on which the second wins.
        verdict: What it comes to.
    """

    heading: str
    values: tuple[str, str]
    counts: tuple[int, int, int]
    verdict: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two models."""

    first: str
    second: str
    lines: tuple[PairLine, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a heat map: its number, its colour and that of the ink on it."""

    label: str
    fill: str
    ink: str


@dataclass(frozen=True, slots=True)
class Place:
    """Error against the place in the image, rows from the top."""

    model: str
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Scale:
    """How the scale of one model's predictions is spread over images.

    Args:
        model: The model.
        axis: Median of truth / prediction, shared by all models.
        bars: The histogram.
        most: Images in a bar of full height, the same for all models.
        one: Where 1 is on the axis.
        words: Its median, and how many images are near 1.
    """

    model: str
    axis: Axis
    bars: tuple[Bar, ...]
    most: int
    one: float
    words: str


@dataclass(frozen=True, slots=True)
class Panel:
    """A picture of a case.

    Args:
        caption: What it shows.
        source: The picture as a ``data:`` address.
        size: Width and height in pixels.
        legend: Its colours; None for photos.
    """

    caption: str
    source: str
    size: tuple[int, int]
    legend: Legend | None


@dataclass(frozen=True, slots=True)
class Case:
    """One image of one model.

    Args:
        rank: ``"best"``, ``"median"`` or ``"worst"``.
        sample: The image.
        figures: Its scores.
        panels: Photo, truth, prediction, error; empty where it cannot be read again.
        wide: Whether its pictures are too wide to stand four in a row.
    """

    rank: str
    sample: str
    figures: str
    panels: tuple[Panel, ...]
    wide: bool


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases of one model."""

    model: str
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class ModelLine:
    """A model, and how many images of how many it was scored on."""

    record: ModelRecord
    scored: int
    total: int
    seconds: str


@dataclass(frozen=True, slots=True)
class Setting:
    """A field of the protocol.

    Args:
        field: Its name.
        value: Its value as text.
        changed: Whether it was changed by hand.
    """

    field: str
    value: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Reason:
    """Why images were skipped, or what was remarked, and of which model and images."""

    words: str
    model: str
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImageTable:
    """Every image: cells under headings; and how many more there are than are shown."""

    headings: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    more: int


@dataclass(frozen=True, slots=True)
class Page:
    """A whole report.

    Args:
        protocol: The protocol.
        settings: Its fields as text.
        dataset: What was evaluated on.
        made: When the report was made.
        leadline: Version of leadline.
        machine: What it ran on.
        models: Who was scored.
        drawn: What intervals are drawn from, ``"scenes"`` or ``"images"``, and how many there are.
        enough: How many of them make an interval that is not too narrow.
        figures: A table a metric.
        rungs: Rungs and what they are; the protocol's own first, and alone where there is no other.
        ladder: A table a metric, where there are several rungs.
        pairs: Models compared.
        ranked_by: The metric that cases are ranked by.
        cases: Best, median and worst images of every model.
        depth: Error against depth; None where no profile was kept.
        places: Error against the place in the image.
        place_legend: Its colours.
        scales: Calibration of scale; empty where no model has one.
        skipped: What was not scored.
        remarks: What else is to be said.
        images: Every image.
    """

    protocol: Protocol
    settings: tuple[Setting, ...]
    dataset: str
    made: str
    leadline: str
    machine: str
    models: tuple[ModelLine, ...]
    drawn: tuple[str, int]
    enough: int
    figures: tuple[FigureTable, ...]
    rungs: tuple[tuple[str, str], ...]
    ladder: tuple[Ladder, ...]
    pairs: tuple[Pair, ...]
    ranked_by: str
    cases: tuple[Cases, ...]
    depth: Chart | None
    places: tuple[Place, ...]
    place_legend: Legend | None
    scales: tuple[Scale, ...]
    skipped: tuple[Reason, ...]
    remarks: tuple[Reason, ...]
    images: ImageTable
