"""The network of the ZoeDepth family."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from leadline.models.pretrained import PretrainedNetwork

__all__ = ["ZoeDepthNetwork", "network"]


class ZoeDepthNetwork(PretrainedNetwork):
    """ZoeDepth as transformers has it."""

    architecture: ClassVar[str] = "zoedepth"
    least_side: ClassVar[int] = 8
    way_back: ClassVar[str] = ""
    cuts_overshoot = True


def network(checkpoint: Path) -> ZoeDepthNetwork:
    """Makes the network of a checkpoint folder.

    Args:
        checkpoint: The folder.

    Returns:
        The network.
    """
    return ZoeDepthNetwork(checkpoint)
