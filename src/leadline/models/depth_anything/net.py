"""The network of the Depth Anything family."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from leadline.models.dpt.plain import PlainStepsNetwork

__all__ = ["DepthAnythingNetwork", "network"]


class DepthAnythingNetwork(PlainStepsNetwork):
    """Depth Anything V1 and V2, relative and metric, as transformers has them.

    Args:
        checkpoint: The folder.
    """

    architecture: ClassVar[str] = "depth_anything"

    def __init__(self, checkpoint: Path) -> None:
        super().__init__(checkpoint)
        # Relative values are the network's as they are; only metres have an end that must not be passed.
        self.cuts_overshoot = self.config.get("depth_estimation_type", "relative") == "metric"


def network(checkpoint: Path) -> DepthAnythingNetwork:
    """Makes the network of a checkpoint folder.

    Args:
        checkpoint: The folder.

    Returns:
        The network.
    """
    return DepthAnythingNetwork(checkpoint)
