"""The engine port over PyTorch: devices, precisions, and what is put in place before a network runs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadline.core.errors import EngineError, LeadlineError
from leadline.engines.offered import precision_of
from leadline.engines.store import Store
from leadline.engines.threads import physical_cores
from leadline.engines.torch.spec import SPEC
from leadline.io.allocator import hold_freed_memory
from leadline.io.weights import fingerprint
from leadline.plugins.need import need
from leadline.plugins.ports import Deferred, EngineOptions, Network, Placed, ToTheBit
from leadline.plugins.registry import load
from leadline.plugins.specs import ModelSpec

if TYPE_CHECKING:
    from leadline.engines.torch.kept import KeptNetwork
    from leadline.engines.torch.session import Running, TorchSession
    from leadline.engines.torch.shape import Shape

__all__ = ["TorchEngine"]

_NAMES = {"cpu": "CPU", "cuda": "CUDA", "mps": "Apple GPU"}


class TorchEngine:
    """The engine port over PyTorch."""

    def open(self, spec: ModelSpec, *, weights: Path, options: EngineOptions) -> TorchSession:
        """Loads a model.

        Args:
            spec: The model; its ``network`` makes the network of the weights.
            weights: The checkpoint: a file, or a folder of files.
            options: Threads (0: one a physical core), device (``auto``: a GPU where there is one), precision (``auto``: fp32),
                whether to compile (``auto``: no) and the model's choices.

        Returns:
            A session.

        Raises:
            EngineError: The model has no network for PyTorch, its checkpoint does not fit it, or the device or the precision
                is not there.
        """
        torch = _torch()
        from leadline.engines.torch.precision import precisions_on
        from leadline.engines.torch.session import TorchSession
        from leadline.engines.torch.shape import Shape

        device = self._device(options.device)
        precision = precision_of(options, engine=SPEC.name, offered=precisions_on(device), where=device)
        if not spec.network:
            raise EngineError(
                f"{spec.name!r} has no network for torch", hint=f"use one of {', '.join(spec.engines)}"
            )
        torch.set_num_threads(options.threads or physical_cores())
        if device == "cpu":
            hold_freed_memory()
        with _loading(spec, weights):
            network: Network = load(spec.network)(weights, **options.choices)
        as_it_is = isinstance(network, ToTheBit) and network.to_the_bit and precision == "fp32"
        shape = Shape(device, precision, as_it_is)

        def settled() -> Any:
            with _loading(spec, weights):
                return shape.given_to(network.module)

        with _loading(spec, weights):
            kept = _kept(network, spec, weights, options, shape, settled)
        if kept is None:
            settled()
        elif not kept.is_kept:
            kept.load()
        if isinstance(network, Placed) and device != "cpu":
            network.place(device)
        with _loading(spec, weights):
            return TorchSession(network, spec, _running(network, shape, options, kept))

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


@contextmanager
def _loading(spec: ModelSpec, weights: Path) -> Iterator[None]:
    """Says of what PyTorch or a family's package cannot load which model it was."""
    from leadline.engines.torch.session import FOREIGN, first_line

    try:
        yield
    except LeadlineError:
        raise
    except FOREIGN as error:
        raise EngineError(
            f"torch cannot load {spec.name!r} from {weights}: {first_line(error)}",
            hint=f"check that this is a checkpoint of that architecture, or {spec.weights.again(spec.name)}",
        ) from error


def _kept(
    network: Network,
    spec: ModelSpec,
    weights: Path,
    options: EngineOptions,
    shape: Shape,
    settled: Callable[[], Any],
) -> KeptNetwork | None:
    """What stands in the module's place so that the next start is shorter, where that pays."""
    if not isinstance(network, Deferred) or not network.deferred or shape.as_it_is:
        return None
    if shape.device != "cpu" or options.compile == "yes":
        return None
    from leadline.engines.torch import kept

    attends = shape.attends()
    what = {
        "weights": spec.weights.sha256 or fingerprint(weights),
        "choices": repr(sorted(options.choices.items())),
        "network": spec.network or "",
        "shape": repr(shape),
        "attention": repr(attends),
    }
    store = Store(spec.name, engine=SPEC.name, build=kept.build(), most_bytes=kept.MOST_BYTES)
    return kept.KeptNetwork(settled, store, what, attends=attends)


def _running(network: Network, shape: Shape, options: EngineOptions, kept: KeptNetwork | None) -> Running:
    """How a network runs, compiled where that is asked for and can be done."""
    import torch

    from leadline.engines.torch import compiling
    from leadline.engines.torch.session import Running

    words = [_NAMES.get(shape.device.partition(":")[0], shape.device)]
    words += [shape.precision] if shape.precision != "fp32" else []
    more: dict[str, Any] = {}
    if shape.onednn:
        more["inside"] = shape.attention
        words.append("oneDNN")
    remarks: tuple[str, ...] = ()
    program: Any = kept
    programs = None
    if options.compile == "yes":
        reason = compiling.why_not(shape.device)
        if reason:
            remarks = (f"torch runs the network as it is, for it cannot compile here: {reason}",)
        else:
            programs = compiling.Programs()
            remarks = programs.open()
            program = torch.compile(network.module)
            words.append("compiled")
    return Running(
        shape.device, shape.precision, f"torch ({', '.join(words)})", remarks, program, programs, **more
    )


def _torch() -> Any:
    with warnings.catch_warnings():
        # Building a CUDA-less torch warns about its own parts; the user cannot act on it.
        warnings.simplefilter("ignore")
        return need("torch", who="engine 'torch'", extra="torch")
