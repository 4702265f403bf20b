"""What a process that measures is told, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from leadline.flows.benchmark_request import PIPELINE
from leadline.plugins.ports import EngineOptions
from leadline.plugins.specs import ModelSpec

__all__ = ["Begun", "Memory", "Order", "Runner", "Variant"]


@dataclass(frozen=True, slots=True)
class Variant:
    """One way of running one model.

    Args:
        spec: The model.
        engine: The engine's name, or ``PIPELINE`` for transformers' own.
        options: What the engine is told.
        batch: Photos that go through together.
    """

    spec: ModelSpec
    engine: str
    options: EngineOptions
    batch: int

    @property
    def is_pipeline(self) -> bool:
        """Whether transformers' own pipeline is to run it."""
        return self.engine == PIPELINE

    @property
    def words(self) -> str:
        """The variant in a few words, for progress."""
        return f"{self.spec.name} {self.engine}"


@dataclass(frozen=True, slots=True)
class Order:
    """What a process that measures is told.

    Args:
        variant: What to run.
        photos: The photo files.
    """

    variant: Variant
    photos: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Begun:
    """A process has predicted its first photo.

    Args:
        ran: What runs, and where.
        start_s: Seconds from before the process was there to the answer.
        open_s: Of these, opening the model.
        first_s: Of these, the first photo.
        remarks: What the engine did otherwise than it was asked to, in words.
    """

    ran: str
    start_s: float
    open_s: float
    first_s: float
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Memory:
    """The most memory that a process has held.

    Args:
        main_bytes: Main memory; None where the system does not tell.
        gpu_bytes: Memory of the graphics processor; None where none was used.
    """

    main_bytes: int | None = None
    gpu_bytes: int | None = None


class Runner(Protocol):
    """A variant that is open in a process of its own."""

    @property
    def begun(self) -> Begun:
        """What its start came to."""
        ...

    def time(self, seconds: float) -> list[float]:
        """Seconds a photo of several calls, for about so long; a first call is not counted.

        Raises:
            LeadlineError: It failed, or its process ended.
        """
        ...

    def files(self, photos: int) -> float:
        """Photos a second from so many photo files to as many 16-bit PNG files.

        Raises:
            LeadlineError: It failed, or its process ended.
        """
        ...

    def memory(self) -> Memory:
        """What it has held at most.

        Raises:
            LeadlineError: Its process ended.
        """
        ...

    def close(self) -> None:
        """Ends the process."""
        ...
