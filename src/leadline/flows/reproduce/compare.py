"""Published against measured: how far apart, whether that is near enough, and what may explain it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from leadline.flows.evaluate.records import Evaluation, Figure
from leadline.flows.reproduce.cell_files import hint_of
from leadline.flows.reproduce.cells import Cell, Published

__all__ = ["Compared", "Reproduction", "compare"]


@dataclass(frozen=True, slots=True)
class Compared:
    """One metric: what was printed and what came out.

    Args:
        metric: The metric.
        measured: What came out, aggregated as the protocol says; NaN where it could not be measured.
        cell: What was printed; None where that could not be read.
        other: The same aggregated the other way: pooled where the protocol takes the mean, and so on; NaN where it cannot.
    """

    metric: str
    measured: float
    cell: Cell | None
    other: float = math.nan

    @property
    def difference(self) -> float:
        """Measured less published; NaN where nothing was published."""
        return math.nan if self.cell is None else self.measured - self.cell.value

    @property
    def within(self) -> bool:
        """Whether the measured figure is as near as is to be expected; where nothing is published there is nothing to miss."""
        return self.cell is None or _near(self.measured, self.cell)

    @property
    def other_way(self) -> bool:
        """Whether the figure is missed, and aggregated the other way it would not be."""
        return self.cell is not None and not self.within and _near(self.other, self.cell)


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What came of checking a published row.

    Args:
        published: The row.
        evaluation: What was measured.
        compared: Metric by metric.
        remarks: What was otherwise than in the source: fewer images, other weights.
    """

    published: Published
    evaluation: Evaluation
    compared: tuple[Compared, ...]
    remarks: tuple[str, ...]

    @property
    def within(self) -> bool:
        """Whether all figures are."""
        return all(one.within for one in self.compared)

    @property
    def reasons(self) -> tuple[str, ...]:
        """What may explain figures that are missed; nothing where none is."""
        return () if self.within else tuple(_reasons(self))


def compare(published: Published, evaluation: Evaluation) -> Reproduction:
    """Compares what was printed with what was measured.

    Args:
        published: The row.
        evaluation: An evaluation of one model under the row's protocol.

    Returns:
        The comparison.

    Raises:
        KeyError: The evaluation has not measured one of the row's metrics.
    """
    model = evaluation.models[0]
    cells = {cell.metric: cell for cell in published.cells}
    compared = []
    for metric in (*published.values, *published.unread):
        figure = evaluation.figure(model.name, metric)
        pooled = evaluation.protocol.aggregate == "pooled"
        measured, other = (figure.pooled, figure.mean) if pooled else (figure.mean, figure.pooled)
        compared.append(Compared(metric, measured, cells.get(metric), other))
    first = evaluation.figure(model.name, compared[0].metric)
    return Reproduction(published, evaluation, tuple(compared), tuple(_remarks(published, evaluation, first)))


def _near(value: float, cell: Cell) -> bool:
    """Within the tolerance, rounding of floating point aside; a NaN is not."""
    return abs(value - cell.value) <= cell.tolerance * (1 + 1e-9)


def _remarks(published: Published, evaluation: Evaluation, figure: Figure) -> Iterator[str]:
    if published.images and figure.images != published.images:
        yield f"measured on {figure.images} images, published on {published.images}: not the same question"
    model = evaluation.models[0]
    if published.weights_sha256 and model.weights_sha256 != published.weights_sha256:
        yield (
            f"the figures are those of one file (SHA-256 {published.weights_sha256[:12]}…), and this is another "
            f"({model.weights_sha256[:12] or 'unknown'}…)"
        )
    if published.model and model.name != published.model:
        yield f"the figures are those of {published.model}, and {model.name} was scored"


def _reasons(reproduction: Reproduction) -> Iterator[str]:
    other = [one.metric for one in reproduction.compared if one.other_way]
    if other:
        way = (
            "the mean over images"
            if reproduction.evaluation.protocol.aggregate == "pooled"
            else "pooled over pixels"
        )
        yield f"{', '.join(other)}: {way} would be within: the source may aggregate so."
    yield from (hint_of(name) for name in reproduction.published.hints)
