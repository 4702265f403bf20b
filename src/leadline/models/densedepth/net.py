"""DenseDepth (Alhashim & Wonka, "High Quality Monocular Depth Estimation via Transfer Learning", arXiv:1812.11941).

The encoder is a classifier's, by timm: DenseNet-169, DenseNet-121 or a ResNet. The decoder doubles the resolution four times,
bilinearly, each time with the encoder's features of that resolution beside it and two 3x3 convolutions with LeakyReLU, and
ends at half the photo's resolution. It predicts 10 / metres.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional

from leadline.core.errors import InputError, WeightsError
from leadline.core.kind import Kind, Quantity
from leadline.io.tensor_shapes import tell_apart
from leadline.models.state_files import read_state

__all__ = ["DenseDepth", "build"]

NET_SIZE_PX = (480, 640)
NEAREST_M, FARTHEST_M = 0.1, 10.0
SLOPE = 0.2
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's colours from 0 to 1, which timm's encoders were trained with."""

COUNTED = "num_batches_tracked"
"""What normalisation layers count; older files lack it."""

DENSE = (("conv0", "norm0"), ("pool0",), ("denseblock1", "transition1"), ("denseblock2", "transition2"))
"""The parts of a DenseNet whose outputs are skips, at strides 2, 4, 8 and 16; the rest makes the top, at 32."""


class DenseEncoder(nn.Module):
    """A DenseNet without its classifier, and what it makes at strides 2, 4, 8, 16 and 32.

    The skips are taken after pooling, as the article takes them: 64, 64, 128 and 256 channels for DenseNet-169.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.features = timm.create_model(name).features
        self.steps = [*DENSE, ("denseblock3", "transition3", "denseblock4", "norm5")]

    def forward(self, photo: Tensor) -> list[Tensor]:
        """Features, fine to coarse."""
        made, out = [], photo
        for step in self.steps:
            for part in step:
                out = self.features.get_submodule(part)(out)
            made.append(out)
        return made


class ResidualEncoder(nn.Module):
    """A ResNet without its classifier, and what it makes at strides 2, 4, 8, 16 and 32."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.features = timm.create_model(name, features_only=True)

    def forward(self, photo: Tensor) -> list[Tensor]:
        """Features, fine to coarse."""
        made: list[Tensor] = self.features(photo)
        return made


class UpBlock(nn.Module):
    """Bilinear upsampling to the skip's size, the skip beside it, two convolutions."""

    def __init__(self, inputs: int, skip: int, outputs: int) -> None:
        super().__init__()
        self.conv_a = nn.Conv2d(inputs + skip, outputs, 3, padding=1)
        self.conv_b = nn.Conv2d(outputs, outputs, 3, padding=1)

    def forward(self, features: Tensor, skip: Tensor) -> Tensor:
        """What goes on at twice the resolution."""
        up = functional.interpolate(features, scale_factor=2.0, mode="bilinear", align_corners=False)
        out = functional.leaky_relu(self.conv_a(torch.cat([up, skip], 1)), SLOPE)
        return functional.leaky_relu(self.conv_b(out), SLOPE)


class DenseDepth(nn.Module):
    """10 / metres at half the resolution of the network's input.

    Convention:
        Input: RGB 0 to 255, (N, 3, H, W), H and W multiples of 32. Output: 10 / metres, (N, 1, H/2, W/2), from 1 (10 m) to
        100 (0.1 m) where it was trained: the article's 1000 / centimetres. A photo is resized to 480x640. Metres are the
        training camera's: nothing is made of the focal length.

    Args:
        encoder: Name of a timm DenseNet or ResNet.
        widths: Channels at the top and of the four blocks; the article's, halved at every step, where empty.

    Raises:
        InputError: The encoder is of another family, or the widths are not five.
    """

    canonical_f_px: float | None = None
    output_stride = 2
    output_kind = Kind(Quantity.INVERSE)
    output_scale = "linear"
    stride_px = 32
    max_side_px = max(NET_SIZE_PX)
    net_area_px = NET_SIZE_PX[0] * NET_SIZE_PX[1]
    mean: Tensor
    spread: Tensor

    def __init__(self, *, encoder: str = "densenet169", widths: Sequence[int] = ()) -> None:
        super().__init__()
        self.net_size_px: tuple[int, int] | None = NET_SIZE_PX
        self.encoder = _encoder(encoder)
        skips = _channels(self.encoder)
        widths = tuple(widths) or tuple(skips[-1] // 2**step for step in range(5))
        if len(widths) != 5:
            raise InputError(
                f"widths = {list(widths)} are not five numbers", hint="leave them out for the article's"
            )
        self.top = nn.Conv2d(skips[-1], widths[0], 1)
        self.up = nn.ModuleList(
            UpBlock(wide, skip, narrow)
            for wide, skip, narrow in zip(widths[:-1], skips[-2::-1], widths[1:], strict=True)
        )
        self.head = nn.Conv2d(widths[-1], 1, 3, padding=1)
        self.register_buffer("mean", 255 * torch.tensor(MEAN).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("spread", 255 * torch.tensor(SPREAD).reshape(1, 3, 1, 1), persistent=False)

    def forward(self, rgb_N3HW: Tensor) -> Tensor:
        """See the class."""
        *skips, top = self.encoder((rgb_N3HW - self.mean) / self.spread)
        out = self.top(top)
        for block, skip in zip(self.up, reversed(skips), strict=True):
            out = block(out, skip)
        said: Tensor = self.head(out)
        return said

    def target_size(self, height: int, width: int) -> tuple[int, int]:
        """The size a photo is resized to: always the same."""
        del height, width
        assert self.net_size_px is not None
        return self.net_size_px

    @staticmethod
    def known(metres: Tensor) -> Tensor:
        """Where the truth counts: where it is known."""
        return metres > 0

    @staticmethod
    def target(metres: Tensor) -> Tensor:
        """10 / metres, of metres clipped to 0.1 to 10."""
        return FARTHEST_M / metres.clamp(NEAREST_M, FARTHEST_M)

    @staticmethod
    def metres(output: Tensor) -> Tensor:
        """Metres, from 0.1 to 10, whatever is said."""
        return FARTHEST_M / output.clamp(1.0, FARTHEST_M / NEAREST_M)

    def folded(self) -> LogDepth:
        """The same in evaluation mode, as the logarithm of metres, ready to be exported."""
        exported: LogDepth = LogDepth(self).eval()
        return exported

    def load_encoder(self, path: Path) -> None:
        """Loads a classifier's weights into the encoder; its last layer is left out.

        Args:
            path: A state dict of timm's or torchvision's names, as ``.safetensors`` or as torch saves it.

        Raises:
            WeightsError: The file cannot be read, or belongs to another encoder.
        """
        features = self.encoder.features
        kept = {name.removeprefix("features."): tensor for name, tensor in read_state(path).items()}
        there = {name: tensor.shape for name, tensor in kept.items()}
        own = {name: tensor.shape for name, tensor in features.state_dict().items()}
        due = {name: shape for name, shape in own.items() if not name.endswith(COUNTED)}
        apart = tell_apart({name: shape for name, shape in there.items() if name in due}, due)
        if apart:
            raise WeightsError(
                f"{str(path)!r} holds no weights of this encoder: {apart}",
                hint="give a classifier's file of the same architecture, or none for random weights",
            )
        features.load_state_dict({n: t for n, t in kept.items() if n in own})


class LogDepth(nn.Module):
    """A DenseDepth whose output is the logarithm of metres.

    Args:
        net: The network.
    """

    canonical_f_px: float | None = None
    stride_px, max_side_px, net_area_px = DenseDepth.stride_px, DenseDepth.max_side_px, DenseDepth.net_area_px

    def __init__(self, net: DenseDepth) -> None:
        super().__init__()
        self.net, self.net_size_px = net, net.net_size_px

    def forward(self, rgb_N3HW: Tensor) -> Tensor:
        """See the class."""
        said = self.net(rgb_N3HW).clamp(1.0, FARTHEST_M / NEAREST_M)
        return math.log(FARTHEST_M) - torch.log(said)


def _encoder(name: str) -> DenseEncoder | ResidualEncoder:
    if not timm.is_model(name) or not ("densenet" in name or "resnet" in name):
        raise InputError(
            f"encoder {name!r} is no DenseNet or ResNet of timm's",
            hint="the article has densenet169, densenet121 and resnet50",
        )
    return DenseEncoder(name) if "densenet" in name else ResidualEncoder(name)


def _channels(encoder: nn.Module) -> list[int]:
    was = encoder.training
    with torch.no_grad():
        made = encoder.eval()(torch.zeros(1, 3, 64, 64))
    encoder.train(was)
    return [features.shape[1] for features in made]


def build(
    *,
    encoder: str = "densenet169",
    widths: Sequence[int] = (),
    drop_path: float = 0.0,
    encoder_weights: Path | None = None,
    seed: int = 0,
) -> DenseDepth:
    """A network to train.

    Args:
        encoder: Name of a timm DenseNet or ResNet.
        widths: Channels of the decoder, coarse to fine; the article's where empty.
        drop_path: Must be 0: it has no branch to leave out.
        encoder_weights: File with a classifier's weights; random ones without it.
        seed: Start of the random weights.

    Returns:
        The network, in training mode.

    Raises:
        InputError: The encoder is of another family, or an option is set that it does not have.
        WeightsError: The file's tensors do not fit the encoder.
    """
    if drop_path:
        raise InputError(
            f"drop_path = {drop_path:g}, but DenseDepth has no branch to leave out", hint="leave it out"
        )
    torch.manual_seed(seed)
    net = DenseDepth(encoder=encoder, widths=widths)
    if encoder_weights is not None:
        net.load_encoder(encoder_weights)
    return net.train()
