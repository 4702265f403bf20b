"""The network of the Depth Anything family."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from leadline.models.dpt.steps import DptSteps, plain_steps
from leadline.models.pretrained import PretrainedNetwork, load_processor

__all__ = ["DepthAnythingNetwork", "network"]


class DepthAnythingNetwork(PretrainedNetwork):
    """Depth Anything V1 and V2, relative and metric, as transformers has them.

    Args:
        checkpoint: The folder.
    """

    architecture: ClassVar[str] = "depth_anything"

    def __init__(self, checkpoint: Path) -> None:
        super().__init__(checkpoint)
        # Relative values are the network's as they are; only metres have an end that must not be passed.
        self.cuts_overshoot = self.config.get("depth_estimation_type", "relative") == "metric"

    @cached_property
    def processor(self) -> Any:
        """The checkpoint's plain steps, which need no transformers, or its own image processor."""
        return plain_steps(self.checkpoint) or load_processor(self.checkpoint, architecture=self.architecture)

    @property
    def deferred(self) -> bool:
        """Whether the steps before and after need no transformers."""
        return isinstance(self.processor, DptSteps)

    def place(self, device: str) -> None:
        """Lets transformers' processor resize and normalise on a device.

        Args:
            device: Such as ``"cuda:0"``.
        """
        self.processor = load_processor(self.checkpoint, architecture=self.architecture)
        super().place(device)


def network(checkpoint: Path) -> DepthAnythingNetwork:
    """Makes the network of a checkpoint folder.

    Args:
        checkpoint: The folder.

    Returns:
        The network.
    """
    return DepthAnythingNetwork(checkpoint)
