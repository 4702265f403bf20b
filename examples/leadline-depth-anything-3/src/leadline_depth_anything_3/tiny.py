"""Very small networks of the family's own parts, and checkpoints of them in the true form, of random weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from leadline.testing.random_weights import strengthened
from leadline_depth_anything_3.checkpoint import quiet

__all__ = ["NAMES", "anyview", "metric", "mono", "tiny_network"]

NAMES = ("da3metric-tiny", "da3mono-tiny", "da3-tiny")
"""What ``config.json`` calls them."""

_WIDTH, _DEPTH, _HEADS = 24, 4, 2
_FUSION: dict[str, Any] = {"features": 16, "out_channels": [8, 8, 16, 16]}


def tiny_network(name: str) -> Any:
    """One of the tiny networks, with fresh weights.

    Args:
        name: One of ``NAMES``.

    Returns:
        A ``DepthAnything3Net``.
    """
    with quiet():
        from depth_anything_3.model.cam_dec import CameraDec
        from depth_anything_3.model.cam_enc import CameraEnc
        from depth_anything_3.model.da3 import DepthAnything3Net
        from depth_anything_3.model.dpt import DPT
        from depth_anything_3.model.dualdpt import DualDPT

        if name == "da3-tiny":
            return DepthAnything3Net(
                _backbone(alternating_from=2),
                DualDPT(2 * _WIDTH, output_dim=2, **_FUSION),
                cam_dec=CameraDec(2 * _WIDTH),
                cam_enc=CameraEnc(_WIDTH, trunk_depth=1, num_heads=_HEADS),
            )
        return DepthAnything3Net(_backbone(alternating_from=-1), DPT(_WIDTH, output_dim=1, **_FUSION))


def _backbone(*, alternating_from: int) -> Any:
    """The family's DINOv2, whose class knows four sizes only, around a transformer of another size."""
    from depth_anything_3.model.dinov2.dinov2 import DinoV2
    from depth_anything_3.model.dinov2.vision_transformer import DinoVisionTransformer

    starts = {f"{what}_start": alternating_from for what in ("alt", "qknorm", "rope")}
    tokens = {"cat_token": alternating_from > 0}
    backbone = DinoV2("vits", list(range(_DEPTH)), **starts, **tokens)
    backbone.pretrained = DinoVisionTransformer(
        img_size=518,
        patch_size=14,
        embed_dim=_WIDTH,
        depth=_DEPTH,
        num_heads=_HEADS,
        mlp_ratio=2,
        **starts,
        **tokens,
    )
    return backbone


def metric(folder: Path) -> Path:
    """Makes the checkpoint of ``depth-anything-3-metric-tiny``.

    Args:
        folder: Where to put it.

    Returns:
        The checkpoint's folder.
    """
    return _checkpoint(folder, "da3metric-tiny", seed=1, sky_bias=9.0)


def mono(folder: Path) -> Path:
    """Makes the checkpoint of ``depth-anything-3-mono-tiny``.

    Args:
        folder: Where to put it.

    Returns:
        The checkpoint's folder.
    """
    return _checkpoint(folder, "da3mono-tiny", seed=2, sky_bias=-20.0)


def anyview(folder: Path) -> Path:
    """Makes the checkpoint of ``depth-anything-3-tiny``.

    Args:
        folder: Where to put it.

    Returns:
        The checkpoint's folder.
    """
    return _checkpoint(folder, "da3-tiny", seed=3)


def _checkpoint(folder: Path, name: str, *, seed: int, sky_bias: float = 0.0) -> Path:
    from safetensors.torch import save_model

    torch.manual_seed(seed)
    net = strengthened(tiny_network(name))
    with torch.no_grad():
        net.head.scratch.output_conv2[-1].weight.mul_(
            0.05
        )  # their exponential is depth: a few octaves, as in a room
        if net.cam_dec is None:
            net.head.scratch.sky_output_conv2[-1].bias.fill_(sky_bias)  # some sky, some ground
        else:
            net.cam_dec.fc_fov[0].weight.mul_(0.1)
            net.cam_dec.fc_fov[0].bias.fill_(1.0)  # radians: lenses that there are
    home = folder / name
    home.mkdir()
    holder = torch.nn.Module()
    holder.model = net  # the name that DepthAnything3 gives it, and its checkpoints with it
    save_model(holder, str(home / "model.safetensors"))
    (home / "config.json").write_text(json.dumps({"model_name": name}))
    return home
