"""Depth Pro checkpoints in the true format, very small, of random weights."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import DepthProConfig, DepthProForDepthEstimation, DepthProImageProcessor

from leadline.testing.random_weights import strengthened

__all__ = ["checkpoint"]

_ENCODER = {
    "model_type": "dinov2",
    "hidden_size": 16,
    "num_hidden_layers": 6,
    "num_attention_heads": 2,
    "mlp_ratio": 2,
    "image_size": 16,
    "patch_size": 8,
}


def checkpoint(folder: Path) -> Path:
    """Makes the checkpoint of ``depth-pro-tiny``.

    Args:
        folder: Where to put it.

    Returns:
        The checkpoint's folder.
    """
    torch.manual_seed(1)
    config = DepthProConfig(
        patch_size=16,
        fusion_hidden_size=16,
        intermediate_hook_ids=[4, 2],
        intermediate_feature_dims=[8, 8],
        scaled_images_ratios=[0.5, 1.0],
        scaled_images_overlap_ratios=[0.0, 0.2],
        scaled_images_feature_dims=[12, 12],
        use_fov_model=True,
        image_model_config=dict(_ENCODER),
        patch_model_config=dict(_ENCODER),
        fov_model_config=dict(_ENCODER),
    )
    net = DepthProForDepthEstimation(config)
    processor = DepthProImageProcessor(size={"height": 64, "width": 64})
    home = folder / "depth-pro-tiny"
    with torch.no_grad():
        strengthened(net).fov_model.head.layers[-1].bias.fill_(50.0)  # degrees: lenses that there are
        net.head.layers[-2].bias.fill_(80.0)  # inverse depth above nothing
    net.save_pretrained(home)
    processor.save_pretrained(home)
    return home
