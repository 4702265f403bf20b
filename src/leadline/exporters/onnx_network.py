"""A family's network as an ONNX file, for inputs of one shape; its processing is declared beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from leadline.core.errors import EngineError
from leadline.exporters.onnx import IR_VERSION, OPSET
from leadline.io.atomic import write_whole
from leadline.plugins.need import need
from leadline.plugins.silence import silenced

__all__ = ["export_middle"]

_MOST_BYTES = (1 << 31) - 1
"""Protobuf's own limit: beyond it weights would lie in a second file."""


class _Plain(torch.nn.Module):
    """A network of one input that gives depth alone."""

    def __init__(self, module: torch.nn.Module, name: str) -> None:
        super().__init__()
        self.module, self.name = module, name

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Depth as the network gives it."""
        depth: torch.Tensor = self.module(**{self.name: pixels})["predicted_depth"]
        return depth


def export_middle(
    module: Any, inputs: Mapping[str, Any], path: Path, *, name: str, record: Mapping[str, str]
) -> None:
    """Writes a network, from prepared pixels to raw depth.

    Args:
        module: The network, in evaluation mode.
        inputs: Its one input as it is prepared, by name; its shape becomes the file's.
        path: The file; written whole or not at all.
        name: The model's name, for messages.
        record: What the file says of itself.

    Raises:
        EngineError: The network cannot be followed, or has an operator that ONNX lacks.
        MissingExtra: onnx or onnxscript is not installed.
        OutputError: The file cannot be written.
    """
    onnx = need("onnx", who="the ONNX exporter", extra="train")
    need("onnxscript", who="the ONNX exporter", extra="train")
    if len(inputs) != 1:
        raise EngineError(
            f"{name!r} takes {', '.join(inputs)}, and a file that is given photos has one input",
            hint="run the checkpoint itself",
        )
    ((called, pixels),) = inputs.items()
    with silenced(), torch.no_grad():
        try:
            program: Any = torch.onnx.export(
                _Plain(module, called).eval(),
                (pixels,),
                dynamo=True,
                opset_version=OPSET,
                input_names=[called],
                output_names=["depth"],
                external_data=False,
                verbose=False,
            )
        except (RuntimeError, ValueError, TypeError, KeyError, torch.onnx.OnnxExporterError) as error:
            raise EngineError(
                f"{name!r} cannot be exported to ONNX: {_why(error)}",
                hint="try --to openvino, or run the checkpoint itself",
            ) from error
    model = program.model_proto
    model.ir_version = IR_VERSION
    del model.metadata_props[:]
    model.graph.name = name
    onnx.helper.set_model_props(model, dict(record))
    if model.ByteSize() > _MOST_BYTES:
        raise EngineError(
            f"{name!r} takes more than the 2 GiB that one ONNX file can hold", hint="use --to openvino"
        )
    with write_whole(path) as part:
        part.write_bytes(model.SerializeToString())


def _why(error: BaseException) -> str:
    """The last cause's first line: the exporter wraps what went wrong several times."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:240] if lines else type(error).__name__
