"""An evaluation as plain text, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from leadline.flows.evaluate.protocol import Protocol
from leadline.flows.evaluate.records import Comparison, Evaluation, Figure
from leadline.flows.evaluate.summary import ENOUGH, RUNGS, drawn_units
from leadline.flows.evaluate.wording import decimals_for, grouped, heading, shown, verdict

__all__ = ["table_of"]

Cells = list[str]


def table_of(evaluation: Evaluation) -> str:
    """The figures of an evaluation: per metric and model, on the other rungs, pair by pair, and what was skipped.

    Args:
        evaluation: What came of it.

    Returns:
        Lines of text, columns aligned, without a line end behind the last.
    """
    parts = [_head(evaluation), _figures(evaluation), _ladder(evaluation)]
    parts += [_pairs(evaluation), _left_out(evaluation)]
    return "\n\n".join(part for part in parts if part)


def _head(evaluation: Evaluation) -> str:
    protocol = evaluation.protocol
    units, count = drawn_units(evaluation.rows)
    said = f"{protocol.name} on {evaluation.dataset}" + (
        f": {evaluation.chosen}" if evaluation.chosen else ""
    )
    if count < 2:
        return f"{said}\nno intervals: they need two {units} at least"
    few = ": so few that they are too narrow" if count < ENOUGH else ""
    return f"{said}\nintervals: 95 % of the mean, bootstrapped over {count:,} {units}{few}"


def _figures(evaluation: Evaluation) -> str:
    protocol, models = evaluation.protocol, [model.name for model in evaluation.models]
    mark = {name: "*" if name == protocol.aggregate else "" for name in ("mean", "pooled")}
    lines = [
        [
            "metric",
            "model",
            f"mean{mark['mean']}",
            "95 % interval",
            "median",
            f"pooled{mark['pooled']}",
            "images",
        ]
    ]
    for metric in protocol.metrics:
        figures = [evaluation.figure(model, metric) for model in models]
        decimals = decimals_for(figure.mean for figure in figures)
        names = [heading(metric, protocol), *[""] * (len(models) - 1)]
        for name, model, figure in zip(names, models, figures, strict=True):
            lines.append([name, model, *_said(figure, decimals)])
    return f"{_aligned(lines, left=2)}\n* what this protocol reports"


def _said(figure: Figure, decimals: int) -> Cells:
    span = f"{shown(figure.low, decimals)} to {shown(figure.high, decimals)}"
    return [
        shown(figure.mean, decimals),
        span if figure.low == figure.low else "–",
        shown(figure.median, decimals),
        shown(figure.pooled, decimals),
        f"{figure.images:,}",
    ]


def _ladder(evaluation: Evaluation) -> str:
    """The protocol's aggregate on every rung, where there are others than its own."""
    present = [rung for rung in RUNGS if any(summary.rung == rung for summary in evaluation.summaries)]
    if len(present) < 2:
        return ""
    protocol = evaluation.protocol
    lines = [["metric", "model", *present]]
    for metric in protocol.metrics:
        lines += _rungs(evaluation, metric, present)
    title = f"the same predictions brought nearer to the truth ({protocol.aggregate}):"
    return f"{title}\n{_aligned(lines, left=2)}" if len(lines) > 1 else ""


def _rungs(evaluation: Evaluation, metric: str, rungs: Sequence[str]) -> Iterator[Cells]:
    protocol = evaluation.protocol
    held = {(s.model, s.rung): s.figures[metric] for s in evaluation.summaries if s.figures[metric].images}
    if all(rung == "protocol" for _, rung in held):
        return
    values = {key: getattr(figure, protocol.aggregate) for key, figure in held.items()}
    decimals = decimals_for(values.values())
    for number, model in enumerate(model.name for model in evaluation.models):
        cells = [shown(values.get((model, rung), float("nan")), decimals) for rung in rungs]
        yield ["" if number else heading(metric, protocol), model, *cells]


def _pairs(evaluation: Evaluation) -> str:
    pairs: dict[tuple[str, str], list[Comparison]] = {}
    for comparison in evaluation.comparisons:
        pairs.setdefault((comparison.first, comparison.second), []).append(comparison)
    return "\n\n".join(
        f"{first} minus {second}, on the images of both:\n{_pair(found, evaluation.protocol)}"
        for (first, second), found in pairs.items()
    )


def _pair(comparisons: Sequence[Comparison], protocol: Protocol) -> str:
    lines = [["metric", "difference", "95 % interval", "first wins", "second wins", "equal", "better"]]
    for comparison in comparisons:
        ends = (comparison.difference, comparison.low, comparison.high)
        mean, low, high = (shown(value, decimals_for(ends)) for value in ends)
        span = f"{low} to {high}" if comparison.low == comparison.low else "–"
        counts = (comparison.first_wins, comparison.second_wins, comparison.ties)
        cells = [heading(comparison.metric, protocol), mean, span, *(f"{count:,}" for count in counts)]
        lines.append([*cells, verdict(comparison)])
    return _aligned(lines, left=1, last_left=True)


def _left_out(evaluation: Evaluation) -> str:
    skipped = grouped((row.skipped, row) for row in evaluation.rows if row.skipped)
    remarks = grouped((remark, row) for row in evaluation.rows for remark in row.remarks)
    lines = [
        f"{model}: {len(samples):,} not scored: {words} ({', '.join(_few(samples))})"
        for (words, model), samples in skipped.items()
    ]
    lines += [f"{model}: {len(samples):,} scored, but {words}" for (words, model), samples in remarks.items()]
    return "\n".join(lines)


def _few(names: Sequence[str]) -> list[str]:
    return list(names) if len(names) <= 4 else [*names[:3], f"and {len(names) - 3:,} more"]


def _aligned(lines: Sequence[Cells], *, left: int, last_left: bool = False) -> str:
    """Lines of cells in columns: the first so many to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    last = len(widths) - 1

    def padded(cell: str, column: int) -> str:
        to_left = column < left or (last_left and column == last)
        return cell.ljust(widths[column]) if to_left else cell.rjust(widths[column])

    return "\n".join("  ".join(padded(cell, n) for n, cell in enumerate(cells)).rstrip() for cells in lines)
