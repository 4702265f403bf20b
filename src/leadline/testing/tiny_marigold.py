"""A Marigold checkpoint in the true format, very small, of random weights."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    LCMScheduler,
    MarigoldDepthPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from leadline.models.marigold.net import quiet
from leadline.testing.random_weights import strengthened

__all__ = ["checkpoint", "checkpoint_lcm"]

_TEXT_WIDTH = 16
_ENDS = ("<|startoftext|>", "<|endoftext|>")


def checkpoint(folder: Path) -> Path:
    """Makes the checkpoint of ``marigold-tiny``.

    Args:
        folder: Where to put it.

    Returns:
        The checkpoint's folder.
    """
    scheduler = DDIMScheduler(
        timestep_spacing="trailing", clip_sample=False, prediction_type="v_prediction", steps_offset=1
    )
    return _saved(scheduler, folder, home=folder / "marigold-tiny")


def checkpoint_lcm(folder: Path) -> Path:
    """Makes a checkpoint whose scheduler draws noise at every step, as the distilled Marigold's does.

    Args:
        folder: Where to put it.

    Returns:
        The checkpoint's folder.
    """
    return _saved(LCMScheduler(prediction_type="v_prediction"), folder, home=folder / "marigold-lcm-tiny")


def _saved(scheduler: DDIMScheduler | LCMScheduler, folder: Path, *, home: Path) -> Path:
    torch.manual_seed(1)
    pipeline = MarigoldDepthPipeline(
        unet=_unet(),
        vae=_vae(),
        scheduler=scheduler,
        text_encoder=_text_encoder(),
        tokenizer=_tokenizer(folder),
        prediction_type="depth",
        scale_invariant=True,
        shift_invariant=True,
        default_denoising_steps=2,
        default_processing_resolution=32,
    )
    with quiet():
        pipeline.save_pretrained(home)
    return home


def _unet() -> UNet2DConditionModel:
    net = UNet2DConditionModel(
        sample_size=16,
        in_channels=8,
        out_channels=4,
        block_out_channels=(16, 32),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=_TEXT_WIDTH,
        attention_head_dim=8,
        norm_num_groups=8,
    )
    return strengthened(net)


def _vae() -> AutoencoderKL:
    net = AutoencoderKL(
        block_out_channels=(16, 16),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=8,
        sample_size=32,
    )
    return strengthened(net)


def _text_encoder() -> CLIPTextModel:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=8,
            hidden_size=_TEXT_WIDTH,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            projection_dim=_TEXT_WIDTH,
            bos_token_id=0,
            eos_token_id=1,
            pad_token_id=1,
        )
    )


def _tokenizer(folder: Path) -> CLIPTokenizer:
    """Marigold only ever reads the empty text, so the two ends of a text and a letter are words enough."""
    words = folder / "words"
    words.mkdir()
    vocabulary = {word: place for place, word in enumerate((*_ENDS, "a", "a</w>"))}
    (words / "vocab.json").write_text(json.dumps(vocabulary), "utf-8")
    (words / "merges.txt").write_text("#version: 0.2\n", "utf-8")
    return CLIPTokenizer.from_pretrained(words, model_max_length=77)
