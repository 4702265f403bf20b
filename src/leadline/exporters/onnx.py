"""Networks as ONNX files that hold their own pre- and post-processing: photo in, metres out.

The file takes ``image``, uint8 (N, H, W, 3) of any size, and ``focal_px``, float32 (N), the focal length in pixels of the
photo (the geometric mean, where fx and fy differ); it gives ``depth``, float32 (N, H, W), in metres. Convolution weights
are stored as half precision under the names of the network's own state dict; runtimes widen them once, when they load.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from leadline.io.atomic import write_whole
from leadline.plugins.need import need

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["IR_VERSION", "OPSET", "ExportableNetwork", "export_network"]

OPSET, IR_VERSION = 19, 10
"""Of every ONNX file that leadline writes."""

WIDE = ".float"

BEFORE = """
<ir_version: {ir}, opset_import: ["": {opset}]>
before (uint8[N, H, W, 3] image, float[N] focal_px) => (float[N, 3, h, w] pixels, float[N, 1, 1, 1] metres_per_unit, int64[2] source_size)
{{
    shape = Shape (image)
    one = Constant <value_ints = [1]> ()
    three = Constant <value_ints = [3]> ()
    source_size = Slice (shape, one, three)
    sides = Cast <to = 1> (source_size)
    area = ReduceProd <keepdims = 0> (sides)
{net_size}
    zero = Constant <value_ints = [0]> ()
    count = Slice (shape, zero, one)
    target = Concat <axis = 0> (count, net_size, three)
    small = Resize <mode = "linear", antialias = 1, exclude_outside = 1, coordinate_transformation_mode = "half_pixel"> (image, , , target)
    channels_first = Transpose <perm = [0, 3, 1, 2]> (small)
    pixels = Cast <to = 1> (channels_first)
{factor}
    column = Constant <value_ints = [-1, 1, 1, 1]> ()
    metres_per_unit = Reshape (factor, column)
}}
"""

SIZE_OF_AREA = """
    net_area = Constant <value_float = {net_area}> ()
    area_ratio = Div (net_area, area)
    scale = Sqrt (area_ratio)
    stride = Constant <value_float = {stride}> ()
    scaled_sides = Mul (sides, scale)
    strides = Div (scaled_sides, stride)
    least = Constant <value_float = 1.0> ()
    most = Constant <value_float = {most}> ()
    clipped = Clip (strides, least, most)
    whole_strides = Round (clipped)
    net_sides = Mul (whole_strides, stride)
    net_size = Cast <to = 7> (net_sides)
"""

FIXED_SIZE = """
    net_size = Constant <value_ints = [{rows}, {columns}]> ()
    net_sides = Cast <to = 1> (net_size)
"""

CANONICAL_FACTOR = """
    net_area_used = ReduceProd <keepdims = 0> (net_sides)
    zoom_squared = Div (net_area_used, area)
    zoom = Sqrt (zoom_squared)
    canonical = Constant <value_float = {canonical_f_px}> ()
    zoom_per_canonical = Div (zoom, canonical)
    factor = Mul (focal_px, zoom_per_canonical)
"""

NO_FACTOR = """
    count_of_focal = Shape (focal_px)
    factor = ConstantOfShape <value = float[1] {{1.0}}> (count_of_focal)
"""

AFTER = """
<ir_version: {ir}, opset_import: ["": {opset}]>
after (float[N, 1, h, w] log_depth, float[N, 1, 1, 1] scale, int64[2] full_size) => (float[N, H, W] depth)
{{
    canonical_depth = Exp (log_depth)
    metres = Mul (canonical_depth, scale)
    log_shape = Shape (log_depth)
    start = Constant <value_ints = [0]> ()
    two = Constant <value_ints = [2]> ()
    planes = Slice (log_shape, start, two)
    full_shape = Concat <axis = 0> (planes, full_size)
    full = Resize <mode = "linear", coordinate_transformation_mode = "half_pixel"> (metres, , , full_shape)
    channel = Constant <value_ints = [1]> ()
    depth = Squeeze (full, channel)
}}
"""


class ExportableNetwork(Protocol):
    """What a network must offer to be exported: it maps RGB to the logarithm of canonical depth.

    Convention:
        ``net_size_px`` is the rows and columns that every photo is resized to, or None where the photo's shape is kept:
        then ``net_area_px``, ``stride_px`` and ``max_side_px`` size it. ``canonical_f_px`` is None where the focal length
        plays no part.
    """

    canonical_f_px: float | None
    net_size_px: tuple[int, int] | None
    net_area_px: int
    stride_px: int
    max_side_px: int

    def __call__(self, rgb_N3HW: Tensor) -> Tensor:
        """Logarithm of canonical depth."""
        ...


def export_network(network: ExportableNetwork, path: Path, *, record: Mapping[str, str]) -> None:
    """Writes a network with its pre- and post-processing as one ONNX file.

    Convention:
        The photo is resized by Pillow's antialiased bilinear rule to the network's size; depth of the canonical camera
        times f_net / canonical_f_px is metres (Yin et al., Metric3D, ICCV 2023); they come back bilinearly.

    Args:
        network: In evaluation mode, batch normalisation folded.
        path: The file; written whole or not at all.
        record: What the file says of itself: name, version, kind, licence and so on.

    Raises:
        MissingExtra: torch, onnx or onnxscript is not installed.
        OutputError: The file cannot be written.
    """
    onnx = need("onnx", who="the ONNX exporter", extra="train")
    need("onnxscript", who="the ONNX exporter", extra="train")
    version = {"ir": IR_VERSION, "opset": OPSET}
    core = _core(network)
    before = onnx.parser.parse_model(
        BEFORE.format(**version, net_size=_net_size(network), factor=_factor(network))
    )
    after = onnx.parser.parse_model(AFTER.format(**version))
    model = onnx.compose.merge_models(
        before,
        core,
        io_map=[("pixels", "core_pixels")],
        outputs=["core_log_depth", "metres_per_unit", "source_size"],
    )
    joints = [("core_log_depth", "log_depth"), ("metres_per_unit", "scale"), ("source_size", "full_size")]
    model = onnx.compose.merge_models(model, after, io_map=joints)
    model.graph.name = record.get("name", "leadline")
    _tidy(model)
    _halve(model, onnx)
    onnx.helper.set_model_props(model, {"unit": "m", **record})
    onnx.checker.check_model(model, full_check=True)
    with write_whole(path) as part:
        part.write_bytes(model.SerializeToString())


def _net_size(network: ExportableNetwork) -> str:
    if network.net_size_px is not None:
        rows, columns = network.net_size_px
        return FIXED_SIZE.format(rows=rows, columns=columns)
    return SIZE_OF_AREA.format(
        net_area=float(network.net_area_px),
        stride=float(network.stride_px),
        most=network.max_side_px / network.stride_px,
    )


def _factor(network: ExportableNetwork) -> str:
    if network.canonical_f_px is None:
        return NO_FACTOR.format()
    return CANONICAL_FACTOR.format(canonical_f_px=network.canonical_f_px)


def _core(network: ExportableNetwork) -> Any:
    import torch

    shape: dict[int, Any] = {0: torch.export.Dim("N")}
    if network.net_size_px is not None:
        example = torch.zeros(2, 3, *network.net_size_px)
    else:
        example = torch.zeros(2, 3, 6 * network.stride_px, 8 * network.stride_px)
        rows, columns = torch.export.Dim("rows", min=1), torch.export.Dim("columns", min=1)
        shape |= {2: network.stride_px * rows, 3: network.stride_px * columns}
    program: Any = torch.onnx.export(
        network,  # type: ignore[arg-type]
        (example,),
        dynamo=True,
        opset_version=OPSET,
        dynamic_shapes=(shape,),
        input_names=["core_pixels"],
        output_names=["core_log_depth"],
        external_data=False,
        verbose=False,
    )
    model = program.model_proto
    model.ir_version = IR_VERSION
    return model


def _tidy(model: Any) -> None:
    """Drops what the exporter notes about the machine it ran on, and shapes that are worked out again anyway."""
    del model.metadata_props[:]
    del model.graph.metadata_props[:]
    del model.graph.value_info[:]
    model.graph.doc_string = ""
    parts = [*model.graph.node, *model.graph.input, *model.graph.output, *model.graph.initializer]
    for part in parts:
        part.doc_string = ""
        del part.metadata_props[:]


def _halve(model: Any, onnx: Any) -> None:
    """Stores weights of more than one dimension in half precision, each widened by a node that runtimes fold away."""
    widened = {}
    for tensor in model.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.ndim > 1:
            tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), tensor.name))
            widened[tensor.name] = tensor.name + WIDE
    for node in model.graph.node:
        node.input[:] = [widened.get(name, name) for name in node.input]
    float32 = onnx.TensorProto.FLOAT
    casts = [onnx.helper.make_node("Cast", [half], [wide], to=float32) for half, wide in widened.items()]
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
