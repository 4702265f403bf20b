"""The network of the TIPSv2-DPT family."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from leadline.models.pretrained import PretrainedNetwork

__all__ = ["Tipsv2DptNetwork", "network"]


class Tipsv2DptNetwork(PretrainedNetwork):
    """TIPSv2-DPT as transformers has it."""

    architecture: ClassVar[str] = "tipsv2_dpt"
    way_back: ClassVar[str] = "linear"
    cuts_overshoot = True


def network(checkpoint: Path) -> Tipsv2DptNetwork:
    """Makes the network of a checkpoint folder.

    Args:
        checkpoint: The folder.

    Returns:
        The network.
    """
    return Tipsv2DptNetwork(checkpoint)
