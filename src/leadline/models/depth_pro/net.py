"""The network of the Depth Pro family."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch

from leadline.core.camera import Camera, Origin
from leadline.core.errors import EngineError
from leadline.core.image import Image
from leadline.core.results import Answer
from leadline.models.pretrained import PretrainedNetwork

__all__ = ["DepthProNetwork", "network"]

_SOUND_FOV_DEG = (1.0, 170.0)


class DepthProNetwork(PretrainedNetwork):
    """Depth Pro as transformers has it.

    Convention:
        The network gives canonical inverse depth C; metres are f / (W C), with the focal length f in pixels and the width W
        (Bochkovskii et al., ICLR 2025, section 3.2). Where the photo's camera is known, f is its own; where it is assumed, f
        comes from the field of view that the network estimates, and that camera goes with the answer.
    """

    architecture: ClassVar[str] = "depth_pro"
    way_back: ClassVar[str] = ""

    def post_process(self, outputs: Mapping[str, Any], images: Sequence[Image]) -> list[dict[str, Any]]:
        """The processor's own, with the field of view of each photo."""
        estimated = outputs.get("field_of_view")
        told = [self._fov_deg(image, estimated, k) for k, image in enumerate(images)]
        device = outputs["predicted_depth"].device
        return super().post_process({**outputs, "field_of_view": torch.tensor(told, device=device)}, images)

    def _fov_deg(self, image: Image, estimated: Any, place: int) -> float:
        """Horizontal field of view of the padded photo, in degrees."""
        width = self.padded(image)[1]
        if estimated is None or image.camera.origin is not Origin.ASSUMED:
            return math.degrees(2 * math.atan(width / (2 * image.camera.fx)))
        fov_deg = float(estimated[place])
        if not _SOUND_FOV_DEG[0] < fov_deg < _SOUND_FOV_DEG[1]:
            raise EngineError(
                f"the network saw {fov_deg:.4g}° across a photo of {image.width}x{image.height}, which no lens shows",
                hint="say the lens: --fov DEGREES or --focal PIXELS",
            )
        return fov_deg

    def answer(self, done: Mapping[str, Any], raw: Any, image: Image) -> Answer:
        """Metres, with the camera that the network believes in where the photo's own is assumed."""
        camera = None
        if self.module.config.use_fov_model and image.camera.origin is Origin.ASSUMED:
            f_px = float(done["focal_length"])
            camera = Camera.centred(f_px, image.width, image.height, origin=Origin.ESTIMATED)
        return Answer(self.plane(done["predicted_depth"], image), camera)


def network(checkpoint: Path) -> DepthProNetwork:
    """Makes the network of a checkpoint folder.

    Args:
        checkpoint: The folder.

    Returns:
        The network.
    """
    return DepthProNetwork(checkpoint)
