"""The network of leadline-indoor: an EfficientNet-Lite encoder and a light decoder.

The encoder is timm's EfficientNet-Lite without its classifier (Liu & Tan's mobile variant of Tan & Le, "EfficientNet",
ICML 2019). The decoder climbs back with depthwise-separable convolutions, bilinear upsampling and skip connections, in
the manner of FastDepth (Wofk et al., ICRA 2019), and predicts the logarithm of depth at half the network's resolution.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import timm
import torch
from timm.layers import BatchNormAct2d, Conv2dSame
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import fusion

from leadline.core.camera import ASSUMED_FOCAL_PER_WIDTH
from leadline.core.errors import WeightsError
from leadline.core.kind import Kind
from leadline.models.state_files import read_state
from leadline.plugins.registry import load

__all__ = ["CANONICAL_F_PX", "IndoorNet", "build", "normalised_convs", "target_size"]

CANONICAL_F_PX = ASSUMED_FOCAL_PER_WIDTH * 256
"""Focal length, in pixels of the network's own input, of the camera whose depth is predicted: the ASSUMED one at 256 px
across. Metric3D calls this the canonical camera transform (Yin et al., ICCV 2023, section 3.2, on labels)."""

NET_AREA_PX = 192 * 256
STRIDE_PX = 32
MAX_SIDE_PX = 1536
LOG_DEPTH_RANGE = (math.log(0.05), math.log(80.0))
TYPICAL_DEPTH_M = 2.5
WIDTHS = (128, 96, 64, 32, 24)


def target_size(height: int, width: int) -> tuple[int, int]:
    """The size a photo is resized to: the area of 192x256, its own shape, whole strides.

    Args:
        height: Rows of the photo.
        width: Columns of the photo.

    Returns:
        Rows and columns, multiples of 32 between 32 and 1536.

    Example:
        >>> target_size(480, 640), target_size(3000, 4000), target_size(1, 4000)
        ((192, 256), (192, 256), (32, 1536))
    """
    scale = math.sqrt(NET_AREA_PX / (height * width))
    rows, columns = (
        STRIDE_PX * round(min(max(side * scale / STRIDE_PX, 1.0), MAX_SIDE_PX / STRIDE_PX))
        for side in (height, width)
    )
    return rows, columns


class EvenConv2d(nn.Conv2d):
    """A convolution with TensorFlow's SAME padding for sides that are multiples of its stride.

    timm's ``Conv2dSame`` works the padding out from the size; at whole strides it is always kernel minus stride, the
    smaller half first.
    """

    @classmethod
    def like(cls, conv: nn.Conv2d) -> EvenConv2d:
        """The same convolution, weights included, with this padding."""
        even = cls(conv.in_channels, conv.out_channels, 1, groups=conv.groups, bias=conv.bias is not None)
        even.kernel_size, even.stride = conv.kernel_size, conv.stride
        even.weight, even.bias = conv.weight, conv.bias
        return even

    def forward(self, input: Tensor) -> Tensor:
        """See the class."""
        rows, columns = (k - s for k, s in zip(self.kernel_size, self.stride, strict=True))
        padding = (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2)
        out: Tensor = self._conv_forward(functional.pad(input, padding), self.weight, self.bias)
        return out


class SeparableConv(nn.Sequential):
    """A depthwise and a pointwise convolution, each with batch normalisation, and a ReLU6."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, inputs, 5, padding=2, groups=inputs, bias=False),
            nn.BatchNorm2d(inputs),
            nn.Conv2d(inputs, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU6(inplace=True),
        )


class Surroundings(nn.Module):
    """Adds what the whole picture says to every place of it: how large a room looks is seen at once, not locally."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = nn.Conv2d(channels, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        everywhere: Tensor = self.mix(features.mean((2, 3), keepdim=True))
        return features + everywhere


class UpStep(nn.Module):
    """Doubles the resolution and adds the encoder's features of that resolution."""

    def __init__(self, inputs: int, skip: int, outputs: int) -> None:
        super().__init__()
        self.lateral = nn.Conv2d(skip, outputs, 1)
        self.fuse = nn.Sequential(SeparableConv(inputs + outputs, outputs), SeparableConv(outputs, outputs))

    def forward(self, features: Tensor, skip: Tensor) -> Tensor:
        up = functional.interpolate(features, scale_factor=2.0, mode="bilinear", align_corners=False)
        fused: Tensor = self.fuse(torch.cat([up, self.lateral(skip)], 1))
        return fused


class IndoorNet(nn.Module):
    """Depth for the canonical camera from RGB at the network's resolution.

    Convention:
        Input: RGB 0 to 255, (N, 3, H, W), H and W multiples of 32. Output: natural logarithm of metres as the
        canonical camera (``CANONICAL_F_PX``) would measure them, (N, 1, H/2, W/2).

    Args:
        encoder: Name of a timm encoder with features at strides 2, 4, 8, 16 and 32.
        widths: Channels of the decoder at strides 32, 16, 8, 4 and 2.
        drop_path: Chance that a residual branch of the encoder is left out in training.
    """

    canonical_f_px: float | None = CANONICAL_F_PX
    net_size_px: tuple[int, int] | None = None
    net_area_px = NET_AREA_PX
    stride_px = STRIDE_PX
    max_side_px = MAX_SIDE_PX
    output_stride = 2
    output_kind = Kind()
    output_scale = "logarithmic"

    def __init__(
        self,
        *,
        encoder: str = "tf_efficientnet_lite0",
        widths: Sequence[int] = WIDTHS,
        drop_path: float = 0.0,
    ) -> None:
        super().__init__()
        self.encoder = timm.create_model(encoder, features_only=True, drop_path_rate=drop_path)
        _pad_evenly(self.encoder)
        skips = self.encoder.feature_info.channels()
        self.top = nn.Sequential(
            nn.Conv2d(skips[-1], widths[0], 1, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU6(inplace=True),
            Surroundings(widths[0]),
            SeparableConv(widths[0], widths[0]),
        )
        self.steps = nn.ModuleList(
            UpStep(wide, skip, narrow)
            for wide, skip, narrow in zip(widths[:-1], skips[-2::-1], widths[1:], strict=True)
        )
        self.head = nn.Conv2d(widths[-1], 1, 3, padding=1)
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.constant_(self.head.bias, math.log(TYPICAL_DEPTH_M))  # type: ignore[arg-type]

    def forward(self, rgb_N3HW: Tensor) -> Tensor:
        """See the class."""
        features = self.encoder((rgb_N3HW - 127.0) / 128.0)
        out = self.top(features[-1])
        for step, skip in zip(self.steps, features[-2::-1], strict=True):
            out = step(out, skip)
        return torch.clamp(self.head(out), *LOG_DEPTH_RANGE)

    @staticmethod
    def target_size(height: int, width: int) -> tuple[int, int]:
        """See :func:`target_size`."""
        return target_size(height, width)

    @staticmethod
    def known(metres: Tensor) -> Tensor:
        """Where the truth counts: where it is known."""
        return metres > 0

    @staticmethod
    def target(metres: Tensor) -> Tensor:
        """The logarithm of metres; where those are 0, that of the least it can say."""
        return torch.log(metres.clamp(min=math.exp(LOG_DEPTH_RANGE[0])))

    @staticmethod
    def metres(output: Tensor) -> Tensor:
        """Metres of their logarithm."""
        return torch.exp(output)

    def folded(self) -> IndoorNet:
        """The same function without batch normalisation: each is folded into the convolution before it.

        Returns:
            The network itself, changed in place and in evaluation mode.
        """
        self.eval()
        _fold(self)
        return self

    def unfold(self, path: Path, *, batches: Iterable[Tensor]) -> IndoorNet:
        """Takes over what a model file does, ready to be trained on: see ``unfold.py``.

        Args:
            path: A file that ``leadline.exporters.onnx`` wrote.
            batches: Photos to measure batch normalisation on, RGB 0 to 255, (N, 3, H, W).

        Returns:
            The network itself, in training mode.

        Raises:
            WeightsError: The file cannot be read or holds another network.
        """
        net: IndoorNet = load("leadline.models.leadline_indoor.unfold:unfold_file")(
            self, path, batches=batches
        )
        return net

    def load_encoder(self, state: dict[str, Tensor]) -> None:
        """Loads ImageNet weights of the whole classifier into the encoder: by name where names are timm's, else by order.

        Args:
            state: The classifier's state dict, in its own order where its names are other ones.

        Raises:
            WeightsError: An encoder tensor has no counterpart of its shape.
        """
        own = self.encoder.state_dict()
        if own.keys() <= state.keys():
            state = {name: state[name] for name in own}
        if len(state) < len(own):
            raise WeightsError(
                f"{len(state)} tensors are too few for an encoder of {len(own)}",
                hint="the weights belong to another encoder",
            )
        loaded = {}
        for (name, tensor), (foreign, value) in zip(own.items(), state.items(), strict=False):
            if tensor.shape != value.shape:
                raise WeightsError(
                    f"encoder tensor {name} of shape {tuple(tensor.shape)} meets {foreign} of {tuple(value.shape)}",
                    hint="the weights belong to another encoder",
                )
            loaded[name] = value
        self.encoder.load_state_dict(loaded)


def build(
    *,
    encoder: str = "tf_efficientnet_lite0",
    widths: Sequence[int] = WIDTHS,
    drop_path: float = 0.0,
    encoder_weights: Path | None = None,
    seed: int = 0,
) -> IndoorNet:
    """A network to train.

    Args:
        encoder: Name of a timm encoder.
        widths: Channels of the decoder, coarse to fine.
        drop_path: Chance that a residual branch is left out in training.
        encoder_weights: File with the classifier's ImageNet state dict; random weights without it.
        seed: Start of the random weights.

    Returns:
        The network, in training mode.

    Raises:
        WeightsError: The file's tensors do not fit the encoder.
    """
    torch.manual_seed(seed)
    net = IndoorNet(encoder=encoder, widths=tuple(widths) or WIDTHS, drop_path=drop_path)
    if encoder_weights is not None:
        net.load_encoder(read_state(encoder_weights))
    return net


def normalised_convs(module: nn.Module) -> Iterator[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """Each convolution with the batch normalisation behind it, in the order of the network.

    Args:
        module: The network or a part of it, not folded.

    Yields:
        Convolution and normalisation.
    """
    last: nn.Conv2d | None = None
    for child in module.children():
        if isinstance(child, nn.Conv2d):
            last = child
        elif isinstance(child, nn.BatchNorm2d) and last is not None:
            yield last, child
            last = None
        else:
            yield from normalised_convs(child)


def _pad_evenly(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, Conv2dSame):
            setattr(module, name, EvenConv2d.like(child))
        _pad_evenly(child)


def _fold(module: nn.Module) -> None:
    last: tuple[str, nn.Conv2d] | None = None
    for name, child in list(module.named_children()):
        if isinstance(child, nn.Conv2d):
            last = name, child
        elif isinstance(child, nn.BatchNorm2d | BatchNormAct2d) and last is not None:
            setattr(module, last[0], fusion.fuse_conv_bn_eval(last[1], child))
            setattr(module, name, child.act if isinstance(child, BatchNormAct2d) else nn.Identity())
            last = None
        else:
            _fold(child)
