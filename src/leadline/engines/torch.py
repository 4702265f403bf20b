"""PyTorch: runs the networks that a family's ``net.py`` makes, on the CPU, CUDA or Apple's MPS."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from leadline.core.depth_map import DepthMap
from leadline.core.errors import EngineError, LeadlineError
from leadline.core.image import Image
from leadline.core.results import Answer
from leadline.engines.offered import precision_of
from leadline.engines.threads import physical_cores
from leadline.plugins.need import need
from leadline.plugins.ports import EngineOptions, Network
from leadline.plugins.registry import load
from leadline.plugins.specs import EngineSpec, ModelSpec

__all__ = ["SPEC", "TorchEngine", "TorchSession"]

SPEC = EngineSpec(
    name="torch",
    adapter="leadline.engines.torch:TorchEngine",
    summary="PyTorch; runs the families of transformers and diffusers",
    extra="torch",
    packages=("torch",),
)

_NAMES = {"cpu": "CPU", "cuda": "CUDA", "mps": "Apple GPU"}


class TorchEngine:
    """The engine port over PyTorch."""

    def open(self, spec: ModelSpec, *, weights: Path, options: EngineOptions) -> TorchSession:
        """Loads a model.

        Args:
            spec: The model; its ``network`` makes the network of the weights.
            weights: The checkpoint: a file, or a folder of files.
            options: Threads (0: one a physical core), device (``auto``: a GPU where there is one) and the model's choices.

        Returns:
            A session.

        Raises:
            EngineError: The model has no network for PyTorch, its checkpoint does not fit it, or the device is not there.
        """
        torch = _torch()
        device = self._device(options.device)
        precision_of(options, engine=SPEC.name, offered=("fp32",), where=device)
        if not spec.network:
            raise EngineError(
                f"{spec.name!r} has no network for torch", hint=f"use one of {', '.join(spec.engines)}"
            )
        torch.set_num_threads(options.threads or physical_cores())
        make = load(spec.network)
        try:
            network: Network = make(weights, **options.choices)
            network.module.eval().requires_grad_(False).to(device)
        except LeadlineError:
            raise
        except _foreign(torch) as error:
            raise EngineError(
                f"torch cannot load {spec.name!r} from {weights}: {_first_line(error)}",
                hint="check that this is a checkpoint of that architecture, or fetch it again "
                "(leadline models clear, then pull)",
            ) from error
        return TorchSession(network, spec, device)

    def devices(self) -> tuple[str, ...]:
        """The devices that the installed build of PyTorch finds here, the CPU last."""
        torch = _torch()
        found = ["cuda"] if torch.cuda.is_available() else []
        if torch.backends.mps.is_available():
            found.append("mps")
        return (*found, "cpu")

    def _device(self, asked: str) -> str:
        there = self.devices()
        if asked == "auto":
            return there[0]
        if asked.partition(":")[0] not in there:
            raise EngineError(
                f"torch has no device {asked!r} here; it has {', '.join(there)}",
                hint="use one of those, or install a build of torch with that device",
            )
        return asked


class TorchSession:
    """A model loaded in PyTorch.

    Args:
        network: The family's network, on its device.
        spec: The model.
        device: The device it is on.
    """

    def __init__(self, network: Network, spec: ModelSpec, device: str) -> None:
        self._network: Network | None = network
        self._name = spec.name
        self._device = device
        self.description = f"torch ({_NAMES.get(device.partition(':')[0], device)})"

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
        for places in _groups(self._network, images):
            some = [images[place] for place in places]
            theirs = [prompts[place] for place in places] if prompts else ()
            answers += self._run_group(self._network, some, theirs)
        return answers

    def close(self) -> None:
        """Gives the memory back."""
        self._network = None
        if self._device.startswith("cuda"):
            _torch().cuda.empty_cache()

    def _run_group(
        self, network: Network, images: Sequence[Image], prompts: Sequence[DepthMap]
    ) -> list[Answer]:
        torch = _torch()
        inputs = network.prepare(images, prompts=prompts)
        try:
            with torch.inference_mode():
                moved = {name: tensor.to(self._device) for name, tensor in inputs.items()}
                outputs = network.module(**moved)
                return [_checked(answer, self._name) for answer in network.restore(_floats(outputs), images)]
        except LeadlineError:
            raise
        except _foreign(torch) as error:
            raise self._translated(error, inputs, images) from error

    def _translated(self, error: Exception, inputs: Any, images: Sequence[Image]) -> EngineError:
        shapes = ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in inputs.items())
        photo = f"{images[0].width}x{images[0].height}"
        if _is_out_of_memory(error):
            if len(images) > 1:
                hint = f"give fewer photos at once: --batch {len(images) // 2}"
            else:
                hint = f"a photo of {images[0].width // 2}x{images[0].height // 2} may fit; or use a smaller model"
            return EngineError(
                f"no memory for {self._name!r} on {self._device} with {len(images)} photo(s) of {photo}",
                hint=hint,
            )
        return EngineError(
            f"torch failed in {self._name!r} on {shapes}: {_first_line(error)}",
            hint="try a larger photo, or another device",
        )


def _groups(network: Network, images: Sequence[Image]) -> Iterator[list[int]]:
    for _, places in groupby(range(len(images)), key=lambda place: network.key(images[place])):
        yield list(places)


def _checked(answer: Answer, name: str) -> Answer:
    """An answer that says something: numbers that are none become unknown pixels, but not all of them."""
    sound = np.isfinite(answer.values)
    if answer.infinite is not None:
        sound |= answer.infinite
    if not bool(sound.any()):
        raise EngineError(
            f"{name!r} gave no finite number for a photo of {answer.values.shape[1]}x{answer.values.shape[0]}",
            hint="its weights are damaged, or it cannot run in this precision on this device",
        )
    if bool(sound.all()):
        return answer
    return replace(answer, values=np.where(sound, answer.values, np.float32(np.nan)))


def _floats(outputs: Any) -> dict[str, Any]:
    """What the module gave, in float32, whatever precision it ran in."""
    return {
        name: tensor.float() if hasattr(tensor, "float") and tensor.is_floating_point() else tensor
        for name, tensor in outputs.items()
        if tensor is not None
    }


def _is_out_of_memory(error: Exception) -> bool:
    text = str(error)
    return isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text


def _foreign(torch: Any) -> tuple[type[Exception], ...]:
    """What torch, and the packages that build networks on it, raise on weights and inputs that do not fit."""
    return (RuntimeError, ValueError, TypeError, KeyError, OSError, MemoryError, torch.OutOfMemoryError)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2]) if lines else type(error).__name__


def _torch() -> Any:
    with warnings.catch_warnings():
        # Building a CUDA-less torch warns about its own parts; the user cannot act on it.
        warnings.simplefilter("ignore")
        return need("torch", who="engine 'torch'", extra="torch")
