"""Networks to train: what they must offer, how a recipe makes one, what one says of a photo."""

from __future__ import annotations

import math
from importlib import resources
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as PilImage
from torch import Tensor
from torch.nn import functional

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, WeightsError
from leadline.core.image import Image
from leadline.core.kind import Freedom, Kind
from leadline.io.weights import locate
from leadline.plugins.need import need
from leadline.plugins.registry import load
from leadline.plugins.specs import ModelSpec, Weights
from leadline.training.recipe import Recipe

__all__ = ["DepthNetwork", "build_network", "predict", "predict_metres"]


class DepthNetwork(Protocol):
    """What a network must offer to be trained here; every ``torch.nn.Module`` with these names does.

    Convention:
        It maps RGB 0 to 255, (N, 3, H, W), to numbers of its own, (N, 1, H / output_stride, W / output_stride), of the kind
        and scale it states: the logarithm of metres, say, or their inverse. Metres are those that the canonical camera would
        measure. The part to be changed slowly is called ``encoder``.
    """

    canonical_f_px: float | None
    """None where nothing is made of the focal length."""
    output_stride: int
    output_kind: Kind
    output_scale: str
    """``"linear"`` or ``"logarithmic"``."""

    def target_size(self, height: int, width: int) -> tuple[int, int]:
        """The size a photo is resized to."""
        ...

    def known(self, metres: Tensor) -> Tensor:
        """Where the truth counts, as truth values; metres are 0 where unknown."""
        ...

    def target(self, metres: Tensor) -> Tensor:
        """The numbers that stand for metres; where those are 0 (unknown), any finite number."""
        ...

    def metres(self, output: Tensor) -> Tensor:
        """The metres that its numbers stand for."""
        ...

    def __call__(self, rgb_N3HW: Tensor) -> Tensor:
        """Its numbers."""
        ...


def build_network(recipe: Recipe, *, pretrained: ModelSpec | None = None) -> torch.nn.Module:
    """The network of a recipe, with its pretrained encoder and otherwise the random weights of the recipe's seed.

    Args:
        recipe: Names the builder and the encoder's weights.
        pretrained: The model that is trained on, where the recipe has one.

    Returns:
        The network.

    Raises:
        InputError: The recipe's builder is not there, or an option is none of its network's.
        MissingExtra: The package that holds the encoder's weights is not installed.
        WeightsError: They are not there, cannot be fetched, or do not fit.
    """
    options = recipe.network
    if pretrained is not None:
        tuned: torch.nn.Module = _builder(options.builder)(
            locate(pretrained.weights, name=pretrained.name),
            network=load(pretrained.network),
            kind=pretrained.kind,
            trains=options.trains,
            rank=options.rank,
            seed=recipe.seed,
        )
        return tuned
    network = _builder(options.builder)(
        encoder=options.encoder,
        widths=options.widths,
        drop_path=options.drop_path,
        encoder_weights=_weights_file(options.encoder_weights, name=options.encoder),
        seed=recipe.seed,
    )
    return cast(torch.nn.Module, network)


def _builder(target: str) -> Any:
    try:
        return load(target)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{target.partition(':')[0]}.".startswith(f"{error.name}."):
            raise
        raise InputError(
            f"network.builder: there is no module {error.name!r}",
            hint="correct it in the recipe: MODULE:FUNCTION, such as leadline.models.unet.net:build",
        ) from error


def _weights_file(target: str, *, name: str) -> Path | None:
    """The file that a recipe's ``encoder_weights`` names."""
    if not target:
        return None
    if target.startswith("hf:"):
        return locate(Weights(target), name=name) / "model.safetensors"
    if Path(target).is_file():
        return Path(target)
    package, colon, file = target.partition(":")
    if not colon:
        raise WeightsError(
            f"there is no file {target!r}", hint="correct encoder_weights in the recipe, or leave it empty"
        )
    need(package, who="training from a pretrained encoder", extra="train")
    path = Path(str(resources.files(package).joinpath(file)))
    if not path.is_file():
        raise WeightsError(f"{package!r} holds no {file!r}", hint="correct encoder_weights in the recipe")
    return path


def predict(network: DepthNetwork, image: Image) -> DepthMap:
    """Depth of a whole photo by a network as it stands, of the kind that the network says.

    Args:
        network: In evaluation mode.
        image: The photo and its camera.

    Returns:
        Metres at the photo's size; of a network that leaves scale or shift unknown, what it says, at that size.
    """
    if network.output_kind.freedom is Freedom.NONE:
        return predict_metres(network, image)
    with torch.inference_mode():
        values = _resized(network(_pixels(network, image)), image)
    return DepthMap(values, network.output_kind, camera=image.camera)


def predict_metres(network: DepthNetwork, image: Image) -> DepthMap:
    """Depth of a whole photo by a network as it stands.

    Convention:
        The photo is resized to the network's size with Pillow's antialiased bilinear filter; the depth comes back
        bilinearly, and is scaled from the canonical to the photo's own focal length.

    Args:
        network: In evaluation mode.
        image: The photo and its camera.

    Returns:
        Metres at the photo's size.
    """
    height, width = network.target_size(image.height, image.width)
    with torch.inference_mode():
        metres = _resized(network.metres(network(_pixels(network, image))), image)
    if network.canonical_f_px is not None:
        camera = image.camera
        f_px = math.sqrt(camera.fx * width / image.width * camera.fy * height / image.height)
        metres = metres * np.float32(f_px / network.canonical_f_px)
    return DepthMap(metres, Kind(), camera=image.camera)


def _pixels(network: DepthNetwork, image: Image) -> Tensor:
    """A photo as the network takes it."""
    height, width = network.target_size(image.height, image.width)
    small = PilImage.fromarray(image.rgb_HW3).resize((width, height), PilImage.Resampling.BILINEAR)
    device = next(cast(torch.nn.Module, network).parameters()).device
    pixels = torch.from_numpy(np.array(small, np.float32)).permute(2, 0, 1)[None].to(device)
    return pixels.contiguous(memory_format=torch.channels_last)


def _resized(depth: Tensor, image: Image) -> NDArray[np.float32]:
    full = functional.interpolate(depth.float(), size=(image.height, image.width), mode="bilinear")
    plane: NDArray[np.float32] = full[0, 0].detach().cpu().numpy()
    return plane
