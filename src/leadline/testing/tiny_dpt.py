"""DPT checkpoints in the true format, very small, of random weights: one of each backbone that the published ones have."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import (
    BeitConfig,
    BitConfig,
    DPTConfig,
    DPTForDepthEstimation,
    DPTImageProcessor,
    Swinv2Config,
)

from leadline.testing.random_weights import strengthened

__all__ = ["beit", "checkpoint", "hybrid", "swinv2"]

_NECK = [16, 16, 24, 32]


def checkpoint(folder: Path) -> Path:
    """Makes the checkpoint of ``dpt-tiny``: a plain ViT, as in ``dpt-large``.

    Args:
        folder: Where to put it.

    Returns:
        The checkpoint's folder.
    """
    config = DPTConfig(
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=64,
        image_size=64,
        patch_size=16,
        backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=_NECK,
        fusion_hidden_size=16,
        is_hybrid=False,
    )
    processor = DPTImageProcessor(size={"height": 64, "width": 64})
    return _saved(config, processor, folder / "dpt-tiny")


def hybrid(folder: Path) -> Path:
    """Makes the checkpoint of ``dpt-hybrid-tiny``: a ResNet whose last stage goes through a ViT, as in ``dpt-hybrid-midas``.

    Args:
        folder: Where to put it.

    Returns:
        The checkpoint's folder.
    """
    config = DPTConfig(
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=64,
        image_size=64,
        patch_size=16,
        backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=_NECK,
        fusion_hidden_size=16,
        is_hybrid=True,
        backbone_featmap_shape=[1, 32, 4, 4],
        backbone_config=BitConfig(
            embedding_size=8,
            hidden_sizes=[16, 16, 32],
            depths=[1, 1, 1],
            num_groups=4,
            global_padding="same",
            layer_type="bottleneck",
            embedding_dynamic_padding=True,
            out_features=["stage1", "stage2", "stage3"],
        ),
    )
    processor = DPTImageProcessor(size={"height": 64, "width": 64})
    return _saved(config, processor, folder / "dpt-hybrid-tiny")


def beit(folder: Path) -> Path:
    """Makes the checkpoint of ``dpt-beit-tiny``: a BEiT, as in MiDaS 3.1's ``dpt-beit-large-512``.

    Args:
        folder: Where to put it.

    Returns:
        The checkpoint's folder.
    """
    backbone = BeitConfig(
        image_size=64,
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=64,
        patch_size=16,
        use_relative_position_bias=True,
        reshape_hidden_states=False,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )
    config = DPTConfig(backbone_config=backbone, neck_hidden_sizes=_NECK, fusion_hidden_size=16)
    processor = DPTImageProcessor(
        size={"height": 64, "width": 64}, keep_aspect_ratio=False, ensure_multiple_of=32
    )
    return _saved(config, processor, folder / "dpt-beit-tiny")


def swinv2(folder: Path) -> Path:
    """Makes the checkpoint of ``dpt-swin-tiny``: a Swin V2, as in MiDaS 3.1's ``dpt-swinv2-tiny-256``, much smaller.

    Args:
        folder: Where to put it.

    Returns:
        The checkpoint's folder.
    """
    backbone = Swinv2Config(
        image_size=64,
        embed_dim=8,
        depths=[1, 1, 1, 1],
        num_heads=[1, 2, 2, 4],
        window_size=4,
        pretrained_window_sizes=[0, 0, 0, 0],
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )
    config = DPTConfig(backbone_config=backbone, neck_hidden_sizes=[8, 16, 32, 64], fusion_hidden_size=16)
    processor = DPTImageProcessor(size={"height": 64, "width": 64})
    return _saved(config, processor, folder / "dpt-swin-tiny")


def _saved(config: DPTConfig, processor: DPTImageProcessor, home: Path) -> Path:
    torch.manual_seed(1)
    strengthened(DPTForDepthEstimation(config)).save_pretrained(home)
    processor.save_pretrained(home)
    return home
