"""The ports: what an adapter must be able to do to be plugged in."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, UnknownName
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.core.results import Answer, Prediction
from leadline.core.sample import Entry, Sample
from leadline.ops.colour import ColourOptions
from leadline.ops.processing import Processing
from leadline.plugins.specs import ModelSpec

__all__ = [
    "COMPILES",
    "PRECISIONS",
    "Comparing",
    "Dataset",
    "Declaring",
    "Deferred",
    "Demanding",
    "Engine",
    "EngineOptions",
    "ExportOptions",
    "Exporter",
    "Holding",
    "Network",
    "Placed",
    "Session",
    "ToTheBit",
]


PRECISIONS = ("auto", "fp32", "bf16", "fp16", "int8")
"""What the network's numbers may be held in while it runs; ``auto`` is fp32 on a CPU, and what the engine says elsewhere."""

COMPILES = ("auto", "no", "yes")
"""Whether an engine makes a program of the network before it runs it."""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How an engine is to run.

    Args:
        threads: CPU threads; 0 lets the engine choose one a physical core.
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` and so on, as the engine offers.
        choices: Values of the model's own options, by name; what is not named keeps its default.
        precision: One of ``PRECISIONS``; depth is float32 whatever the network runs in.
        compile: One of ``COMPILES``; ``auto`` leaves it to the engine.
        int8_photos: Photos that an int8 network is calibrated on: files, folders, globs. None where it was before.

    Raises:
        InputError: The number of threads is not a whole number of at least 0.
        UnknownName: There is no such precision or way to compile.
    """

    threads: int = 0
    device: str = "auto"
    choices: Mapping[str, str | int | float] = field(default_factory=dict)
    precision: str = "auto"
    compile: str = "auto"
    int8_photos: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.threads, int) or self.threads < 0:
            raise InputError(
                f"threads = {self.threads!r} is not a whole number of at least 0",
                hint="0 lets the engine choose",
            )
        if self.precision not in PRECISIONS:
            raise UnknownName("precision", self.precision, known=PRECISIONS)
        if self.compile not in COMPILES:
            raise UnknownName("way to compile", self.compile, known=COMPILES)


@runtime_checkable
class Session(Protocol):
    """A model that is loaded and ready."""

    @property
    def description(self) -> str:
        """What runs, and where: ``"onnxruntime (CPU)"``."""
        ...

    def run(self, images: Sequence[Image], *, prompts: Sequence[DepthMap] = ()) -> list[Answer]:
        """Predicts raw values for photos.

        Args:
            images: Photos of any sizes; their cameras give the focal length to models that use it.
            prompts: A low-resolution depth map a photo, for models that are prompted; else none.

        Returns:
            One answer a photo, at the photo's own size, in the unit of the model's kind.

        Raises:
            EngineError: The engine failed.
        """
        ...

    def close(self) -> None:
        """Gives memory back. The session is not used afterwards."""
        ...


@runtime_checkable
class Network(Protocol):
    """A family's network with its pre- and post-processing, as an engine that runs torch needs it.

    The three steps are apart, so that an engine can move, cast, compile or replace the middle one and leave the numbers
    around it as they are.
    """

    @property
    def module(self) -> Any:
        """The ``torch.nn.Module``; called with the prepared tensors as keywords, it answers a mapping of tensors."""
        ...

    def key(self, image: Image) -> Hashable:
        """Photos of one key may share a batch."""
        ...

    def prepare(self, images: Sequence[Image], *, prompts: Sequence[DepthMap] = ()) -> Mapping[str, Any]:
        """The module's inputs, batched, as float32 tensors on the CPU.

        Args:
            images: Photos of one key.
            prompts: A depth map a photo, all of one size, for families that are prompted.

        Raises:
            InputError: A prompt is missing, or cannot be used.
            KindError: A prompt is of a kind that the network does not take.
        """
        ...

    def restore(
        self, outputs: Mapping[str, Any], images: Sequence[Image], *, prompts: Sequence[DepthMap] = ()
    ) -> list[Answer]:
        """One answer a photo, at its size, from what the module gave.

        Args:
            outputs: What the module gave, in float32, on any device.
            images: The photos that were prepared.
            prompts: The prompts that were prepared; left out where there were none, so that a family that is not prompted
                need not take them.
        """
        ...


@runtime_checkable
class Declaring(Protocol):
    """What a network also has whose processing can be declared beside its file, so that it runs without the family's code."""

    def declared(self, image: Image) -> Processing:
        """The processing of photos of this one's size.

        Args:
            image: A photo.

        Raises:
            EngineError: A file cannot declare it: it pads the photo, or rests on the lens.
        """
        ...


@runtime_checkable
class Deferred(Protocol):
    """What a network also has whose module is loaded only where it is asked for."""

    @property
    def deferred(self) -> bool:
        """Whether its other steps do without the package the module is written in, so that it pays to keep the module."""
        ...


@runtime_checkable
class Placed(Protocol):
    """What a network also has that can prepare photos on the device its module is on."""

    def place(self, device: str) -> None:
        """From here on, ``prepare`` resizes and normalises there.

        Args:
            device: Such as ``"cuda:0"``.
        """
        ...


@runtime_checkable
class ToTheBit(Protocol):
    """What a network also has whose numbers hang on the last bit of every sum, as those of a long diffusion do."""

    @property
    def to_the_bit(self) -> bool:
        """Whether an engine leaves layers and memory layout as they are in float32, though that is slower."""
        ...


@runtime_checkable
class Engine(Protocol):
    """Something that can run models."""

    def open(self, spec: ModelSpec, *, weights: Path, options: EngineOptions) -> Session:
        """Loads a model.

        Args:
            spec: The model; ``spec.processing`` is applied by the engine where it is given.
            weights: The model's file.
            options: Threads and device.

        Returns:
            A session.

        Raises:
            EngineError: The file cannot be loaded or the device is not there.
        """
        ...

    def devices(self) -> tuple[str, ...]:
        """The devices this engine has on this machine."""
        ...


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What every exporter is told.

    Args:
        colour: Colour map and range for those that draw.
    """

    colour: ColourOptions = field(default_factory=ColourOptions)


@runtime_checkable
class Exporter(Protocol):
    """Something that writes predictions."""

    def check(self, kind: Kind) -> None:
        """Refuses a kind that this format cannot hold truthfully.

        Args:
            kind: The kind of the depth to be written.

        Raises:
            KindError: With the reason and what to do.
        """
        ...

    def write(self, prediction: Prediction, path: Path, *, options: ExportOptions) -> None:
        """Writes one prediction to one file, whole or not at all.

        Args:
            prediction: What to write.
            path: The file.
            options: Colours.

        Raises:
            KindError: The kind is refused.
            OutputError: The file cannot be written.
        """
        ...


@runtime_checkable
class Comparing(Protocol):
    """What an exporter also has that can lay the predictions of several models for one photo into one file."""

    def write_several(self, predictions: Sequence[Prediction], path: Path, *, options: ExportOptions) -> None:
        """Writes one file that shows all, whole or not at all.

        Args:
            predictions: At least one, all of one photo.
            path: The file.
            options: Colours.

        Raises:
            OutputError: The file cannot be written.
        """
        ...


@runtime_checkable
class Demanding(Protocol):
    """What an exporter also has that cannot write every prediction of a kind that it takes."""

    def demand(self, prediction: Prediction) -> None:
        """Refuses a prediction, before any file of its photo is written.

        Args:
            prediction: What is to be written.

        Raises:
            InputError: It lacks what this format holds.
        """
        ...


@runtime_checkable
class Dataset(Protocol):
    """A sequence of samples, on disk or made.

    It can be sent to other processes (it pickles) and read from several threads.
    """

    @property
    def kind(self) -> Kind:
        """What the truth's numbers mean."""
        ...

    @property
    def entries(self) -> Sequence[Entry]:
        """What is known of every sample without decoding any: id, scene, split, files."""
        ...

    def __len__(self) -> int:
        """How many samples there are."""
        ...

    def __getitem__(self, index: int) -> Sample:
        """One sample, read when it is asked for.

        Raises:
            DatasetError: A file is missing or damaged.
        """
        ...

    def __iter__(self) -> Iterator[Sample]:
        """All samples in order."""
        ...


@runtime_checkable
class Holding(Protocol):
    """What a dataset also has whose truth can be one of several: filled or raw, annotated or as the scanner gave it."""

    @property
    def holds(self) -> Mapping[str, str]:
        """Options that decide the truth, with what each comes to once it is open, never ``"auto"``.

        Frames that differ are joined by ``+``: ``{"truth": "annotated+velodyne"}``.
        """
        ...
