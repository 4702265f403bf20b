"""DPT checkpoints in the true format, very small, of random weights."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import DPTConfig, DPTForDepthEstimation, DPTImageProcessor

from leadline.testing.random_weights import strengthened

__all__ = ["checkpoint"]


def checkpoint(folder: Path) -> Path:
    """Makes the checkpoint of ``dpt-tiny``.

    Args:
        folder: Where to put it.

    Returns:
        The checkpoint's folder.
    """
    torch.manual_seed(1)
    config = DPTConfig(
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=64,
        image_size=64,
        patch_size=16,
        backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[16, 16, 24, 32],
        fusion_hidden_size=16,
        is_hybrid=False,
    )
    net = DPTForDepthEstimation(config)
    processor = DPTImageProcessor(size={"height": 64, "width": 64})
    home = folder / "dpt-tiny"
    strengthened(net).save_pretrained(home)
    processor.save_pretrained(home)
    return home
