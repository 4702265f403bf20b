"""A Prompt Depth Anything checkpoint in the true format, very small, of random weights."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import (
    Dinov2Config,
    PromptDepthAnythingConfig,
    PromptDepthAnythingForDepthEstimation,
    PromptDepthAnythingImageProcessor,
)

from leadline.testing.tiny import strengthened

__all__ = ["checkpoint"]


def checkpoint(folder: Path) -> Path:
    """Makes the checkpoint of ``prompt-depth-anything-tiny``.

    Args:
        folder: Where to put it.

    Returns:
        The checkpoint's folder.
    """
    torch.manual_seed(1)
    config = PromptDepthAnythingConfig(
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
        max_depth=1,
    )
    net = PromptDepthAnythingForDepthEstimation(config)
    processor = PromptDepthAnythingImageProcessor(
        size={"height": 56, "width": 56},
        keep_aspect_ratio=True,
        ensure_multiple_of=14,
        prompt_scale_to_meter=0.001,
    )
    home = folder / "prompt-depth-anything-tiny"
    strengthened(net).save_pretrained(home)
    processor.save_pretrained(home)
    return home
