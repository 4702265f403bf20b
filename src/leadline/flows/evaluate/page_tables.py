"""The tables of a report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from leadline.flows.evaluate.page import (
    FigureLine,
    FigureTable,
    ImageTable,
    Ladder,
    ModelLine,
    Pair,
    PairLine,
    Reason,
    Span,
)
from leadline.flows.evaluate.protocol import Protocol
from leadline.flows.evaluate.records import Comparison, Evaluation, Figure, Row, Rung
from leadline.flows.evaluate.summary import RUNGS
from leadline.flows.evaluate.wording import RUNG_WORDS, decimals_for, grouped, heading, shown, verdict
from leadline.ops.metrics import METRICS

__all__ = [
    "figure_tables",
    "image_table",
    "ladder",
    "model_lines",
    "pairs",
    "remarks",
    "rungs_of",
    "skipped",
]

_MOST_IMAGES = 5000
"""More lines than this make a page that browsers open slowly."""


def figure_tables(evaluation: Evaluation) -> tuple[FigureTable, ...]:
    """The protocol's own figures, a table a metric.

    Args:
        evaluation: What came of it.

    Returns:
        Tables in the protocol's order.
    """
    return tuple(_figure_table(evaluation, metric) for metric in evaluation.protocol.metrics)


def _figure_table(evaluation: Evaluation, metric: str) -> FigureTable:
    models = [model.name for model in evaluation.models]
    figures = [evaluation.figure(model, metric) for model in models]
    reported = [getattr(figure, evaluation.protocol.aggregate) for figure in figures]
    best = _best(reported, metric)
    ends = [end for figure in figures for end in (figure.low, figure.high) if math.isfinite(end)]
    decimals = decimals_for(figure.mean for figure in figures)
    lines = tuple(
        FigureLine(model, _values(figure, decimals), _span(figure, ends), value == best)
        for model, figure, value in zip(models, figures, reported, strict=True)
    )
    about = METRICS[metric]
    return FigureTable(heading(metric, evaluation.protocol), about.definition, about.source, lines)


def _best(values: Sequence[float], metric: str) -> float:
    """The best of several figures; NaN, which nothing is equal to, where there are not several."""
    known = [value for value in values if not math.isnan(value)]
    if len(known) < 2:
        return math.nan
    return min(known) if METRICS[metric].better == "lower" else max(known)


def _values(figure: Figure, decimals: int) -> tuple[str, ...]:
    mean, low, high, median, pooled = (
        shown(value, decimals)
        for value in (figure.mean, figure.low, figure.high, figure.median, figure.pooled)
    )
    span = "–" if math.isnan(figure.low) else f"{low} to {high}"
    return mean, span, median, pooled, f"{figure.images:,}"


def _span(figure: Figure, ends: Sequence[float]) -> Span | None:
    values = (figure.low, figure.mean, figure.high)
    if not all(map(math.isfinite, values)) or min(ends) == max(ends):
        return None
    low, width = min(ends), max(ends) - min(ends)
    return Span(*((value - low) / width for value in values))


def rungs_of(evaluation: Evaluation) -> tuple[tuple[Rung, str], ...]:
    """The rungs that some model has figures on.

    Args:
        evaluation: What came of it.

    Returns:
        Their names and what they are, the protocol's own first.
    """
    present = {summary.rung for summary in evaluation.summaries}
    return tuple((rung, RUNG_WORDS[rung]) for rung in RUNGS if rung in present)


def ladder(evaluation: Evaluation) -> tuple[Ladder, ...]:
    """The number that the protocol reports, on every rung.

    Args:
        evaluation: What came of it.

    Returns:
        A table for every metric that was measured on more rungs than the protocol's own.
    """
    protocol, rungs = evaluation.protocol, [rung for rung, _ in rungs_of(evaluation)]
    tables = []
    for metric in protocol.metrics:
        held = {
            (summary.model, summary.rung): getattr(summary.figures[metric], protocol.aggregate)
            for summary in evaluation.summaries
            if summary.figures[metric].images
        }
        if any(rung != "protocol" for _, rung in held):
            decimals = decimals_for(held.values())
            lines = tuple(
                (model.name, tuple(shown(held.get((model.name, rung), math.nan), decimals) for rung in rungs))
                for model in evaluation.models
            )
            tables.append(Ladder(heading(metric, protocol), lines))
    return tuple(tables)


def pairs(evaluation: Evaluation) -> tuple[Pair, ...]:
    """Models compared pair by pair.

    Args:
        evaluation: What came of it.

    Returns:
        Pairs, a line a metric.
    """
    found: dict[tuple[str, str], list[PairLine]] = {}
    for comparison in evaluation.comparisons:
        line = _pair_line(comparison, evaluation.protocol)
        found.setdefault((comparison.first, comparison.second), []).append(line)
    return tuple(Pair(first, second, tuple(lines)) for (first, second), lines in found.items())


def _pair_line(comparison: Comparison, protocol: Protocol) -> PairLine:
    ends = (comparison.difference, comparison.low, comparison.high)
    mean, low, high = (shown(value, decimals_for(ends)) for value in ends)
    span = "–" if math.isnan(comparison.low) else f"{low} to {high}"
    counts = (comparison.first_wins, comparison.ties, comparison.second_wins)
    return PairLine(heading(comparison.metric, protocol), (mean, span), counts, verdict(comparison))


def model_lines(evaluation: Evaluation) -> tuple[ModelLine, ...]:
    """Who was scored, on how many images, and how long the network took for one.

    Args:
        evaluation: What came of it.

    Returns:
        A line a model.
    """
    lines = []
    for record in evaluation.models:
        rows = list(evaluation.rows_of(record.name))
        times = sorted(row.time_s for row in rows if row.time_s > 0)
        seconds = f"{times[len(times) // 2]:.3g} s" if times else "–"
        lines.append(ModelLine(record, sum(not row.skipped for row in rows), len(rows), seconds))
    return tuple(lines)


def skipped(evaluation: Evaluation) -> tuple[Reason, ...]:
    """What was not scored, and why.

    Args:
        evaluation: What came of it.

    Returns:
        A reason and model, with its images.
    """
    found = grouped((row.skipped, row) for row in evaluation.rows if row.skipped)
    return tuple(Reason(words, model, tuple(samples)) for (words, model), samples in found.items())


def remarks(evaluation: Evaluation) -> tuple[Reason, ...]:
    """What is to be said of images that were scored.

    Args:
        evaluation: What came of it.

    Returns:
        A remark and model, with its images.
    """
    found = grouped((remark, row) for row in evaluation.rows for remark in row.remarks)
    return tuple(Reason(words, model, tuple(samples)) for (words, model), samples in found.items())


def image_table(evaluation: Evaluation) -> ImageTable:
    """The scores of every image.

    Args:
        evaluation: What came of it.

    Returns:
        The first 5,000 lines, and how many more there are.
    """
    protocol = evaluation.protocol
    decimals = {
        metric: decimals_for(evaluation.figure(model.name, metric).mean for model in evaluation.models)
        for metric in protocol.metrics
    }
    headings = ("model", "image", "scene", *(heading(metric, protocol) for metric in protocol.metrics))
    lines = tuple(_image_line(row, decimals) for row in evaluation.rows[:_MOST_IMAGES])
    more = len(evaluation.rows) - len(lines)
    return ImageTable((*headings, "truth / prediction", "said of it"), lines, more)


def _image_line(row: Row, decimals: Mapping[str, int]) -> tuple[str, ...]:
    scores = row.scores.get("protocol")
    values = (math.nan if scores is None else getattr(scores, metric) for metric in decimals)
    said = "; ".join((row.skipped, *row.remarks) if row.skipped else row.remarks)
    scale = "–" if row.profile is None else shown(row.profile.scale, 3)
    numbers = (shown(value, places) for value, places in zip(values, decimals.values(), strict=True))
    return row.model, row.sample, row.scene, *numbers, scale, said
