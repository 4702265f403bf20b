"""The brightness network for engines that run torch."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import numpy_helper

from leadline.core.depth_map import DepthMap
from leadline.core.image import Image
from leadline.core.results import Answer

__all__ = ["BrightnessNetwork", "brightness"]


def brightness(weights: Path) -> BrightnessNetwork:
    """Makes the network of the file that ``write_brightness`` writes.

    Args:
        weights: The ONNX file; its canonical focal length is read from it.

    Returns:
        The network.

    Raises:
        ValueError: It is no whole ONNX file.
    """
    try:
        graph = onnx.load(weights).graph
    except Exception as error:
        raise ValueError(f"{weights} is no ONNX file") from error
    constants = {node.name: numpy_helper.to_array(node) for node in graph.initializer}
    return BrightnessNetwork(float(constants["canonical"]))


class BrightnessNetwork:
    """(1 + red / 255) x f / canonical.

    Args:
        canonical_px: The focal length at which a black pixel is 1 m away.
    """

    def __init__(self, canonical_px: float) -> None:
        self.module = _Brightness(canonical_px)

    def key(self, image: Image) -> Hashable:
        """Photos of one size share a batch."""
        return image.rgb_HW3.shape

    def prepare(self, images: Sequence[Image], *, prompts: Sequence[DepthMap] = ()) -> Mapping[str, Any]:
        """Pixels and focal lengths."""
        pixels = torch.stack([torch.from_numpy(image.rgb_HW3.copy()).float() for image in images])
        focal = torch.tensor([math.sqrt(image.camera.fx * image.camera.fy) for image in images])
        return {"pixels": pixels, "focal_px": focal}

    def restore(
        self, outputs: Mapping[str, Any], images: Sequence[Image], *, prompts: Sequence[DepthMap] = ()
    ) -> list[Answer]:
        """The depth as it is."""
        return [Answer(depth.cpu().numpy()) for depth in outputs["depth"]]


class _Brightness(torch.nn.Module):
    def __init__(self, canonical_px: float) -> None:
        super().__init__()
        self.canonical_px = canonical_px

    def forward(self, pixels: torch.Tensor, focal_px: torch.Tensor) -> dict[str, torch.Tensor]:
        factor = (focal_px / self.canonical_px)[:, None, None]
        return {"depth": (1 + pixels[..., 0] / 255) * factor}
