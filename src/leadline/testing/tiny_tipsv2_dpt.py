"""TIPSv2-DPT checkpoints in the true format, very small, of random weights."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import (
    AutoModelForDepthEstimation,
    Tipsv2DptConfig,
    Tipsv2DptImageProcessor,
    Tipsv2VisionConfig,
)

from leadline.testing.random_weights import saved, strengthened

__all__ = ["checkpoint"]


def checkpoint(folder: Path) -> Path:
    """Makes the checkpoint of ``tipsv2-dpt-tiny``.

    Args:
        folder: Where to put it.

    Returns:
        The checkpoint's folder.
    """
    torch.manual_seed(1)
    config = Tipsv2DptConfig(
        backbone_config=Tipsv2VisionConfig(
            hidden_size=32,
            num_hidden_layers=4,
            num_attention_heads=2,
            image_size=56,
            patch_size=14,
            out_indices=[1, 2, 3, 4],
            apply_layernorm=True,
            reshape_hidden_states=False,
        ),
        neck_hidden_sizes=[16, 16, 24, 32],
        fusion_hidden_size=16,
        num_depth_bins=16,
    )
    net = AutoModelForDepthEstimation.from_config(config)
    processor = Tipsv2DptImageProcessor(size={"height": 56, "width": 56})
    home = folder / "tipsv2-dpt-tiny"
    return saved(strengthened(net), processor, home)
