"""The network of the GLPN family."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from leadline.models.pretrained import PretrainedNetwork

__all__ = ["GlpnNetwork", "network"]


class GlpnNetwork(PretrainedNetwork):
    """GLPN as transformers has it."""

    architecture: ClassVar[str] = "glpn"
    least_side: ClassVar[int] = 32
    cuts_overshoot = True


def network(checkpoint: Path) -> GlpnNetwork:
    """Makes the network of a checkpoint folder.

    Args:
        checkpoint: The folder.

    Returns:
        The network.
    """
    return GlpnNetwork(checkpoint)
