"""Graphs that OpenVINO reads from files, with the operators that it works out otherwise than ONNX says put right."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from leadline.core.errors import EngineError
from leadline.engines.openvino.runtime import core as the_core

__all__ = ["Said", "first_words", "graph_of", "lacks", "read_graph"]

_PILLOW = {"linear": "bilinear_pillow", "linear_onnx": "bilinear_pillow", "cubic": "bicubic_pillow"}
"""Resizing with a filter as wide as the step: OpenVINO's modes of these names ignore ``antialias``, Pillow's rule does not."""

_PILLOWS_CUBIC = -0.5
_MOST_CHANNELS = 4
_HAIR = 2e-5
"""Sums of floats fall a hair short of a half that whole numbers meet exactly."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a file of OpenVINO says of itself, in ONNX's words.

    Args:
        inputs: Type and shape by name; axes of any length are None.
        outputs: Likewise.
        metadata: Nothing: what must be known stands in a TOML file beside it.
    """

    inputs: dict[str, tuple[str, list[int | None]]]
    outputs: dict[str, tuple[str, list[int | None]]]
    metadata: dict[str, str] = field(default_factory=dict)


_TYPES = {"f32": "tensor(float)", "u8": "tensor(uint8)"}


def graph_of(path: Path) -> Said:
    """Reads what a file of OpenVINO takes and gives.

    Args:
        path: The ``.xml``.

    Returns:
        Its record.

    Raises:
        EngineError: It is no such file, or is damaged.
    """
    graph = read_graph(the_core(), path, name=path.stem)

    def said(ports: Any) -> dict[str, tuple[str, list[int | None]]]:
        told = {}
        for place, port in enumerate(ports):
            name = port.get_any_name() if port.get_names() else str(place)
            kind = port.get_element_type().get_type_name()
            axes = [None if axis.is_dynamic else axis.get_length() for axis in port.get_partial_shape()]
            told[name] = (_TYPES.get(kind, kind), axes)
        return told

    return Said(said(graph.inputs), said(graph.outputs))


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
        lacking = lacks(error)
        hint = "use --engine onnxruntime, or --fallback onnxruntime to have that done by itself"
        if not lacking:
            hint = "fetch or copy the file again, or check that it is an ONNX file"
        raise EngineError(
            f"openvino cannot load {name!r} from {path}: {lacking or first_words(error)}", hint=hint
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
    from openvino import opset8

    told = node.get_attributes()
    known = told["mode"] in _PILLOW and told["coordinate_transformation_mode"] == "half_pixel"
    if not known or (told["mode"] == "cubic" and told["cube_coeff"] != _PILLOWS_CUBIC):
        raise EngineError(
            f"openvino cannot run {name!r}: it lacks antialiased resizing of mode {told['mode']!r}, "
            f"{told['coordinate_transformation_mode']}",
            hint="use --engine onnxruntime, or --fallback onnxruntime to have that done by itself",
        )
    rows, columns = _sides(node)
    sides = {"rows": rows, "columns": columns}
    pixels = node.input_value(0)
    if node.get_input_element_type(0).get_type_name() != "u8":
        return _stretched(pixels, sides, node, told)
    # Pillow goes along the rows first and rounds to 8 bits between the two passes; so does ONNX Runtime.
    height = opset8.gather(opset8.shape_of(pixels), np.int64(_spatial(node)[0]), np.int64(0))
    across = _rounded(
        _stretched(opset8.convert(pixels, "f32").output(0), {**sides, "rows": height}, node, told)
    )
    down = _rounded(_stretched(across.output(0), sides, node, told))
    return opset8.convert(down, "u8")


def _sides(node: Any) -> tuple[Any, Any]:
    """Rows and columns that a node resizes to, as numbers of the graph."""
    from openvino import opset8

    places: tuple[int, ...] = _spatial(node)
    amounts = node.input_value(1)
    if node.get_attributes()["shape_calculation_mode"] == "scales":
        axes = node.input_value(2) if node.get_input_size() > 2 else None
        shape = opset8.shape_of(node.input_value(0))
        lengths = opset8.convert(shape if axes is None else opset8.gather(shape, axes, np.int64(0)), "f32")
        amounts = opset8.convert(opset8.floor(opset8.multiply(lengths, amounts)), "i64").output(0)
    if node.get_input_size() > 2:
        places = (0, 1)
    rows, columns = (opset8.gather(amounts, np.int64(place), np.int64(0)) for place in places)
    return rows, columns


def _stretched(pixels: Any, sides: Mapping[str, Any], node: Any, told: Mapping[str, Any]) -> Any:
    from openvino import opset8, opset11

    one = np.array([1], np.int64)
    size = opset8.concat(
        [opset8.convert(opset8.reshape(sides[name], one, False), "i64") for name in ("rows", "columns")], 0
    )
    return opset11.interpolate(
        pixels,
        size,
        mode=_PILLOW[told["mode"]],
        shape_calculation_mode="sizes",
        axes=np.array(_spatial(node), np.int64),
        cube_coeff=told["cube_coeff"],
    )


def _rounded(pixels: Any) -> Any:
    """To whole numbers of 8 bits, halves up."""
    from openvino import opset8

    return opset8.clamp(opset8.floor(opset8.add(pixels, np.float32(0.5 + _HAIR))), 0.0, 255.0)


def _spatial(node: Any) -> tuple[int, int]:
    """Rows and columns: the two axes before the channels where those come last, else the last two."""
    shape = node.get_input_partial_shape(0)
    last = shape[len(shape) - 1]
    channels_last = last.is_static and last.get_length() <= _MOST_CHANNELS
    return (1, 2) if channels_last else (2, 3)


def lacks(error: Exception) -> str:
    """Which operators OpenVINO lacks.

    Args:
        error: Its exception.

    Returns:
        ``"it lacks …"``; empty where that is not what it says.
    """
    named = re.findall(
        r"(?:rule found for operations|Failed operations[^:]*):\s*(?:-- )?([\w:.,\s]+)", str(error)
    )
    operators = sorted({word.strip(",.: ") for words in named for word in words.splitlines()[0].split()})
    return f"it lacks {', '.join(operators[:6])}" if operators else ""


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
