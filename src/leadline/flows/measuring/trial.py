"""A variant while it is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from leadline.flows.benchmark_request import PIPELINE
from leadline.flows.engine_choice import versions_of
from leadline.flows.measuring.order import Begun, Memory, Order, Runner, Variant
from leadline.flows.measuring.report import BenchmarkRow
from leadline.plugins.registry import ENGINES
from leadline.plugins.specs import EngineSpec

__all__ = ["Trial", "files_of_a_turn"]

_PIPELINE = EngineSpec(PIPELINE, "", "", packages=("torch", "transformers"))


@dataclass(slots=True)
class Trial:
    """A variant while it is measured.

    Args:
        variant: What is run.
        reason: Why there are no figures, or no more.
        weights_sha256: What tells its weights from all others.
        runner: Where it runs, while it does.
        starts: What each start came to, the very first too.
        ms: Milliseconds a photo, a list a round.
        photos_per_s: From file to file, a figure a round.
        memory: The most it has held.
    """

    variant: Variant
    reason: str = ""
    weights_sha256: str = ""
    runner: Runner | None = None
    starts: list[Begun] = field(default_factory=list)
    ms: list[tuple[float, ...]] = field(default_factory=list)
    photos_per_s: list[float] = field(default_factory=list)
    memory: Memory = field(default_factory=Memory)

    def open(self, photos: tuple[Path, ...], *, starts: int, begin: Callable[[Order], Runner]) -> None:
        """Starts it once, and then as often as starts are to be timed; the last one stays.

        At its first start an engine may make what it keeps (a compiled program, weights in 8-bit integers), and the system
        reads files that it holds in memory from then on: that one is no start like those that follow.

        Args:
            photos: The photo files.
            starts: How often.
            begin: What opens a variant.

        Raises:
            LeadlineError: It cannot be run.
        """
        for _ in range(1 + starts):
            self.close()
            self.runner = begin(Order(self.variant, photos))
            self.starts.append(self.runner.begun)

    def turn(self, *, seconds: float, photos: int) -> None:
        """One turn: the network alone, then from file to file.

        Args:
            seconds: How long each is to take, about.
            photos: How many photo files there are.

        Raises:
            LeadlineError: It failed.
        """
        assert self.runner is not None
        times_s = self.runner.time(seconds)
        self.ms.append(tuple(1000 * time_s for time_s in times_s))
        files = files_of_a_turn(seconds, min(times_s), batch=self.variant.batch, there=photos)
        self.photos_per_s.append(self.runner.files(files))
        self.memory = self.runner.memory()

    def close(self) -> None:
        """Ends it, where it runs."""
        if self.runner is not None:
            self.runner.close()
            self.runner = None

    def row(self) -> BenchmarkRow:
        """What it came to.

        Returns:
            The row; its ratios are not known yet.
        """
        variant, options = self.variant, self.variant.options
        return BenchmarkRow(
            model=variant.spec.name,
            engine=variant.engine,
            precision=options.precision,
            compile=options.compile,
            device=options.device,
            threads=options.threads,
            batch=variant.batch,
            reason=self.reason,
            ran=self.starts[-1].ran if self.starts else "",
            remarks=self.starts[-1].remarks if self.starts else (),
            source=variant.spec.weights.source,
            weights_sha256=self.weights_sha256,
            versions=versions_of(
                variant.spec, _PIPELINE if variant.is_pipeline else ENGINES.get(variant.engine)
            ),
            first_start_s=self.starts[0].start_s if self.starts else None,
            start_s=tuple(begun.start_s for begun in self.starts[1:]),
            open_s=tuple(begun.open_s for begun in self.starts[1:]),
            first_s=tuple(begun.first_s for begun in self.starts[1:]),
            ms=tuple(self.ms),
            photos_per_s=tuple(self.photos_per_s),
            memory_bytes=self.memory.main_bytes,
            gpu_memory_bytes=self.memory.gpu_bytes,
        )


def files_of_a_turn(seconds: float, time_s: float, *, batch: int, there: int) -> int:
    """How many files a turn goes through.

    Args:
        seconds: How long it is to take, about.
        time_s: Seconds a photo.
        batch: Photos that go through together.
        there: How many files there are.

    Returns:
        About as many as take so long, in whole batches: two of them or more, as far as there are files.

    Example:
        >>> files_of_a_turn(1.0, 0.1, batch=4, there=32), files_of_a_turn(1.0, 5.0, batch=1, there=32)
        (8, 2)
    """
    wanted = max(2, round(seconds / max(time_s, 1e-6) / batch))
    return min(wanted, max(1, there // batch)) * batch
