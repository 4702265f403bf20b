"""GLPN checkpoints in the true format, very small, of random weights."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import GLPNConfig, GLPNForDepthEstimation, GLPNImageProcessor

from leadline.testing.random_weights import saved, strengthened

__all__ = ["checkpoint"]


def checkpoint(folder: Path) -> Path:
    """Makes the checkpoint of ``glpn-tiny``.

    Args:
        folder: Where to put it.

    Returns:
        The checkpoint's folder.
    """
    torch.manual_seed(1)
    config = GLPNConfig(
        hidden_sizes=[8, 16, 24, 32],
        depths=[1, 1, 1, 1],
        num_attention_heads=[1, 1, 2, 2],
        decoder_hidden_size=16,
    )
    net = GLPNForDepthEstimation(config)
    processor = GLPNImageProcessor()
    home = folder / "glpn-tiny"
    return saved(strengthened(net), processor, home)
