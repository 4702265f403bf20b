"""The engine port over PyTorch: devices, precisions, and what is put in place before a network runs."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadline.core.errors import EngineError, LeadlineError
from leadline.engines.offered import precision_of
from leadline.engines.threads import physical_cores
from leadline.engines.torch.spec import SPEC
from leadline.plugins.need import need
from leadline.plugins.ports import EngineOptions, Network, Placed
from leadline.plugins.registry import load
from leadline.plugins.specs import ModelSpec

if TYPE_CHECKING:
    from leadline.engines.torch.session import Running, TorchSession

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
        from leadline.engines.torch.precision import cast, precisions_on
        from leadline.engines.torch.session import FOREIGN, TorchSession, first_line

        device = self._device(options.device)
        precision = precision_of(options, engine=SPEC.name, offered=precisions_on(device), where=device)
        if not spec.network:
            raise EngineError(
                f"{spec.name!r} has no network for torch", hint=f"use one of {', '.join(spec.engines)}"
            )
        torch.set_num_threads(options.threads or physical_cores())
        make = load(spec.network)
        try:
            network: Network = make(weights, **options.choices)
            network.module.eval().requires_grad_(False).to(device)
            cast(network.module, precision)
        except LeadlineError:
            raise
        except FOREIGN as error:
            raise EngineError(
                f"torch cannot load {spec.name!r} from {weights}: {first_line(error)}",
                hint="check that this is a checkpoint of that architecture, or fetch it again "
                "(leadline models clear, then pull)",
            ) from error
        if isinstance(network, Placed) and device != "cpu":
            network.place(device)
        return TorchSession(network, spec, _running(network.module, device, precision, options))

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


def _running(module: Any, device: str, precision: str, options: EngineOptions) -> Running:
    """Puts a network on its device into the shape it runs fastest in."""
    import torch

    from leadline.engines.torch import compiling, onednn
    from leadline.engines.torch.session import Running

    words = [_NAMES.get(device.partition(":")[0], device)]
    words += [precision] if precision != "fp32" else []
    if not device.startswith("mps"):
        module.to(memory_format=torch.channels_last)
    inside: Any = None
    if device == "cpu" and onednn.onednn_is_faster():
        onednn.use_onednn(module)
        inside = onednn.OneDnnAttention.where_it_pays
        words.append("oneDNN")
    remarks: tuple[str, ...] = ()
    program, programs = None, None
    if options.compile == "yes":
        reason = compiling.why_not(device)
        if reason:
            remarks = (f"torch runs the network as it is, for it cannot compile here: {reason}",)
        else:
            programs = compiling.Programs()
            remarks = programs.open()
            program = torch.compile(module)
            words.append("compiled")
    more: dict[str, Any] = {} if inside is None else {"inside": inside}
    return Running(device, precision, f"torch ({', '.join(words)})", remarks, program, programs, **more)


def _torch() -> Any:
    with warnings.catch_warnings():
        # Building a CUDA-less torch warns about its own parts; the user cannot act on it.
        warnings.simplefilter("ignore")
        return need("torch", who="engine 'torch'", extra="torch")
