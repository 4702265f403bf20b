"""The engine port over OpenVINO: devices, precisions, and which sort of model it is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from leadline.core.errors import EngineError
from leadline.engines.offered import precision_of
from leadline.engines.openvino.faces import Face, TorchFace, file_face, loading
from leadline.engines.openvino.programs import Programs, Setting
from leadline.engines.openvino.quantising import Quantiser, photos_to_calibrate_on
from leadline.engines.openvino.runtime import core as the_core
from leadline.engines.openvino.runtime import runtime
from leadline.engines.openvino.session import OpenVinoSession
from leadline.engines.openvino.spec import SPEC
from leadline.engines.store import Store
from leadline.engines.threads import physical_cores
from leadline.io.weights import fingerprint
from leadline.plugins.need import need
from leadline.plugins.ports import EngineOptions, Network
from leadline.plugins.registry import load
from leadline.plugins.specs import ModelSpec

__all__ = ["OpenVinoEngine"]

_FILES = (".onnx", ".xml")
_CAPABILITIES = {"bf16": "BF16", "fp16": "FP16", "int8": "INT8"}


class OpenVinoEngine:
    """The engine port over OpenVINO."""

    def open(self, spec: ModelSpec, *, weights: Path, options: EngineOptions) -> OpenVinoSession:
        """Loads a model.

        Args:
            spec: The model: a file of ONNX or OpenVINO, or one whose ``network`` makes a network of PyTorch.
            weights: The file, or the checkpoint's folder.
            options: Threads (0: one a physical core), device (``auto``: the CPU), precision (``auto``: fp32; int8 with photos to
                calibrate on) and the model's choices.

        Returns:
            A session.

        Raises:
            EngineError: It cannot be loaded, OpenVINO lacks an operator of it, or the device or the precision is not there.
            InputError: The photos to calibrate on are missing, too few or all alike.
            MissingExtra: A network of PyTorch is given without PyTorch, or int8 is asked for without NNCF.
        """
        core = the_core()
        device = self._device(core, options.device)
        precision = precision_of(options, engine=SPEC.name, offered=_precisions(core, device), where=device)
        if options.compile == "no":
            raise EngineError(
                "engine 'openvino' always compiles networks",
                hint="leave --compile out, or use --engine torch",
            )
        photos = photos_to_calibrate_on(options.int8_photos) if _calibrates(options, precision) else []
        face = _face(core, spec, weights, options)
        store = Store(spec.name, engine=SPEC.name, build=_build(core, device))
        what = {
            "weights": spec.weights.sha256 or fingerprint(weights),
            "choices": repr(sorted(options.choices.items())),
            "network": spec.network if isinstance(face, TorchFace) else "",
        }
        words = [device] + ([precision] if precision != "fp32" else [])
        quantiser = None
        if precision == "int8":
            quantiser = Quantiser(photos, store=store, what=what, core=core, name=spec.name)
            what["photos"] = quantiser.digest
            words = [device, f"int8 by photos {quantiser.digest[:8]}"]
        setting = Setting(device, precision, options.threads or physical_cores(), _around(core, device))
        programs = Programs(core, setting, store, what, spec.name)
        return OpenVinoSession(
            face,
            programs,
            quantiser,
            store,
            name=spec.name,
            description=f"{SPEC.name} ({', '.join(words)})",
        )

    def devices(self) -> tuple[str, ...]:
        """The devices that OpenVINO finds here, the CPU last."""
        found = [device.lower() for device in the_core().available_devices]
        return tuple(sorted(found, key=lambda device: device == "cpu"))

    def _device(self, core: Any, asked: str) -> str:
        there = [str(device) for device in core.available_devices]
        if asked == "auto":
            return "CPU"
        if asked.upper() not in there:
            raise EngineError(
                f"openvino has no device {asked!r} here; it has {', '.join(self.devices())}",
                hint="use one of those, or install that device's driver",
            )
        return asked.upper()


def _calibrates(options: EngineOptions, precision: str) -> bool:
    """Whether photos to calibrate on are given; with another precision they would be for nothing."""
    if options.int8_photos and precision != "int8":
        raise EngineError(
            f"photos to calibrate int8 on are given, but the precision is {precision}",
            hint="add --precision int8, or leave --int8-photos out",
        )
    return bool(options.int8_photos)


def _face(core: Any, spec: ModelSpec, weights: Path, options: EngineOptions) -> Face:
    if weights.suffix.lower() in _FILES:
        return file_face(core, weights, spec)
    if not spec.network:
        raise EngineError(
            f"{spec.name!r} is no file of ONNX or OpenVINO and has no network of torch",
            hint=f"use one of {', '.join(spec.engines)}",
        )
    torch = need("torch", who=f"model {spec.name!r}", extra="torch")
    torch.set_num_threads(options.threads or physical_cores())
    with loading(spec):
        network: Network = load(spec.network)(weights, **options.choices)
    return TorchFace(network, spec)


def _precisions(core: Any, device: str) -> tuple[str, ...]:
    """What a device computes in by itself, fp32 first."""
    there = core.get_property(device, "OPTIMIZATION_CAPABILITIES")
    # A CPU without units for bf16 says that it has it, and imitates it slowly.
    slow = {"BF16"} if device == "CPU" and _around(core, device) != "bf16" else set()
    return (
        "fp32",
        *(name for name, called in _CAPABILITIES.items() if called in there and called not in slow),
    )


def _around(core: Any, device: str) -> str:
    """What OpenVINO itself would run floats in on this device: where that is bf16, there are units for it."""
    chosen = str(core.get_property(device, "INFERENCE_PRECISION_HINT"))
    return {"bfloat16": "bf16", "float16": "f16"}.get(
        chosen.split("'")[1] if "'" in chosen else chosen, "f32"
    )


def _build(core: Any, device: str) -> str:
    return f"OpenVINO {runtime().__version__}, {core.get_property(device, 'FULL_DEVICE_NAME')}"
