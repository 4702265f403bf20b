"""Random-weight variants of the built-in families, so that every contract runs on a CPU without a download."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from leadline.exporters.onnx import export_network
from leadline.models.densedepth.net import DenseDepth
from leadline.models.densedepth.net import build as build_densedepth
from leadline.models.leadline_indoor.net import IndoorNet, build
from leadline.models.unet.net import UNet
from leadline.testing.random_weights import strengthened

__all__ = ["densedepth", "indoor", "indoor_net", "small_densedepth", "strengthened", "unet"]

ENCODER = "test_efficientnet"
WIDTHS = (16, 12, 8, 8, 4)


def indoor_net() -> IndoorNet:
    """A very small leadline-indoor network, random everywhere, so that every part of it shows in its depth.

    Returns:
        The network, the same each time, in training mode.
    """
    net = build(encoder=ENCODER, widths=WIDTHS, seed=1)
    for name, buffer in net.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_(0, 0.2)
        if name.endswith("running_var"):
            buffer.uniform_(0.5, 1.5)
    for name, parameter in net.named_parameters():
        if name.endswith(".bias"):
            parameter.data.normal_(0, 0.2)
    net.head.weight.data.normal_(0, 0.3)
    return net


def indoor(folder: Path) -> Path:
    """Makes the file of ``leadline-indoor-tiny``.

    Args:
        folder: Where to put it.

    Returns:
        The file.
    """
    path = folder / "leadline-indoor-tiny.onnx"
    record = {"name": "leadline-indoor-tiny", "version": "1", "kind": "metric-depth"}
    export_network(indoor_net().folded(), path, record=record)
    return path


def unet(folder: Path) -> Path:
    """Makes the file of ``unet-tiny``.

    Args:
        folder: Where to put it.

    Returns:
        The file.
    """
    path = folder / "unet-tiny.onnx"
    torch.manual_seed(2)
    net = strengthened(UNet(widths=(4, 6, 8)))
    export_network(net.folded(), path, record={"name": "unet-tiny", "version": "1", "kind": "metric-depth"})
    return path


def small_densedepth(
    *,
    encoder: str,
    widths: Sequence[int] = (),
    drop_path: float = 0.0,
    encoder_weights: Path | None = None,
    seed: int = 0,
) -> DenseDepth:
    """A very small DenseDepth, for photos resized to 96x128: see ``leadline.models.densedepth.net:build``."""
    net = build_densedepth(
        encoder=encoder,
        widths=tuple(widths) or (16, 12, 8, 8, 4),
        drop_path=drop_path,
        encoder_weights=encoder_weights,
        seed=seed,
    )
    net.net_size_px = (96, 128)
    return net


def densedepth(folder: Path) -> Path:
    """Makes the file of ``densedepth-tiny``.

    Args:
        folder: Where to put it.

    Returns:
        The file.
    """
    path = folder / "densedepth-tiny.onnx"
    net = strengthened(small_densedepth(encoder="test_resnet", seed=3))
    with torch.no_grad():
        net.head.bias.fill_(6.0)
    record = {"name": "densedepth-tiny", "version": "1", "kind": "metric-depth"}
    export_network(net.folded(), path, record=record)
    return path
