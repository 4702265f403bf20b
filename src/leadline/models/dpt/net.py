"""The network of the DPT family."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from leadline.models.dpt.plain import PlainStepsNetwork

__all__ = ["DptNetwork", "network"]

_IMAGE_SIZE = 384
"""Of transformers' ``DPTConfig``, where a configuration does not say it."""


class DptNetwork(PlainStepsNetwork):
    """DPT as transformers has it: on a plain ViT, on a ResNet and a ViT (hybrid), on BEiT, Swin V2 or DINOv2."""

    architecture: ClassVar[str] = "dpt"

    def settled(self, processor: Any) -> Any:
        """Squares for its own ViT, which reads its tokens back as one, and of one size for the hybrid one.

        Args:
            processor: The steps, or transformers' processor.

        Returns:
            The same.
        """
        hybrid = bool(self.config.get("is_hybrid"))
        if not hybrid and (self.config.get("backbone_config") or self.config.get("backbone")):
            return processor
        size = processor.size
        side = int(self.config.get("image_size") or _IMAGE_SIZE) if hybrid else max(size.height, size.width)
        processor.size = type(size)(height=side, width=side)
        processor.keep_aspect_ratio = False
        return processor


def network(checkpoint: Path) -> DptNetwork:
    """Makes the network of a checkpoint folder.

    Args:
        checkpoint: The folder.

    Returns:
        The network.
    """
    return DptNetwork(checkpoint)
