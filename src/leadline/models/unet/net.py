"""The U-Net of the public Keras tutorial (Basu, "Monocular depth estimation"), and the same with its faults mended.

Faithful: four blocks down (16, 32, 64, 128 channels), a bottleneck (256), four up; a block adds what its first convolution
made to what comes out of it; the head is a 1x1 convolution with a tanh on the logarithm of metres. Batch normalisation has
Keras' constants, weights start as Keras' do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from leadline.core.errors import InputError
from leadline.core.kind import Kind

__all__ = ["NET_SIDE_PX", "TutorialUNet", "UNet", "build", "build_tutorial"]

NET_SIDE_PX = 256
WIDTHS = (16, 32, 64, 128, 256)
SLOPE = 0.2
EPSILON, MOMENTUM = 1e-3, 0.01
"""Keras' constants of batch normalisation; its momentum of 0.99 is torch's 0.01."""

NEAREST_M, FARTHEST_M, LOG_FLOOR, PERCENTILE = 0.1, 300.0, 0.1, 0.99
TYPICAL_DEPTH_M = 2.5


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=EPSILON, momentum=MOMENTUM)


class DownBlock(nn.Module):
    """Two convolutions; the first's output is added to the second's, handed on as the skip, and pooled."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv_a, self.norm_a = _conv(inputs, outputs), _norm(outputs)
        self.conv_b, self.norm_b = _conv(outputs, outputs), _norm(outputs)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """The skip, and what goes on at half the resolution."""
        first = self.conv_a(features)
        out = self.conv_b(functional.leaky_relu(self.norm_a(first), SLOPE))
        skip = functional.leaky_relu(self.norm_b(out), SLOPE) + first
        return skip, functional.max_pool2d(skip, 2)


class UpBlock(nn.Module):
    """Nearest upsampling, the skip beside it, two convolutions."""

    def __init__(self, inputs: int, skip: int, outputs: int) -> None:
        super().__init__()
        self.conv_a, self.norm_a = _conv(inputs + skip, outputs), _norm(outputs)
        self.conv_b, self.norm_b = _conv(outputs, outputs), _norm(outputs)

    def forward(self, features: Tensor, skip: Tensor) -> Tensor:
        """What goes on at twice the resolution."""
        both = torch.cat([functional.interpolate(features, scale_factor=2.0, mode="nearest"), skip], 1)
        out = functional.leaky_relu(self.norm_a(self.conv_a(both)), SLOPE)
        return functional.leaky_relu(self.norm_b(self.conv_b(out)), SLOPE)


class Bottleneck(nn.Module):
    """Two convolutions without batch normalisation."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv_a, self.conv_b = _conv(inputs, outputs), _conv(outputs, outputs)

    def forward(self, features: Tensor) -> Tensor:
        """See the class."""
        out = functional.leaky_relu(self.conv_a(features), SLOPE)
        return functional.leaky_relu(self.conv_b(out), SLOPE)


class UNet(nn.Module):
    """The tutorial's network with a head that does not saturate: it says the logarithm of metres as it is.

    Convention:
        Input: RGB 0 to 255, (N, 3, H, W), sides multiples of 2 to the number of blocks. Output: natural logarithm of
        metres, (N, 1, H, W). A photo is squashed to 256x256. Metres are the training camera's: nothing is made of the
        focal length.

    Args:
        widths: Channels of the blocks, the last one the bottleneck's.

    Raises:
        InputError: There are fewer than two widths.
    """

    canonical_f_px: float | None = None
    output_stride = 1
    output_kind = Kind()
    output_scale = "logarithmic"
    net_size_px: tuple[int, int] | None = (NET_SIDE_PX, NET_SIDE_PX)
    net_area_px = NET_SIDE_PX**2
    max_side_px = NET_SIDE_PX

    def __init__(self, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        if len(widths) < 2:
            raise InputError(
                f"widths = {list(widths)} leave no block", hint="the tutorial has 16, 32, 64, 128, 256"
            )
        self.stride_px = 2 ** (len(widths) - 1)
        inputs = (3, *widths[:-2])
        self.down = nn.ModuleList(DownBlock(i, o) for i, o in zip(inputs, widths[:-1], strict=True))
        self.bottleneck = Bottleneck(widths[-2], widths[-1])
        wide = widths[:0:-1]
        self.up = nn.ModuleList(UpBlock(i, skip, skip) for i, skip in zip(wide, widths[-2::-1], strict=True))
        self.head = nn.Conv2d(widths[0], 1, 1)
        self.apply(_as_keras_begins)
        nn.init.constant_(self.head.bias, self._first_output())  # type: ignore[arg-type]

    def _first_output(self) -> float:
        return math.log(TYPICAL_DEPTH_M)

    def forward(self, rgb_N3HW: Tensor) -> Tensor:
        """See the class."""
        features = rgb_N3HW / 255.0
        skips = []
        for block in self.down:
            skip, features = block(features)
            skips.append(skip)
        features = self.bottleneck(features)
        for block, skip in zip(self.up, reversed(skips), strict=True):
            features = block(features, skip)
        return self._said(self.head(features))

    def _said(self, raw: Tensor) -> Tensor:
        return torch.clamp(raw, math.log(NEAREST_M), math.log(FARTHEST_M))

    def target_size(self, height: int, width: int) -> tuple[int, int]:
        """The size a photo is resized to: always the same."""
        del height, width
        return NET_SIDE_PX, NET_SIDE_PX

    def known(self, metres: Tensor) -> Tensor:
        """Where the truth counts: where it is known."""
        return metres > 0

    def target(self, metres: Tensor) -> Tensor:
        """The logarithm of metres, clipped to what the head can say."""
        return torch.log(metres.clamp(NEAREST_M, FARTHEST_M))

    @staticmethod
    def metres(output: Tensor) -> Tensor:
        """Metres of their logarithm."""
        return torch.exp(output)

    def folded(self) -> UNet:
        """The network itself, in evaluation mode, ready to be exported."""
        return self.eval()


class TutorialUNet(UNet):
    """The tutorial's network and target as they are.

    The tanh ends at a logarithm of 1, which is 2.7 m; nothing is said of nearer than the logarithm 0.1, which is 1.1 m;
    unknown pixels count as if they lay there.
    """

    def _first_output(self) -> float:
        return 0.0

    def _said(self, raw: Tensor) -> Tensor:
        return torch.tanh(raw)

    def known(self, metres: Tensor) -> Tensor:
        """Where the truth counts: everywhere, because the tutorial drops its mask."""
        return torch.ones_like(metres, dtype=torch.bool)

    def target(self, metres: Tensor) -> Tensor:
        """The logarithm of metres up to their 99th percentile, image by image, and not under 0.1."""
        flat = metres.flatten(1).float()
        most = torch.quantile(flat, PERCENTILE, dim=1).clamp(math.exp(LOG_FLOOR), FARTHEST_M)
        clipped = torch.minimum(metres.clamp(min=NEAREST_M), most.reshape(-1, 1, 1, 1))
        return torch.log(clipped).clamp(min=LOG_FLOOR)


def _as_keras_begins(module: nn.Module) -> None:
    """Glorot's uniform weights and biases of 0."""
    if isinstance(module, nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)  # type: ignore[arg-type]


def build(
    *,
    encoder: str = "",
    widths: Sequence[int] = WIDTHS,
    drop_path: float = 0.0,
    encoder_weights: Path | None = None,
    seed: int = 0,
) -> UNet:
    """The network with its faults mended.

    Args:
        encoder: Must be empty: it has no encoder of its own name.
        widths: Channels of the blocks, the last one the bottleneck's; the tutorial's where empty.
        drop_path: Must be 0: it has no branch to leave out.
        encoder_weights: Must be None.
        seed: Start of the random weights.

    Returns:
        The network, in training mode.

    Raises:
        InputError: An option is set that it does not have.
    """
    _refuse(encoder, drop_path, encoder_weights)
    torch.manual_seed(seed)
    return UNet(tuple(widths) or WIDTHS)


def build_tutorial(
    *,
    encoder: str = "",
    widths: Sequence[int] = WIDTHS,
    drop_path: float = 0.0,
    encoder_weights: Path | None = None,
    seed: int = 0,
) -> TutorialUNet:
    """The network as the tutorial has it: see :func:`build` for the arguments."""
    _refuse(encoder, drop_path, encoder_weights)
    torch.manual_seed(seed)
    return TutorialUNet(tuple(widths) or WIDTHS)


def _refuse(encoder: str, drop_path: float, encoder_weights: Path | None) -> None:
    if encoder or drop_path or encoder_weights is not None:
        raise InputError(
            "the U-Net has no encoder of its own, no weights for one and no drop_path",
            hint="leave these options of [network] out",
        )
