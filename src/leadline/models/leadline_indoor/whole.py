"""The whole model in torch, read from the very file that ships: photos in, metres out."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from leadline.core.errors import WeightsError
from leadline.io.tensor_shapes import tell_apart
from leadline.models.leadline_indoor.net import CANONICAL_F_PX, IndoorNet
from leadline.models.leadline_indoor.resize import resize_like_file
from leadline.plugins.need import need

__all__ = ["load_file_weights", "predict_whole", "read_file_weights"]


def read_file_weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """The weights a model file holds, as runtimes see them: half precision widened to single.

    Args:
        path: A file that ``leadline.exporters.onnx`` wrote.

    Returns:
        Arrays by the names of the network's state dict.

    Raises:
        MissingExtra: onnx is not installed.
        WeightsError: The file is absent or not ONNX.
    """
    onnx = need("onnx", who="reading weights from a model file", extra="train")
    broken = need(
        "google.protobuf.message", who="reading weights from a model file", extra="train"
    ).DecodeError
    try:
        tensors = onnx.load(path).graph.initializer
    except (OSError, broken) as error:
        raise WeightsError(
            f"{str(path)!r} is no ONNX file that can be read: {error}", hint="make it again"
        ) from error
    arrays = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in tensors}
    return {
        name: array.astype(np.float32)
        for name, array in arrays.items()
        if name.endswith((".weight", ".bias"))
    }


def load_file_weights(net: IndoorNet, path: Path) -> IndoorNet:
    """Folds a network's batch normalisation and gives it the weights of a model file: one file, one truth.

    Args:
        net: A network of the file's encoder and widths.
        path: A file that ``leadline.exporters.onnx`` wrote.

    Returns:
        The network itself, in evaluation mode.

    Raises:
        WeightsError: The file cannot be read or holds another network.
    """
    weights = {name: torch.from_numpy(array) for name, array in read_file_weights(path).items()}
    there, here = (
        {name: tensor.shape for name, tensor in part.items()} for part in (weights, net.folded().state_dict())
    )
    apart = tell_apart(there, here)
    if apart:
        raise WeightsError(
            f"{str(path)!r} holds another network: {apart}", hint="build the network it was made from"
        )
    net.load_state_dict(weights)
    return net


def predict_whole(
    net: IndoorNet, rgb_NHW3: NDArray[np.uint8], *, focal_px: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Depth of photos of one size, step by step as the model file does it.

    Convention:
        metres = canonical depth times f_net / canonical f, where f_net is the photo's focal length in pixels of the
        network's input (Yin et al., Metric3D, ICCV 2023).

    Args:
        net: In evaluation mode.
        rgb_NHW3: Photos, uint8, shape (N, H, W, 3).
        focal_px: Focal length in pixels of each photo, shape (N,).

    Returns:
        Metres, float32, shape (N, H, W).
    """
    size = rgb_NHW3.shape[1:3]
    height, width = net.target_size(*size)
    pixels = torch.from_numpy(resize_like_file(rgb_NHW3, height=height, width=width)).permute(0, 3, 1, 2)
    zoom = math.sqrt(height * width / (size[0] * size[1]))
    factor = torch.from_numpy(focal_px * np.float32(zoom / CANONICAL_F_PX)).reshape(-1, 1, 1, 1)
    with torch.inference_mode():
        metres = torch.exp(net(pixels.float())) * factor
        full = functional.interpolate(metres, size=size, mode="bilinear", align_corners=False)
    array: NDArray[np.float32] = full[:, 0].numpy()
    return array
