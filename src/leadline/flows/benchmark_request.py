"""What a benchmark can be asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from leadline.core.errors import InputError, UnknownName
from leadline.flows.engine_choice import AUTO
from leadline.flows.options import Told, check_bounds, told
from leadline.flows.typed import picture_size
from leadline.plugins.ports import COMPILES, PRECISIONS

__all__ = ["LARGEST_BATCH", "PIPELINE", "BenchmarkRequest"]

PIPELINE = "pipeline"
"""What stands for transformers' own depth-estimation pipeline where engines are named."""

LARGEST_BATCH = 256
_SHIPPED_SIZE = (640, 480)


@dataclass(frozen=True, slots=True)
class BenchmarkRequest:
    """What ``leadline benchmark`` is asked for."""

    models: tuple[str, ...] = field(
        default=(),
        metadata=told(
            Told(
                "Models: names, hf:ORG/NAME, checkpoint folders, ONNX files; all that are here by default.",
                positional=True,
                names="model",
            )
        ),
    )
    engines: tuple[str, ...] = field(
        default=(AUTO,),
        metadata=told(
            Told(
                "Engines, with commas; auto: all that the model names.",
                flag="engine",
                metavar="ENGINE",
                names="engine",
            )
        ),
    )
    precisions: tuple[str, ...] = field(
        default=("auto",),
        metadata=told(
            Told(f"Precisions, with commas: {', '.join(PRECISIONS)}.", flag="precision", metavar="PRECISION")
        ),
    )
    compiles: tuple[str, ...] = field(
        default=("auto",),
        metadata=told(
            Told(f"Ways to compile, with commas: {', '.join(COMPILES)}.", flag="compile", metavar="COMPILE")
        ),
    )
    batches: tuple[str, ...] = field(
        default=("1",),
        metadata=told(
            Told("Photos that go through together, several with commas.", flag="batch", metavar="NUMBER")
        ),
    )
    device: str = field(
        default="auto", metadata=told(Told("Device: auto, cpu, cuda … as the engine offers."))
    )
    threads: int = field(
        default=0,
        metadata=told(Told("CPU threads of the network; 0: one a physical core.", minimum=0, maximum=1024)),
    )
    photos: tuple[str, ...] = field(
        default=(),
        metadata=told(
            Told(
                "Photos to measure with: files, folders, globs, @lists; repeat it. The shipped one by default.",
                metavar="PHOTOS",
                whole=True,
            )
        ),
    )
    size: str = field(
        default="",
        metadata=told(
            Told(
                "Size that photos are brought to; by default 640x480 for the shipped one, your own as they are.",
                metavar="WIDTHxHEIGHT",
            )
        ),
    )
    int8_photos: tuple[str, ...] = field(
        default=(),
        metadata=told(
            Told(
                "Photos that --precision int8 is calibrated on, once: files, folders, globs; repeat it.",
                flag="int8-photos",
                metavar="PHOTOS",
                whole=True,
            )
        ),
    )
    against: str = field(
        default="",
        metadata=told(
            Told(
                "Also run transformers' own pipeline with the same checkpoint, and give ratios to it.",
                choices=("", PIPELINE),
            )
        ),
    )
    rounds: int = field(
        default=5,
        metadata=told(
            Told("Rounds; in each, every variant of a model has its turn.", minimum=1, maximum=1000)
        ),
    )
    seconds: float = field(
        default=1.0,
        metadata=told(
            Told(
                "Seconds that a turn's figures are taken over; at least one photo whatever it takes.",
                minimum=0.0,
                maximum=600.0,
            )
        ),
    )
    starts: int = field(
        default=1,
        metadata=told(
            Told(
                "Cold starts a variant that are timed, each in a new process, after one that is not.",
                minimum=1,
                maximum=100,
            )
        ),
    )
    kind: str = field(
        default="",
        metadata=told(Told("What the models predict, where they do not say so themselves.", metavar="KIND")),
    )
    out: Path | None = field(
        default=None,
        metadata=told(Told("File for the results as JSON.", short="o", metavar="FILE")),
    )

    def __post_init__(self) -> None:
        check_bounds(self)
        _ = self.batch_sizes, self.picture_size
        for known, what, names in (
            (PRECISIONS, "precision", self.precisions),
            (COMPILES, "way to compile", self.compiles),
        ):
            for name in names:
                if name not in known:
                    raise UnknownName(what, name, known=known)
        for name in ("engines", "precisions", "compiles", "batches"):
            if not getattr(self, name):
                raise InputError(f"{name} is empty", hint="name at least one, or leave it out")

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """The batches as numbers."""
        for text in self.batches:
            if not (text.isdecimal() and 1 <= int(text) <= LARGEST_BATCH):
                raise InputError(
                    f"batch {text!r} is not a whole number of 1 to {LARGEST_BATCH}", hint="such as 1,4"
                )
        return tuple(dict.fromkeys(map(int, self.batches)))

    @property
    def picture_size(self) -> tuple[int, int] | None:
        """Width and height that photos are brought to; None leaves them as they are."""
        if self.size:
            return picture_size(self.size)
        return None if self.photos else _SHIPPED_SIZE
