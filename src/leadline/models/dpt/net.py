"""The network of the DPT family."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from leadline.models.pretrained import PretrainedNetwork

__all__ = ["DptNetwork", "network"]


class DptNetwork(PretrainedNetwork):
    """DPT as transformers has it: on a plain ViT, on a ResNet and a ViT (hybrid), on BEiT, Swin V2 or DINOv2.

    Args:
        checkpoint: The folder.
    """

    architecture: ClassVar[str] = "dpt"

    def __init__(self, checkpoint: Path) -> None:
        super().__init__(checkpoint)
        config = self.module.config
        if config.is_hybrid or config.backbone_config is None:
            # Its own ViT reads its tokens back as a square, and the hybrid one takes the size of its configuration alone.
            size = self.processor.size
            side = config.image_size if config.is_hybrid else max(size["height"], size["width"])
            self.processor.size = {"height": side, "width": side}
            self.processor.keep_aspect_ratio = False


def network(checkpoint: Path) -> DptNetwork:
    """Makes the network of a checkpoint folder.

    Args:
        checkpoint: The folder.

    Returns:
        The network.
    """
    return DptNetwork(checkpoint)
