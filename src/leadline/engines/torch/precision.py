"""What a network's numbers can be held in on a device, and casting it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

__all__ = ["cast", "cast_inputs", "precisions_on"]

_TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def precisions_on(device: str) -> tuple[str, ...]:
    """The precisions that a device computes in by itself, fp32 first: it is what ``auto`` means everywhere.

    Args:
        device: Such as ``"cpu"`` or ``"cuda:1"``.

    Returns:
        Names, as ``--precision`` takes them.
    """
    if device.startswith("cuda"):
        bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
        return ("fp32", "bf16", "fp16") if bf16 else ("fp32", "fp16")
    if device.startswith("mps"):
        return ("fp32", "fp16")
    found = ["fp32"]
    if torch.ops.mkldnn._is_mkldnn_bf16_supported():
        found.append("bf16")
    if torch.ops.mkldnn._is_mkldnn_fp16_supported():
        found.append("fp16")
    return tuple(found)


def cast(module: torch.nn.Module, precision: str) -> None:
    """Casts a network's floating numbers.

    Args:
        module: The network.
        precision: ``"fp32"``, ``"bf16"`` or ``"fp16"``.
    """
    if precision != "fp32":
        module.to(_TYPES[precision])


def cast_inputs(inputs: Mapping[str, Any], *, precision: str, device: str) -> dict[str, Any]:
    """Inputs on a device, floats in a precision; pictures with channels last where the device likes that.

    On a GPU the copy starts from memory that the system cannot page out, and nobody waits for it.

    Args:
        inputs: Tensors by name, on the CPU.
        precision: As for ``cast``.
        device: The device.

    Returns:
        Tensors by name.
    """
    return {name: _moved(tensor, _TYPES[precision], device) for name, tensor in inputs.items()}


def _moved(tensor: Any, kind: torch.dtype, device: str) -> Any:
    at_once = device.startswith("cuda")
    if at_once and tensor.device.type == "cpu":
        tensor = tensor.pin_memory()
    target = kind if tensor.is_floating_point() else tensor.dtype
    moved = tensor.to(device, target, non_blocking=at_once)
    if moved.ndim == 4 and moved.is_floating_point() and not device.startswith("mps"):
        moved = moved.contiguous(memory_format=torch.channels_last)
    return moved
