"""ZoeDepth checkpoints in the true format, very small, of random weights."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import BeitConfig, ZoeDepthConfig, ZoeDepthForDepthEstimation, ZoeDepthImageProcessor

from leadline.testing.random_weights import saved, strengthened

__all__ = ["checkpoint", "checkpoint_of_two"]


def checkpoint(folder: Path) -> Path:
    """Makes the checkpoint of ``zoedepth-tiny``.

    Args:
        folder: Where to put it.

    Returns:
        The checkpoint's folder.
    """
    torch.manual_seed(1)
    config = ZoeDepthConfig(
        backbone_config=BeitConfig(
            hidden_size=32,
            num_hidden_layers=4,
            num_attention_heads=2,
            intermediate_size=64,
            image_size=64,
            patch_size=16,
            use_relative_position_bias=True,
            out_features=["stage1", "stage2", "stage3", "stage4"],
            reshape_hidden_states=False,
        ),
        backbone_hidden_size=32,
        neck_hidden_sizes=[16, 16, 24, 32],
        fusion_hidden_size=16,
        bottleneck_features=16,
        num_relative_features=8,
        bin_embedding_dim=16,
        num_attractors=[4, 3, 2, 1],
        num_patch_transformer_layers=4,
        patch_transformer_hidden_size=128,
        patch_transformer_intermediate_size=64,
        patch_transformer_num_attention_heads=2,
        bin_configurations=[{"n_bins": 16, "min_depth": 0.001, "max_depth": 10.0}],
    )
    net = ZoeDepthForDepthEstimation(config)
    processor = ZoeDepthImageProcessor(size={"height": 64, "width": 96}, ensure_multiple_of=32)
    home = folder / "zoedepth-tiny"
    return saved(strengthened(net), processor, home)


def checkpoint_of_two(folder: Path) -> Path:
    """Makes the checkpoint of ``zoedepth-two-tiny``.

    Args:
        folder: Where to put it.

    Returns:
        The checkpoint's folder.
    """
    torch.manual_seed(1)
    config = ZoeDepthConfig(
        backbone_config=BeitConfig(
            hidden_size=32,
            num_hidden_layers=4,
            num_attention_heads=2,
            intermediate_size=64,
            image_size=64,
            patch_size=16,
            use_relative_position_bias=True,
            out_features=["stage1", "stage2", "stage3", "stage4"],
            reshape_hidden_states=False,
        ),
        backbone_hidden_size=32,
        neck_hidden_sizes=[16, 16, 24, 32],
        fusion_hidden_size=16,
        bottleneck_features=16,
        num_relative_features=8,
        bin_embedding_dim=16,
        num_attractors=[4, 3, 2, 1],
        num_patch_transformer_layers=4,
        patch_transformer_hidden_size=128,
        patch_transformer_intermediate_size=64,
        patch_transformer_num_attention_heads=2,
        bin_configurations=[
            {"name": "nyu", "n_bins": 16, "min_depth": 0.001, "max_depth": 10.0},
            {"name": "kitti", "n_bins": 16, "min_depth": 0.001, "max_depth": 80.0},
        ],
    )
    net = ZoeDepthForDepthEstimation(config)
    processor = ZoeDepthImageProcessor(size={"height": 64, "width": 96}, ensure_multiple_of=32)
    home = folder / "zoedepth-two-tiny"
    return saved(strengthened(net), processor, home)
