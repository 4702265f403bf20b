"""What an evaluation is made of: a row an image and model, figures over rows, and comparisons of models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import UnknownName
from leadline.core.results import ModelRecord
from leadline.core.sample import Sample
from leadline.flows.evaluate.protocol import Protocol
from leadline.ops.metrics import Scores

__all__ = ["Comparison", "Evaluation", "Figure", "Judged", "Profile", "Row", "Rung", "Summary"]

Rung = str
"""How a prediction was brought to the truth before it was scored: ``"protocol"`` (as the protocol says: its own figures),
``"metric"`` (nothing), ``"scale"`` (median), ``"affine-depth"``, ``"affine-inverse-depth"`` (least squares)."""


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """Where the errors of one image are, small enough to be kept for every image.

    Args:
        depth_edges_m: Edges of depth bins, shape (B + 1,).
        depth_abs_rel: Sum of |e| / truth over the pixels of each bin, shape (B,).
        depth_pixels: Pixels of each bin, shape (B,).
        place_abs_rel: Sum of |e| / truth over cells of the image, shape (6, 8), rows from the top.
        place_pixels: Pixels of each cell, shape (6, 8).
        scale: Median of truth / prediction, 1 where the scale is right.
    """

    depth_edges_m: NDArray[np.float64]
    depth_abs_rel: NDArray[np.float64]
    depth_pixels: NDArray[np.int64]
    place_abs_rel: NDArray[np.float64]
    place_pixels: NDArray[np.int64]
    scale: float


@dataclass(frozen=True, slots=True)
class Row:
    """One image scored for one model, or the reason why it was not.

    Args:
        model: The model's name, or that of a folder of predictions.
        sample: The sample's id.
        scene: Its scene; empty where unknown.
        scores: Scores by rung; empty where it was skipped.
        time_s: Seconds the network took; 0 where the prediction was read.
        profile: Where the errors are, of the protocol's own rung.
        skipped: Why it was not scored; empty where it was.
        remarks: What else is to be said: an alignment that was degenerate, a prediction that was resized.
    """

    model: str
    sample: str
    scene: str
    scores: Mapping[Rung, Scores]
    time_s: float = 0.0
    profile: Profile | None = None
    skipped: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What a listener gets while an image is still in memory.

    Args:
        sample: Photo and truth.
        model: The model's record.
        prediction: What the model said, at the truth's size, of its own kind.
        depth: The same brought to the truth as the protocol says: what was scored.
        row: The scores.
    """

    sample: Sample
    model: ModelRecord
    prediction: DepthMap
    depth: DepthMap
    row: Row


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric of one model over all images.

    Args:
        mean: Mean over images.
        low: Lower end of its 95 % bootstrap confidence interval.
        high: Upper end.
        median: Median over images.
        pooled: Over the pixels of all images together; NaN where the metric cannot be pooled.
        images: Images it rests on.
    """

    mean: float
    low: float
    high: float
    median: float
    pooled: float
    images: int


@dataclass(frozen=True, slots=True)
class Summary:
    """All figures of one model on one rung.

    Args:
        model: The model.
        rung: The rung.
        figures: By metric, in the protocol's order.
    """

    model: str
    rung: Rung
    figures: Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models on the images that both were scored on.

    Args:
        metric: The metric.
        first: One model.
        second: The other.
        difference: Mean of first - second.
        low: Lower end of the paired 95 % bootstrap interval of the difference.
        high: Upper end.
        first_wins: Images on which the first is better.
        second_wins: Images on which the second is better.
        ties: Images on which they are equal.
        first_coverage: Mean share of the pixels that count that the first predicts, on these images.
        second_coverage: That of the second.
    """

    metric: str
    first: str
    second: str
    difference: float
    low: float
    high: float
    first_wins: int
    second_wins: int
    ties: int
    first_coverage: float = 1.0
    second_coverage: float = 1.0


@dataclass(frozen=True, slots=True, repr=False)
class Evaluation:
    """What came of an evaluation.

    Args:
        folder: Where rows, tables and report lie.
        protocol: The protocol.
        dataset: What was evaluated on, as typed: ``"nyu:PATH"``.
        models: Who was scored, in order.
        rows: A row an image and model, in the dataset's order, model after model.
        summaries: Figures of every model and rung; the rung ``"protocol"`` first.
        comparisons: Of every pair of models, by the protocol's metrics.
        chosen: Which samples of the dataset, in words: ``"30 of 795 samples, split train"``.
    """

    folder: Path
    protocol: Protocol
    dataset: str
    models: tuple[ModelRecord, ...]
    rows: tuple[Row, ...]
    summaries: tuple[Summary, ...]
    comparisons: tuple[Comparison, ...] = ()
    chosen: str = ""

    def figure(self, model: str, metric: str, *, rung: Rung = "protocol") -> Figure:
        """One figure.

        Args:
            model: The model's name.
            metric: The metric's name.
            rung: The rung.

        Returns:
            The figure.

        Raises:
            UnknownName: There is no such model, rung or metric.
        """
        figures = {(summary.model, summary.rung): summary.figures for summary in self.summaries}
        for what, name, known in (
            ("model that was scored", model, {model for model, _ in figures}),
            ("rung", rung, {rung for _, rung in figures}),
        ):
            if name not in known:
                raise UnknownName(what, name, known=known)
        held = figures.get((model, rung), {})
        if metric not in held:
            raise UnknownName(f"figure of {model} on the rung {rung}", metric, known=held)
        return held[metric]

    def __repr__(self) -> str:
        names = ", ".join(model.name for model in self.models)
        return (
            f"Evaluation of {names} under {self.protocol.name}: {len(self.rows)} rows in {str(self.folder)!r}"
        )

    def rows_of(self, model: str) -> Iterator[Row]:
        """The rows of one model.

        Args:
            model: Its name.

        Yields:
            Rows in the dataset's order, skipped ones among them.
        """
        return (row for row in self.rows if row.model == model)

    @property
    def skipped(self) -> Sequence[Row]:
        """The rows that were not scored."""
        return [row for row in self.rows if row.skipped]
