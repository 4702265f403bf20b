"""What a dataset's numbers are like: sizes, shares of known pixels, depths and their histogram, in one pass."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.core.kind import Freedom
from leadline.core.sample import Sample
from leadline.flows.data.choosing import OPTION_HELP, PLACE_HELP, chosen
from leadline.flows.data.collection import Collection, OnError, Skipped
from leadline.flows.data.sheet import Sheet
from leadline.flows.options import Told, check_bounds, told

__all__ = ["Stats", "StatsRequest", "histogram_sheet", "measure", "stats"]

_PER_DECADE = 400
_LOW, _HIGH = -6, 8
_BINS = (_HIGH - _LOW) * _PER_DECADE
_FEW_LEVELS = 4096


@dataclass(frozen=True, slots=True)
class StatsRequest:
    """What ``leadline data stats`` is asked for."""

    place: str = field(metadata=told(Told(PLACE_HELP, positional=True)))
    option: tuple[str, ...] = field(
        default=(), metadata=told(Told(OPTION_HELP, metavar="KEY=VALUE", whole=True))
    )
    split: str = field(
        default="", metadata=told(Told("Only this split.", choices=("", "train", "val", "test")))
    )
    first: int | None = field(default=None, metadata=told(Told("The first so many only.", minimum=1)))
    spread: int | None = field(
        default=None, metadata=told(Told("So many samples, spread evenly, instead of all.", minimum=1))
    )
    out: Path | None = field(
        default=None, metadata=told(Told("Write the histogram as a picture.", short="o", metavar="FILE"))
    )
    workers: int = field(default=2, metadata=told(Told("Threads that read.", minimum=0, maximum=256)))
    on_error: str = field(
        default="raise",
        metadata=told(Told("What to do about a sample that cannot be read.", choices=("raise", "skip"))),
    )

    def __post_init__(self) -> None:
        check_bounds(self)


@dataclass(frozen=True, eq=False)
class Stats:
    """What was measured.

    Args:
        name: The dataset.
        unit: Of the values.
        samples: How many were measured.
        sizes: Photo sizes as ``"640x480"``, and how many have each.
        depth_sizes: The same of depth.
        valid_mean: Mean share of known pixels.
        valid_least: Smallest share, and whose it is.
        infinite_mean: Mean share of sky.
        least: Smallest value.
        largest: Largest value.
        mean: Mean of all known pixels.
        percentiles: Value at 1, 5, 25, 50, 75, 95 and 99 %, over all known pixels, to half a percent.
        levels: Distinct values in the first samples; 0 where there are very many.
        scenes: Number of scenes; 0 where unknown.
        splits: Samples in each split.
        cameras: Distinct cameras.
        edges: Borders of the histogram's bins.
        counts: Pixels in each bin.
        skipped: What could not be read.
    """

    name: str
    unit: str
    samples: int
    sizes: dict[str, int]
    depth_sizes: dict[str, int]
    valid_mean: float
    valid_least: tuple[float, str]
    infinite_mean: float
    least: float
    largest: float
    mean: float
    percentiles: dict[int, float]
    levels: int
    scenes: int
    splits: dict[str, int]
    cameras: int
    edges: NDArray[np.float64]
    counts: NDArray[np.float64]
    skipped: tuple[Skipped, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; the histogram in 40 bins."""
        edges, counts = self.coarse(40)
        plain = {
            key: getattr(self, key)
            for key in self.__dataclass_fields__
            if key not in ("edges", "counts", "skipped", "valid_least")
        }
        return {
            **plain,
            "valid_least": {"share": self.valid_least[0], "id": self.valid_least[1]},
            "histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
            "skipped": [item.id for item in self.skipped],
        }

    def coarse(self, bins: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The histogram from its first to its last filled bin, in about so many bins.

        Args:
            bins: How many.

        Returns:
            Edges and counts.
        """
        filled = np.nonzero(self.counts)[0]
        if not filled.size:
            return self.edges[:2], np.zeros(1)
        first, last = int(filled[0]), int(filled[-1]) + 1
        step = max(1, math.ceil((last - first) / bins))
        stop = first + step * math.ceil((last - first) / step)
        counts = (
            np.pad(self.counts, (0, max(0, stop - len(self.counts))))[first:stop].reshape(-1, step).sum(1)
        )
        edges = 10 ** (_LOW + np.arange(first, stop + 1, step) / _PER_DECADE)
        return edges, counts

    def __str__(self) -> str:
        def counted(table: dict[str, int]) -> str:
            most = sorted(table.items(), key=lambda item: -item[1])
            rest = f" and {len(most) - 4} more" if len(most) > 4 else ""
            return ", ".join(f"{key} ({count:,})" for key, count in most[:4]) + rest

        p = self.percentiles
        lines = [
            f"{self.name}: {self.samples:,} samples"
            + (f", {self.scenes:,} scenes" if self.scenes else "")
            + (f", splits {counted(self.splits)}" if set(self.splits) != {"none"} else ""),
            f"photos {counted(self.sizes)}; depth {counted(self.depth_sizes)}; {self.cameras:,} cameras",
            f"known pixels {100 * self.valid_mean:.1f}% on average, least {100 * self.valid_least[0]:.1f}% "
            f"({self.valid_least[1]})"
            + (f", sky {100 * self.infinite_mean:.1f}%" if self.infinite_mean else ""),
        ]
        if p:
            lines += [
                f"values {self.least:.4g} to {self.largest:.4g} {self.unit}, mean {self.mean:.4g}, median {p[50]:.4g}; "
                f"1% {p[1]:.4g}, 5% {p[5]:.4g}, 25% {p[25]:.4g}, 75% {p[75]:.4g}, 95% {p[95]:.4g}, 99% {p[99]:.4g}",
                f"distinct values: {self.levels:,}" if self.levels else "distinct values: very many",
                *self._bars(),
            ]
        if self.skipped:
            lines.append(f"{len(self.skipped):,} could not be read, such as {self.skipped[0].reason}")
        return "\n".join(lines)

    __repr__ = __str__

    def _bars(self) -> list[str]:
        edges, counts = self.coarse(16)
        longest = float(counts.max()) or 1.0
        total = float(counts.sum()) or 1.0
        return [
            f"{low:9.3g} {'█' * round(40 * count / longest):<40} {100 * count / total:4.1f}%"
            for low, count in zip(edges, counts, strict=False)
        ]


def stats(request: StatsRequest, *, step: Callable[[int, int], None] | None = None) -> Stats:
    """Measures a dataset, and writes the histogram where that is asked for.

    Args:
        request: What to measure.
        step: Is told how many are done, of how many.

    Returns:
        What was measured.

    Raises:
        DatasetError: A sample cannot be read and it was not asked to go on.
        MissingExtra: A picture is asked for and matplotlib is not installed.
    """
    collection = chosen(request)
    if request.spread is not None:
        collection = collection.spread(request.spread)
    on_error: OnError = "skip" if request.on_error == "skip" else "raise"
    found = measure(collection, workers=request.workers, on_error=on_error, step=step)
    if request.out is not None:
        histogram_sheet(found).save(request.out)
    return found


def histogram_sheet(found: Stats) -> Sheet:
    """The histogram as a picture.

    Args:
        found: What was measured.

    Returns:
        The picture.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    from leadline.io.plots import draw_histogram

    edges, counts = found.coarse(120)
    return Sheet(
        draw_histogram(edges, counts, title=f"{found.name}, {found.samples:,} samples", unit=found.unit)
    )


def measure(
    collection: Collection,
    *,
    workers: int = 2,
    on_error: OnError = "raise",
    step: Callable[[int, int], None] | None = None,
) -> Stats:
    """Measures samples in one pass; memory does not grow with their number.

    Convention:
        Percentiles come from a histogram of 400 bins a decade: within half a percent of the exact value.

    Args:
        collection: The samples.
        workers: Threads that read.
        on_error: ``"skip"`` goes on past what cannot be read, and counts it.
        step: Is told how many are done, of how many.

    Returns:
        What was measured.

    Raises:
        DatasetError: A sample cannot be read and it was not asked to go on.
    """
    skipped: list[Skipped] = []
    tally = _Tally()
    for number, sample in enumerate(
        collection.read(workers=workers, on_error=on_error, told=skipped.append), 1
    ):
        tally.add(sample)
        if step is not None:
            step(number + len(skipped), len(collection))
    entries = collection.entries
    scenes = {entry.scene for entry in entries} - {""}
    splits = Counter(entry.split or "none" for entry in entries)
    return tally.finished(collection, len(scenes), dict(splits), tuple(skipped))


class _Tally:
    """Sums over samples."""

    def __init__(self) -> None:
        self.sizes: Counter[str] = Counter()
        self.depth_sizes: Counter[str] = Counter()
        self.counts = np.zeros(_BINS)
        self.shares: list[float] = []
        self.least_share = (2.0, "")
        self.sky = 0.0
        self.low, self.high = math.inf, -math.inf
        self.total, self.pixels = 0.0, 0
        self.levels: NDArray[np.float32] | None = np.zeros(0, np.float32)
        self.cameras: set[object] = set()

    def add(self, sample: Sample) -> None:
        truth, image = sample.truth, sample.image
        self.sizes[f"{image.width}x{image.height}"] += 1
        self.depth_sizes[f"{truth.width}x{truth.height}"] += 1
        self.cameras.add(image.camera)
        share = float(truth.valid.mean())
        self.shares.append(share)
        self.least_share = min(self.least_share, (share, sample.id))
        self.sky += float(truth.infinite.mean())
        known = truth.values[truth.valid]
        if not known.size:
            return
        self.low, self.high = min(self.low, float(known.min())), max(self.high, float(known.max()))
        self.total += float(known.sum(dtype=np.float64))
        self.pixels += known.size
        if truth.kind.freedom is not Freedom.AFFINE:
            at = ((np.log10(known) - np.float32(_LOW)) * np.float32(_PER_DECADE)).astype(np.int32)
            self.counts += np.bincount(np.clip(at, 0, _BINS - 1), minlength=_BINS)
        if self.levels is not None and len(self.shares) <= 8:
            self.levels = np.union1d(self.levels, known)
            if len(self.levels) > _FEW_LEVELS:
                self.levels = None

    def finished(
        self, collection: Collection, scenes: int, splits: dict[str, int], skipped: tuple[Skipped, ...]
    ) -> Stats:
        count = len(self.shares)
        return Stats(
            name=collection.spec.name,
            unit=collection.kind.unit,
            samples=count,
            sizes=dict(self.sizes),
            depth_sizes=dict(self.depth_sizes),
            valid_mean=float(np.mean(self.shares)) if count else 0.0,
            valid_least=self.least_share,
            infinite_mean=self.sky / max(count, 1),
            least=self.low,
            largest=self.high,
            mean=self.total / max(self.pixels, 1),
            percentiles={p: self._percentile(p) for p in (1, 5, 25, 50, 75, 95, 99)}
            if self.counts.any()
            else {},
            levels=0 if self.levels is None else len(self.levels),
            scenes=scenes,
            splits=splits,
            cameras=len(self.cameras),
            edges=10 ** (_LOW + np.arange(_BINS + 1) / _PER_DECADE),
            counts=self.counts,
            skipped=skipped,
        )

    def _percentile(self, share: float) -> float:
        """The middle of the bin in which that share of pixels is reached."""
        reached = int(np.searchsorted(np.cumsum(self.counts), self.counts.sum() * share / 100))
        value = float(10 ** (_LOW + (min(reached, _BINS - 1) + 0.5) / _PER_DECADE))
        return min(max(value, self.low), self.high)
