"""Graphs that OpenVINO reads from files, with the operators that it works out otherwise than ONNX says put right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from leadline.core.errors import EngineError

__all__ = ["first_words", "read_graph"]

_PILLOW = {"linear": "bilinear_pillow", "linear_onnx": "bilinear_pillow", "cubic": "bicubic_pillow"}
"""Resizing with a filter as wide as the step: OpenVINO's modes of these names ignore ``antialias``, Pillow's rule does not."""

_PILLOWS_CUBIC = -0.5
_MOST_CHANNELS = 4


def read_graph(core: Any, path: Path, *, name: str) -> Any:
    """Reads a graph.

    Args:
        core: OpenVINO's core.
        path: An ONNX file, or OpenVINO's own ``.xml`` with its ``.bin`` beside it.
        name: The model's name, for messages.

    Returns:
        An ``openvino.Model``.

    Raises:
        EngineError: It is no such file, or OpenVINO lacks an operator of it.
    """
    try:
        graph = core.read_model(path)
    except RuntimeError as error:
        lacking = type(error).__name__ in ("OpConversionFailure", "NotImplementedFailure")
        hint = "use --engine onnxruntime, or --fallback onnxruntime to have that done by itself"
        if not lacking:
            hint = "fetch or copy the file again, or check that it is an ONNX file"
        raise EngineError(
            f"openvino cannot load {name!r} from {path}: {first_words(error)}", hint=hint
        ) from error
    _resize_as_pillow(graph, name)
    return graph


def _resize_as_pillow(graph: Any, name: str) -> None:
    """Puts Pillow's rule, which ONNX's antialiased resizing is, where OpenVINO would leave the filter out."""
    changed = False
    for node in graph.get_ordered_ops():
        if node.get_type_name() == "Interpolate" and node.get_attributes().get("antialias"):
            node.output(0).replace(_pillow(node, name).output(0))
            changed = True
    if changed:
        graph.validate_nodes_and_infer_types()


def _pillow(node: Any, name: str) -> Any:
    from openvino import opset8, opset11

    told = node.get_attributes()
    known = told["mode"] in _PILLOW and told["coordinate_transformation_mode"] == "half_pixel"
    if not known or (told["mode"] == "cubic" and told["cube_coeff"] != _PILLOWS_CUBIC):
        raise EngineError(
            f"openvino cannot run {name!r}: it lacks antialiased resizing of mode {told['mode']!r}, "
            f"{told['coordinate_transformation_mode']}",
            hint="use --engine onnxruntime, or --fallback onnxruntime to have that done by itself",
        )
    amounts = node.input_value(1)
    if node.get_input_size() > 2:
        axes = node.input_value(2)
    else:
        axes = opset8.constant(np.array(_spatial(node), np.int64))
        amounts = opset8.gather(amounts, axes, opset8.constant(np.int64(0)))
    return opset11.interpolate(
        node.input_value(0),
        amounts,
        mode=_PILLOW[told["mode"]],
        shape_calculation_mode=told["shape_calculation_mode"],
        axes=axes,
        cube_coeff=told["cube_coeff"],
    )


def _spatial(node: Any) -> tuple[int, int]:
    """Rows and columns: the two axes before the channels where those come last, else the last two."""
    shape = node.get_input_partial_shape(0)
    last = shape[len(shape) - 1]
    channels_last = last.is_static and last.get_length() <= _MOST_CHANNELS
    return (1, 2) if channels_last else (2, 3)


def first_words(error: Exception) -> str:
    """What OpenVINO says, without where in its source it says it.

    Args:
        error: Its exception.

    Returns:
        Its first telling line.
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    own = [line for line in lines if not line.startswith(("Exception from", "Check '"))] or lines
    return own[0][:240] if own else type(error).__name__
