"""The network of the DPT family."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from leadline.models.pretrained import PretrainedNetwork

__all__ = ["DptNetwork", "network"]


class DptNetwork(PretrainedNetwork):
    """DPT as transformers has it."""

    architecture: ClassVar[str] = "dpt"


def network(checkpoint: Path) -> DptNetwork:
    """Makes the network of a checkpoint folder.

    Args:
        checkpoint: The folder.

    Returns:
        The network.
    """
    return DptNetwork(checkpoint)
