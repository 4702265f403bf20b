"""A model loaded in PyTorch: photos through a network, and what is said where it cannot."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch

from leadline.core.depth_map import DepthMap
from leadline.core.errors import EngineError, LeadlineError
from leadline.core.image import Image
from leadline.core.results import Answer
from leadline.engines.answers import sound
from leadline.engines.memory import is_out_of_memory, no_memory
from leadline.engines.torch.compiling import Programs
from leadline.engines.torch.kept import KeptNetwork
from leadline.engines.torch.precision import cast_inputs
from leadline.io.allocator import give_back_freed_memory
from leadline.plugins.ports import Network
from leadline.plugins.specs import ModelSpec

__all__ = ["FOREIGN", "Running", "TorchSession", "first_line"]

_GPU_BATCH = 8
"""Photos at once on a GPU where nobody says how many."""

FOREIGN = (RuntimeError, ValueError, TypeError, KeyError, OSError, MemoryError, torch.OutOfMemoryError)
"""What torch, and the packages that build networks on it, raise on weights and inputs that do not fit."""


@dataclass(frozen=True)
class Running:
    """How a network runs.

    Args:
        device: The device it is on.
        precision: What its numbers are held in.
        words: What runs, for records: ``"torch (CPU, bf16)"``.
        remarks: What its user should know, a sentence each.
        program: What is called in the module's place, where it is compiled.
        programs: Where that is kept.
        inside: What is entered around the network.
    """

    device: str
    precision: str = "fp32"
    words: str = "torch"
    remarks: tuple[str, ...] = ()
    program: Callable[..., Any] | None = None
    programs: Programs | None = None
    inside: Callable[[], AbstractContextManager[Any]] = nullcontext


class TorchSession:
    """A model loaded in PyTorch.

    Args:
        network: The family's network, on its device and in its precision.
        spec: The model.
        running: How it runs.
    """

    def __init__(self, network: Network, spec: ModelSpec, running: Running) -> None:
        self._network: Network | None = network
        self._name = spec.name
        self._running = running
        self._device = running.device
        self._kept = running.programs is None
        self.description = running.words
        self.batch = 1 if running.device == "cpu" else _GPU_BATCH
        self.native_px = int(getattr(network, "native_px", 0))

    @property
    def remarks(self) -> tuple[str, ...]:
        """What its user should know, a sentence each."""
        return (*self._running.remarks, *getattr(self._running.program, "remarks", ()))

    def run(self, images: Sequence[Image], *, prompts: Sequence[DepthMap] = ()) -> list[Answer]:
        """Predicts raw values for photos; neighbours of one key of the network go through it together.

        Args:
            images: Photos of any sizes.
            prompts: A depth map a photo, for families that are prompted.

        Returns:
            One answer a photo, at the photo's own size.

        Raises:
            EngineError: The session is closed, PyTorch failed, or there is no memory for a photo of this size.
        """
        if self._network is None:
            raise EngineError(f"the session of {self._name!r} is closed", hint="open the model again")
        answers: list[Answer] = []
        for places in _groups(self._network, images, prompts):
            some = [images[place] for place in places]
            theirs = [prompts[place] for place in places] if prompts else ()
            answers += self._run_group(self._network, some, theirs)
        return answers

    def close(self) -> None:
        """Gives the memory back, and lists what was compiled meanwhile for other sizes of photo."""
        if self._network is not None and self._running.programs is not None and self._kept:
            self._running.programs.keep()
        self._network = None
        if isinstance(self._running.program, KeptNetwork):
            self._running.program.forget()
        if self._device.startswith("cuda"):
            torch.cuda.empty_cache()
        elif self._device == "cpu":
            give_back_freed_memory()

    def _run_group(
        self, network: Network, images: Sequence[Image], prompts: Sequence[DepthMap]
    ) -> list[Answer]:
        inputs = network.prepare(images, prompts=prompts)
        try:
            return self._through(network, inputs, images, prompts)
        except LeadlineError:
            raise
        except FOREIGN as error:
            raise self._translated(error, network, inputs, images, prompts) from error

    def _through(
        self,
        network: Network,
        inputs: Mapping[str, Any],
        images: Sequence[Image],
        prompts: Sequence[DepthMap],
    ) -> list[Answer]:
        running = self._running
        with torch.inference_mode():
            moved = cast_inputs(inputs, precision=running.precision, device=running.device)
            with running.inside():
                call = network.module if running.program is None else running.program
                outputs = call(**moved)
            self._keep()
            prompted = {"prompts": prompts} if prompts else {}
            answers = network.restore(_floats(outputs), images, **prompted)
            return [sound(answer, name=self._name) for answer in answers]

    def _keep(self) -> None:
        """Lists a compiled program, once it has run, for those who come next."""
        if not self._kept and self._running.programs is not None:
            self._running.programs.keep()
            self._kept = True

    def _translated(
        self,
        error: Exception,
        network: Network,
        inputs: Mapping[str, Any],
        images: Sequence[Image],
        prompts: Sequence[DepthMap],
    ) -> EngineError:
        if is_out_of_memory(error):
            return no_memory(
                error,
                images,
                name=self._name,
                device=self._device,
                seen=lambda photo: network.prepare([photo], prompts=prompts),
                run=lambda photo: self._through(
                    network, network.prepare([photo], prompts=prompts), [photo], prompts
                ),
                failures=FOREIGN,
            )
        if self._running.programs is not None and _is_of_the_compiler(error):
            self._running.programs.clear()
            return EngineError(
                f"torch could not compile {self._name!r}: {first_line(error)}",
                hint="what was kept of it is removed: run it again, or with --compile no",
            )
        shapes = ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in inputs.items())
        return EngineError(
            f"torch failed in {self._name!r} on {shapes}: {first_line(error)}",
            hint="try a larger photo, or another device"
            if self._running.precision == "fp32"
            else "its network may not know this precision: --precision fp32",
        )


def _groups(network: Network, images: Sequence[Image], prompts: Sequence[DepthMap]) -> Iterator[list[int]]:
    """Places of neighbours that share a batch: photos of one key, with prompts of one size."""

    def key(place: int) -> Hashable:
        return network.key(images[place]), prompts[place].shape if prompts else ()

    for _, places in groupby(range(len(images)), key=key):
        yield list(places)


def _floats(outputs: Any) -> dict[str, Any]:
    """What the module gave, in float32, whatever precision it ran in."""
    return {
        name: tensor.float() if hasattr(tensor, "float") and tensor.is_floating_point() else tensor
        for name, tensor in outputs.items()
        if tensor is not None
    }


def _is_of_the_compiler(error: BaseException | None) -> bool:
    """Whether an error, or what it arose from, was raised by PyTorch's compiler."""
    while error is not None:
        if type(error).__module__.startswith(("torch._inductor", "torch._dynamo")):
            return True
        error = error.__cause__
    return False


def first_line(error: Exception) -> str:
    """The first two lines of what another package says, in one.

    Args:
        error: Its exception.

    Returns:
        Its words, or its name where it says nothing.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2]) if lines else type(error).__name__
