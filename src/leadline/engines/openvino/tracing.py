"""A family's network as a graph of OpenVINO's, for inputs of one shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from leadline.core.errors import EngineError
from leadline.engines.openvino.graphs import first_words, lacks
from leadline.engines.torch.exporting import exported
from leadline.plugins.silence import silenced

__all__ = ["converted", "run_module", "tensors_of"]


def converted(module: torch.nn.Module, inputs: Mapping[str, Any], *, name: str) -> Any:
    """The graph of a network for inputs of these shapes.

    Args:
        module: The network, in evaluation mode.
        inputs: Tensors by name, as the network prepares them.
        name: The model's name, for messages.

    Returns:
        An ``openvino.Model`` of fixed shapes, whose inputs and outputs bear the network's names.

    Raises:
        EngineError: OpenVINO lacks an operator, or the network cannot be followed.
    """
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.fx_decoder import TorchFXPythonDecoder

    front = FrontEndManager().load_by_framework("pytorch")
    with silenced():
        try:
            program, outputs = exported(module, inputs)
        except (RuntimeError, ValueError, TypeError, torch._dynamo.exc.TorchDynamoException) as error:
            raise _cannot(name, f"it cannot be followed: {first_words(error)}") from error
        try:
            # OpenVINO does not hold on to the decoder, so it must have a name.
            decoder = TorchFXPythonDecoder.from_exported_program(program)
            graph = front.convert(front.load(decoder))
        except RuntimeError as error:
            raise _cannot(name, lacks(error) or first_words(error)) from error
    shapes = {}
    for port, (called, tensor) in zip(graph.inputs, inputs.items(), strict=True):
        port.set_names({called})
        shapes[port] = list(tensor.shape)
    for port, called in zip(graph.outputs, outputs, strict=True):
        port.set_names({called})
    graph.reshape(shapes)
    return graph


def run_module(module: torch.nn.Module, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """What PyTorch itself says, to hold OpenVINO's numbers against.

    Args:
        module: The network.
        inputs: Tensors by name.

    Returns:
        Arrays by name.
    """
    with torch.inference_mode():
        given = module(**inputs)
    return {name: value.numpy() for name, value in given.items() if isinstance(value, torch.Tensor)}


def tensors_of(arrays: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """Arrays as the tensors that a network restores answers from.

    Args:
        arrays: Arrays by name, writeable.

    Returns:
        Tensors by name.
    """
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _cannot(name: str, why: str) -> EngineError:
    return EngineError(
        f"openvino cannot run {name!r}: {why}",
        hint="use --engine torch, or --fallback torch to have that done by itself",
    )
