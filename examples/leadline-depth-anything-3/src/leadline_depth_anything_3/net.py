"""The networks of Depth Anything 3 on single photos, with what is done before and after them."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from leadline.core.camera import Camera, Origin
from leadline.core.depth_map import DepthMap
from leadline.core.errors import EngineError, InputError
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.core.results import Answer
from leadline.ops.resize import resize
from leadline_depth_anything_3.checkpoint import load_weights, model_name, published_network, quiet
from leadline_depth_anything_3.spec import METRES, UP_TO_SCALE, UP_TO_SCALE_AND_SHIFT
from leadline_depth_anything_3.tiny import NAMES as TINY_NAMES
from leadline_depth_anything_3.tiny import tiny_network

__all__ = ["AnyViewNetwork", "MetricNetwork", "MonoNetwork", "OneView", "anyview", "metric", "mono"]

CANONICAL_FOCAL_PX = 300.0
"""Focal length of the camera that the metric network believes in ("We set canonical focal length f^c to 300", section 4.4)."""

SKY_FROM = 0.3
"""What the sky head says from here on is sky, as in ``compute_sky_mask``, which decides whose depth the network gives up."""

PROCESS_RES = 504
LEAST_PROCESS_RES = 112
"""At one to eight, the most slender photo that is shown to a network, the shorter side is then one patch of 14."""

_MOST_SLENDER = 8
_SOUND_FOV_DEG = (1.0, 170.0)


class OneView(torch.nn.Module):
    """A network of the family, which takes sets of views, on a batch of photos that are a set of one each.

    Args:
        model: The network; it keeps the name that its weights bear in checkpoints.
    """

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        """What the network says of each photo.

        Args:
            pixels: (N, 3, H, W), normalised.

        Returns:
            ``depth`` (N, H, W), and, as the network has them, ``sky`` (N, H, W) and ``intrinsics`` (N, 3, 3).
        """
        said = self.model(pixels[:, None])
        return {name: said[name][:, 0] for name in ("depth", "sky", "intrinsics") if name in said}


class MonoNetwork:
    """Relative depth: ``DA3MONO-LARGE``. The other two networks derive from it.

    Args:
        checkpoint: Folder with ``config.json`` and ``model.safetensors``.
        process_res: Pixels along the longer side that the network sees.

    Raises:
        InputError: ``process_res`` is too small.
        EngineError: The checkpoint is of another network.
        WeightsError: A file is missing or damaged, or the weights do not fit.
    """

    kind: ClassVar[Kind] = UP_TO_SCALE_AND_SHIFT
    names: ClassVar[tuple[str, ...]] = ("da3mono-large", "da3mono-tiny")
    """What ``config.json`` calls the networks that answer this way."""

    def __init__(self, checkpoint: Path, *, process_res: int = PROCESS_RES) -> None:
        if process_res < LEAST_PROCESS_RES:
            raise InputError(
                f"process_res = {process_res} is too small for the network",
                hint=f"give at least {LEAST_PROCESS_RES}",
            )
        name = model_name(checkpoint)
        if name not in self.names:
            raise EngineError(
                f"checkpoint {str(checkpoint)!r} is a {name!r}, not one of {', '.join(self.names)}",
                hint="open it by its folder, which reads what it is: --model FOLDER",
            )
        self.module = OneView(tiny_network(name) if name in TINY_NAMES else published_network(name))
        load_weights(self.module, checkpoint)
        self.process_res = process_res
        with quiet():
            from depth_anything_3.utils.io.input_processor import InputProcessor
        self._processor = InputProcessor()

    def key(self, image: Image) -> Hashable:
        """Photos of one size share a batch."""
        return image.rgb_HW3.shape

    def prepare(self, images: Sequence[Image], *, prompts: Sequence[DepthMap] = ()) -> Mapping[str, Any]:
        """The family's own resizing and normalising."""
        photos = [_padded(image.rgb_HW3) for image in images]
        pixels, _, _ = self._processor(photos, process_res=self.process_res, sequential=True)
        return {"pixels": pixels}

    def restore(
        self, outputs: Mapping[str, Any], images: Sequence[Image], *, prompts: Sequence[DepthMap] = ()
    ) -> list[Answer]:
        """The answers at the photos' sizes."""
        return [
            self.answer({name: several[place].cpu() for name, several in outputs.items()}, image)
            for place, image in enumerate(images)
        ]

    def answer(self, said: Mapping[str, Any], image: Image) -> Answer:
        """One photo's answer.

        Args:
            said: What the network said of it, at the size that it saw.
            image: The photo.

        Returns:
            Depth; +inf, and ``infinite``, where there is sky.
        """
        small: NDArray[np.float32] = said["depth"].numpy()
        has_sky = "sky" in said
        sky = said["sky"].numpy() >= SKY_FROM if has_sky else np.zeros(small.shape, bool)
        # The mask is always given: without it, a depth that float32 cannot hold would be taken for the sky.
        seen = DepthMap(small * np.float32(self.factor(image, small.shape)), self.kind, infinite=sky)
        height, width = _padded_size(image)
        whole = resize(seen, width=width, height=height)
        own = np.s_[: image.height, : image.width]
        infinite = np.ascontiguousarray(whole.infinite[own]) if has_sky else None
        return Answer(whole.values[own].copy(), self.camera(said, image), infinite=infinite)

    def factor(self, image: Image, seen: tuple[int, ...]) -> float:
        """What the network's numbers are multiplied with.

        Args:
            image: The photo.
            seen: Height and width that the network saw.
        """
        return 1.0

    def camera(self, said: Mapping[str, Any], image: Image) -> Camera | None:
        """The camera that the network believes in, where it has an opinion and the photo has none."""
        return None


class MetricNetwork(MonoNetwork):
    """Metres: ``DA3METRIC-LARGE``.

    Convention:
        metres = f / 300 x what the network says, with f the mean focal length in pixels of the image that the network sees:
        ``apply_metric_scaling`` in the package's ``utils/alignment.py``, which is given the intrinsics at that size.
    """

    kind: ClassVar[Kind] = METRES
    names: ClassVar[tuple[str, ...]] = ("da3metric-large", "da3metric-tiny")

    def factor(self, image: Image, seen: tuple[int, ...]) -> float:
        """The focal length that the network saw, over the canonical one."""
        height, width = _padded_size(image)
        fx, fy = image.camera.fx * seen[1] / width, image.camera.fy * seen[0] / height
        return (fx + fy) / 2 / CANONICAL_FOCAL_PX


class AnyViewNetwork(MonoNetwork):
    """Depth up to scale and the lens: ``DA3-SMALL``, ``-BASE``, ``-LARGE``, shown one view."""

    kind: ClassVar[Kind] = UP_TO_SCALE
    names: ClassVar[tuple[str, ...]] = ("da3-small", "da3-base", "da3-large", "da3-tiny")

    def camera(self, said: Mapping[str, Any], image: Image) -> Camera | None:
        """The estimated lens at the photo's size, looking through its middle."""
        if image.camera.origin is not Origin.ASSUMED:
            return None
        rows, columns = said["depth"].shape
        height, width = _padded_size(image)
        fx = float(said["intrinsics"][0, 0]) * width / columns
        fy = float(said["intrinsics"][1, 1]) * height / rows
        for f_px, size in ((fx, width), (fy, height)):
            _check_lens(f_px, size, image)
        return Camera(
            fx, fy, (image.width - 1) / 2, (image.height - 1) / 2, image.width, image.height, Origin.ESTIMATED
        )


def _check_lens(f_px: float, size: int, image: Image) -> None:
    fov_deg = math.degrees(2 * math.atan(size / (2 * f_px))) if f_px > 0 else math.nan
    if not _SOUND_FOV_DEG[0] < fov_deg < _SOUND_FOV_DEG[1]:
        raise EngineError(
            f"the network saw {fov_deg:.4g}° across a photo of {image.width}x{image.height}, which no lens shows",
            hint="say the lens: --fov DEGREES or --focal PIXELS",
        )


def _padded_size(image: Image) -> tuple[int, int]:
    """The size a photo is brought to: its own, unless it is more slender than one to eight."""
    least = -(-max(image.height, image.width) // _MOST_SLENDER)
    return max(image.height, least), max(image.width, least)


def _padded(rgb_HW3: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A photo with its last row or column repeated until it is no more slender than one to eight."""
    height, width, _ = rgb_HW3.shape
    least = -(-max(height, width) // _MOST_SLENDER)
    more = (0, max(0, least - height)), (0, max(0, least - width)), (0, 0)
    return np.pad(rgb_HW3, more, "edge")


def metric(checkpoint: Path, *, process_res: int = PROCESS_RES) -> MetricNetwork:
    """Makes the metric network of a checkpoint folder.

    Args:
        checkpoint: The folder.
        process_res: Pixels along the longer side that the network sees.

    Returns:
        The network.
    """
    return MetricNetwork(checkpoint, process_res=process_res)


def mono(checkpoint: Path, *, process_res: int = PROCESS_RES) -> MonoNetwork:
    """Makes the relative network of a checkpoint folder.

    Args:
        checkpoint: The folder.
        process_res: Pixels along the longer side that the network sees.

    Returns:
        The network.
    """
    return MonoNetwork(checkpoint, process_res=process_res)


def anyview(checkpoint: Path, *, process_res: int = PROCESS_RES) -> AnyViewNetwork:
    """Makes an any-view network of a checkpoint folder.

    Args:
        checkpoint: The folder.
        process_res: Pixels along the longer side that the network sees.

    Returns:
        The network.
    """
    return AnyViewNetwork(checkpoint, process_res=process_res)
