"""What a benchmark comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import PurePath
from typing import Any

import numpy as np

from leadline.flows.benchmark_request import PIPELINE
from leadline.io.machine import Machine

__all__ = ["BUSY", "FORMAT_VERSION", "BenchmarkReport", "BenchmarkRow", "Spread", "with_ratios"]

FORMAT_VERSION = 1

BUSY = 0.5
"""Load a processor at the start, above which the machine has other work."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Figures, as their median and how far they spread.

    Args:
        median: Half are smaller.
        low: 10th percentile.
        high: 90th percentile.
        count: How many there are.
    """

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, figures: Sequence[float]) -> Spread | None:
        """The spread of figures.

        Args:
            figures: The figures.

        Returns:
            Median and percentiles, interpolated linearly; None where there is no figure.

        Example:
            >>> Spread.of([1.0, 2.0, 3.0])
            Spread(median=2.0, low=1.2, high=2.8, count=3)
        """
        if not figures:
            return None
        low, median, high = (round(float(value), 6) for value in np.percentile(figures, (10, 50, 90)))
        return cls(median, low, high, len(figures))


@dataclass(frozen=True, slots=True)
class BenchmarkRow:
    """One way of running one model.

    Args:
        model: The model's name.
        engine: The engine's name, or ``"pipeline"`` for transformers' own.
        precision: As it was asked for.
        compile: As it was asked for.
        device: As it was asked for.
        threads: As it was asked for; 0 let the engine choose.
        batch: Photos that went through together.
        reason: Why there are no figures, or no more; empty where nothing went wrong.
        ran: What ran, and where.
        remarks: What the engine did otherwise than it was asked to, in words.
        source: Where its weights are from.
        weights_sha256: What tells the weights from all others.
        versions: Versions of what ran, by package.
        first_start_s: As ``start_s``, of the very first start, in which an engine may make what it keeps.
        start_s: A new process until its first photo is predicted, a figure a start.
        open_s: Of it, opening the model.
        first_s: Of it, the first photo.
        ms: Milliseconds a photo, pre- and post-processing included, files not, a list a round.
        photos_per_s: From photo files to 16-bit PNG files, a figure a round.
        ratios: ``photos_per_s`` over the pipeline's of the same round, a figure a round.
        memory_bytes: The most main memory the process held.
        gpu_memory_bytes: The most memory of the graphics processor.
    """

    model: str
    engine: str
    precision: str
    compile: str
    device: str
    threads: int
    batch: int
    reason: str = ""
    ran: str = ""
    remarks: tuple[str, ...] = ()
    source: str = ""
    weights_sha256: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    first_start_s: float | None = None
    start_s: tuple[float, ...] = ()
    open_s: tuple[float, ...] = ()
    first_s: tuple[float, ...] = ()
    ms: tuple[tuple[float, ...], ...] = ()
    photos_per_s: tuple[float, ...] = ()
    ratios: tuple[float, ...] = ()
    memory_bytes: int | None = None
    gpu_memory_bytes: int | None = None

    @property
    def start(self) -> Spread | None:
        """Seconds of a cold start."""
        return Spread.of(self.start_s)

    @property
    def time_ms(self) -> Spread | None:
        """Milliseconds a photo, over all rounds."""
        return Spread.of([figure for each in self.ms for figure in each])

    @property
    def speed(self) -> Spread | None:
        """Photos a second from file to file."""
        return Spread.of(self.photos_per_s)

    @property
    def ratio(self) -> Spread | None:
        """How many times as many photos a second as the pipeline."""
        return Spread.of(self.ratios)

    def to_dict(self) -> dict[str, Any]:
        """The row as plain JSON values: the figures, and their spreads; of a path on this machine its last part only."""
        spreads = {
            "start": self.start,
            "time_ms": self.time_ms,
            "speed": self.speed,
            "ratio": self.ratio,
        }
        source = _without_folders(self.source)
        return {
            **asdict(self),
            "source": source,
            **{k: None if v is None else asdict(v) for k, v in spreads.items()},
        }


@dataclass(frozen=True, slots=True)
class BenchmarkReport:
    """What a benchmark came to.

    Args:
        began: When, as ISO 8601 in UTC.
        machine: Where.
        python: Version of Python.
        photos: Where the photos are from, in words.
        size: Their size, ``"640x480"``, or ``"mixed"``.
        rounds: Rounds that were asked for.
        seconds: Seconds that a turn's figures are taken over.
        load: Processes that wanted to run when it began, on average over a minute; None where that is not counted.
        complete: Whether it came to its end.
        rows: One a variant.
    """

    began: str
    machine: Machine
    python: str
    photos: str
    size: str
    rounds: int
    seconds: float
    load: float | None
    complete: bool
    rows: tuple[BenchmarkRow, ...]

    @property
    def busy(self) -> bool:
        """Whether the machine had other work when it began."""
        return self.load is not None and self.load > BUSY * self.machine.processors

    @property
    def versions(self) -> dict[str, str]:
        """Of leadline and what ran, by package."""
        return {name: number for row in self.rows for name, number in row.versions.items()}

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {
            "leadline_benchmark": FORMAT_VERSION,
            "began": self.began,
            "complete": self.complete,
            "machine": self.machine.to_dict(),
            "load": self.load,
            "busy": self.busy,
            "python": self.python,
            "versions": self.versions,
            "photos": self.photos,
            "size": self.size,
            "rounds": self.rounds,
            "seconds": self.seconds,
            "rows": [row.to_dict() for row in self.rows],
        }


def _without_folders(source: str) -> str:
    """Where weights are from, without the folders of one person's machine: results are shown to others."""
    scheme, _, rest = source.partition(":")
    return f"{scheme}:{PurePath(rest).name}" if scheme in ("file", "folder") else source


def with_ratios(rows: Sequence[BenchmarkRow]) -> list[BenchmarkRow]:
    """Rows of one model with what each came to beside transformers' pipeline, round by round.

    Args:
        rows: The rows, perhaps with one of the pipeline.

    Returns:
        The same rows; without the pipeline's figures they have no ratios.
    """
    theirs = next((row.photos_per_s for row in rows if row.engine == PIPELINE), ())
    return [
        replace(row, ratios=tuple(own / its for own, its in zip(row.photos_per_s, theirs, strict=False)))
        if row.engine != PIPELINE
        else row
        for row in rows
    ]
