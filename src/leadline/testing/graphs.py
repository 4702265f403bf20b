"""Networks whose answer is known in closed form, as ONNX files: for testing engines without a trained model."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.plugins.need import need
from leadline.plugins.specs import Commercial, ModelSpec, Weights

__all__ = ["FOCAL_PX", "brightness_depth", "brightness_spec", "write_brightness"]

FOCAL_PX = 500.0
"""The focal length at which a black pixel is 1 m away."""

_OPSET, _IR_VERSION = 18, 9


def brightness_depth(image: Image) -> NDArray[np.float64]:
    """What the brightness network answers: (1 + red / 255) x f / 500, with f the photo's focal length in pixels.

    Args:
        image: A photo.

    Returns:
        Depth in metres, shape (H, W).
    """
    factor = math.sqrt(image.camera.fx * image.camera.fy) / FOCAL_PX
    return np.asarray((1 + image.rgb_HW3[..., 0].astype(np.float64) / 255) * factor)


def write_brightness(path: Path) -> Path:
    """Writes the brightness network as a whole graph: uint8 photos of any size and focal lengths in, depth out.

    Args:
        path: The ONNX file; its folder is there.

    Returns:
        The path.

    Raises:
        MissingExtra: onnx is not installed.
    """
    onnx = need("onnx", who="leadline.testing.graphs", extra="train")
    make: Any = onnx.helper
    constants = {
        "first": np.array([0], np.int64),
        "last": np.array([1], np.int64),
        "axis": np.array([3], np.int64),
        "white": np.array(255, np.float32),
        "one": np.array(1, np.float32),
        "canonical": np.array(FOCAL_PX, np.float32),
        "column": np.array([-1, 1, 1], np.int64),
    }
    nodes = [
        make.make_node("Slice", ["image", "first", "last", "axis"], ["red8"]),
        make.make_node("Squeeze", ["red8", "axis"], ["flat8"]),
        make.make_node("Cast", ["flat8"], ["flat"], to=onnx.TensorProto.FLOAT),
        make.make_node("Div", ["flat", "white"], ["share"]),
        make.make_node("Add", ["share", "one"], ["metres"]),
        make.make_node("Div", ["focal_px", "canonical"], ["factor"]),
        make.make_node("Reshape", ["factor", "column"], ["factors"]),
        make.make_node("Mul", ["metres", "factors"], ["depth"]),
    ]
    graph = make.make_graph(
        nodes,
        "brightness",
        [
            make.make_tensor_value_info("image", onnx.TensorProto.UINT8, ["N", "H", "W", 3]),
            make.make_tensor_value_info("focal_px", onnx.TensorProto.FLOAT, ["N"]),
        ],
        [make.make_tensor_value_info("depth", onnx.TensorProto.FLOAT, ["N", "H", "W"])],
        [onnx.numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


def brightness_spec(path: Path, *, name: str = "brightness-test") -> ModelSpec:
    """A spec of the brightness network.

    Args:
        path: Where ``write_brightness`` wrote it.
        name: What to call it.

    Returns:
        The spec.
    """
    return ModelSpec(
        name,
        Kind(),
        "a network whose answer is known in closed form",
        Weights(f"file:{path}"),
        "Apache-2.0",
        Commercial.YES,
        version="1",
        good_for="tests",
        scale_needs_focal=True,
        network="leadline.testing.torch_graphs:brightness",
        engines=("onnxruntime", "openvino", "torch"),
    )
