"""What the image processor of DPT and Depth Anything does, in PyTorch alone, to the bit.

Importing transformers' processors takes longer than a network takes for several photos, and a network whose graph an engine has
kept needs nothing else of transformers. So the commonest of them, ``DPTImageProcessor``, is done here where a checkpoint asks for
its plain steps: resize, rescale, normalise, and depth back by cubic interpolation.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

__all__ = ["DptSteps", "plain_steps"]

_NAMES = ("DPTImageProcessor", "DPTImageProcessorFast", "DPTFeatureExtractor")
_FILTERS = {2: "bilinear", 3: "bicubic"}
_DEFAULTS: dict[str, Any] = {
    "size": {"height": 384, "width": 384},
    "resample": 3,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "rescale_factor": 1 / 255,
    "ensure_multiple_of": 1,
    "keep_aspect_ratio": False,
}
_ON = ("do_resize", "do_rescale", "do_normalize")
_OFF = ("do_pad", "do_center_crop", "do_reduce_labels")


class DptSteps:
    """``DPTImageProcessor`` on the CPU, for checkpoints that ask for its plain steps.

    Args:
        told: What ``preprocessor_config.json`` says.
    """

    do_pad, do_normalize = False, True

    def __init__(self, told: Mapping[str, Any]) -> None:
        told = {**_DEFAULTS, **{key: value for key, value in told.items() if value is not None}}
        self.size = SimpleNamespace(height=int(told["size"]["height"]), width=int(told["size"]["width"]))
        self.keep_aspect_ratio = bool(told["keep_aspect_ratio"])
        self.resample = int(told["resample"])
        self.image_mean, self.image_std = list(told["image_mean"]), list(told["image_std"])
        self._multiple = int(told["ensure_multiple_of"])
        per_level = 1.0 / float(told["rescale_factor"])
        self._mean = torch.tensor(self.image_mean)[:, None, None] * per_level
        self._std = torch.tensor(self.image_std)[:, None, None] * per_level

    def __call__(self, *, images: Sequence[Any], return_tensors: str = "pt") -> dict[str, Tensor]:
        """Photos as the network takes them.

        Args:
            images: Pillow images in RGB, of one size.
            return_tensors: ``"pt"``, as transformers calls PyTorch.

        Returns:
            ``pixel_values``, float32 (N, 3, height, width).
        """
        rgb_HW3 = np.stack([np.asarray(image) for image in images])
        levels = torch.from_numpy(rgb_HW3).permute(0, 3, 1, 2).contiguous()
        size = self.network_size(levels.shape[2], levels.shape[3])
        if size != tuple(levels.shape[2:]):
            levels = interpolate(
                levels, size=size, mode=_FILTERS[self.resample], align_corners=False, antialias=True
            )
        return {"pixel_values": levels.to(torch.float32).sub_(self._mean).div_(self._std)}

    def network_size(self, height: int, width: int) -> tuple[int, int]:
        """The size at which the network sees a photo.

        Args:
            height: The photo's, in pixels.
            width: The photo's, in pixels.

        Returns:
            (height, width): the nearest multiples of the checkpoint's, of one scale for both sides where it keeps the photo's
            proportions: that which changes the photo less.
        """
        down, across = self.size.height / height, self.size.width / width
        if self.keep_aspect_ratio:
            down = across = across if abs(1 - across) < abs(1 - down) else down
        return self._nearest(down * height), self._nearest(across * width)

    def _nearest(self, side: float) -> int:
        nearest = round(side / self._multiple) * self._multiple
        return nearest if nearest >= 0 else math.ceil(side / self._multiple) * self._multiple

    def post_process_depth_estimation(
        self, outputs: Any, target_sizes: Sequence[tuple[int, int]]
    ) -> list[dict[str, Tensor]]:
        """Depth at the photos' sizes, by cubic interpolation.

        Args:
            outputs: What the network gave, with ``predicted_depth`` (N, height, width).
            target_sizes: (height, width) of each photo.

        Returns:
            One mapping a photo, with ``predicted_depth`` (height, width).
        """
        return [
            {
                "predicted_depth": interpolate(
                    depth[None, None], size=size, mode="bicubic", align_corners=False
                ).squeeze()
            }
            for depth, size in zip(outputs.predicted_depth, target_sizes, strict=True)
        ]


def plain_steps(checkpoint: Path) -> DptSteps | None:
    """The steps of a checkpoint, where they are those that are done here.

    Args:
        checkpoint: Its folder.

    Returns:
        The steps, or None where its processor is another one, or is asked for more.
    """
    try:
        told = json.loads((checkpoint / "preprocessor_config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None  # transformers finds it elsewhere, or says what is wrong with it
    if not isinstance(told, dict) or not _is_plain(told):
        return None
    return DptSteps(told)


def _is_plain(told: Mapping[str, Any]) -> bool:
    """Whether nothing odd is asked for; what is of another form than usual is left to transformers, which knows all forms."""
    whole = {**_DEFAULTS, **{key: value for key, value in told.items() if value is not None}}
    size = whole["size"]
    return (
        told.get("image_processor_type", told.get("feature_extractor_type")) in _NAMES
        and isinstance(size, dict)
        and set(size) == {"height", "width"}
        and all(isinstance(side, int) for side in (*size.values(), whole["ensure_multiple_of"]))
        and isinstance(whole["rescale_factor"], float)
        and whole["rescale_factor"] > 0
        and whole["ensure_multiple_of"] > 0
        and all(
            isinstance(whole[name], list) and len(whole[name]) == 3 for name in ("image_mean", "image_std")
        )
        and isinstance(whole["resample"], int)
        and whole["resample"] in _FILTERS
        and all(told.get(name, True) for name in _ON)
        and not any(told.get(name) for name in _OFF)
    )
