"""Depth Anything checkpoints in the true format, very small, of random weights."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config, DPTImageProcessor

from leadline.testing.random_weights import strengthened

__all__ = ["metric", "relative"]


def relative(folder: Path) -> Path:
    """Makes the checkpoint of ``depth-anything-tiny``.

    Args:
        folder: Where to put it.

    Returns:
        The checkpoint's folder.
    """
    torch.manual_seed(1)
    config = DepthAnythingConfig(
        backbone_config=Dinov2Config(
            hidden_size=32,
            num_hidden_layers=4,
            num_attention_heads=2,
            mlp_ratio=2,
            image_size=56,
            patch_size=14,
            out_features=["stage1", "stage2", "stage3", "stage4"],
            reshape_hidden_states=False,
        ),
        patch_size=14,
        reassemble_hidden_size=32,
        neck_hidden_sizes=[16, 16, 24, 32],
        fusion_hidden_size=16,
        head_hidden_size=16,
        depth_estimation_type="relative",
        max_depth=1,
    )
    net = DepthAnythingForDepthEstimation(config)
    processor = DPTImageProcessor(
        size={"height": 56, "width": 56}, keep_aspect_ratio=True, ensure_multiple_of=14
    )
    home = folder / "depth-anything-tiny"
    with torch.no_grad():
        strengthened(net).head.conv3.bias.fill_(
            90.0
        )  # inverse depth above nothing, where the head's ReLU leaves it
    net.save_pretrained(home)
    processor.save_pretrained(home)
    return home


def metric(folder: Path) -> Path:
    """Makes the checkpoint of ``depth-anything-metric-tiny``.

    Args:
        folder: Where to put it.

    Returns:
        The checkpoint's folder.
    """
    torch.manual_seed(1)
    config = DepthAnythingConfig(
        backbone_config=Dinov2Config(
            hidden_size=32,
            num_hidden_layers=4,
            num_attention_heads=2,
            mlp_ratio=2,
            image_size=56,
            patch_size=14,
            out_features=["stage1", "stage2", "stage3", "stage4"],
            reshape_hidden_states=False,
        ),
        patch_size=14,
        reassemble_hidden_size=32,
        neck_hidden_sizes=[16, 16, 24, 32],
        fusion_hidden_size=16,
        head_hidden_size=16,
        depth_estimation_type="metric",
        max_depth=20,
    )
    net = DepthAnythingForDepthEstimation(config)
    processor = DPTImageProcessor(
        size={"height": 56, "width": 56}, keep_aspect_ratio=True, ensure_multiple_of=14
    )
    home = folder / "depth-anything-metric-tiny"
    with torch.no_grad():
        strengthened(net).head.conv3.weight.mul_(0.1)  # metres between the ends of the head's sigmoid
        net.head.conv3.bias.fill_(1.0)
    net.save_pretrained(home)
    processor.save_pretrained(home)
    return home
