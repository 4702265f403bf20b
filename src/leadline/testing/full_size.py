"""Checkpoints of published architectures at their own size, of random weights: as much work as the true ones, and no download."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config, DPTImageProcessor

from leadline.testing.random_weights import saved, strengthened

__all__ = ["depth_anything_v2_small"]


def depth_anything_v2_small(folder: Path) -> Path:
    """Makes a checkpoint of Depth Anything V2-small, as published but for its weights.

    Args:
        folder: Where to put it.

    Returns:
        The checkpoint's folder.
    """
    torch.manual_seed(1)
    config = DepthAnythingConfig(
        backbone_config=Dinov2Config(
            hidden_size=384,
            num_hidden_layers=12,
            num_attention_heads=6,
            image_size=518,
            patch_size=14,
            out_indices=[3, 6, 9, 12],
            apply_layernorm=True,
            reshape_hidden_states=False,
        ),
        reassemble_hidden_size=384,
        neck_hidden_sizes=[48, 96, 192, 384],
        fusion_hidden_size=64,
        head_hidden_size=32,
    )
    processor = DPTImageProcessor(
        size={"height": 518, "width": 518}, keep_aspect_ratio=True, ensure_multiple_of=14
    )
    net = strengthened(DepthAnythingForDepthEstimation(config))
    return saved(net, processor, folder / "depth-anything-v2-small-random")
