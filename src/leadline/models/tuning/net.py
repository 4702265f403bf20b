"""A depth model of transformers as a network to be trained on: whole, its head alone, or with low-rank changes."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image as PilImage
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrize

from leadline.core.errors import InputError
from leadline.core.kind import Kind, Quantity
from leadline.io.atomic import output_error
from leadline.models.pretrained import load_processor, quiet
from leadline.plugins.need import need

__all__ = ["LowRank", "TunedNetwork", "build"]

ATTENTION = ("query", "key", "value", "q_proj", "k_proj", "v_proj")
NEAREST_M = 1e-3


class LowRank(nn.Module):
    """A weight plus a change of low rank, which is nothing at first (Hu et al., "LoRA", ICLR 2022, section 4.1).

    Args:
        outputs: Rows of the weight.
        inputs: Columns of the weight.
        rank: Rank of the change.
    """

    def __init__(self, outputs: int, inputs: int, rank: int) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.randn(rank, inputs) / inputs**0.5)
        self.up = nn.Parameter(torch.zeros(outputs, rank))

    def forward(self, weight: Tensor) -> Tensor:
        """The changed weight."""
        return weight + self.up @ self.down


class TunedNetwork(nn.Module):
    """A depth model of transformers, as the training loop wants a network.

    Convention:
        RGB 0 to 255 in, at the size its own image processor chooses; what the checkpoint says out, at that size: metres, or
        relative inverse depth.

    Args:
        module: The ``torch.nn.Module`` of transformers.
        processor: Its image processor.
        kind: What its numbers mean.
        trains: ``"all"``, ``"head"`` or ``"low-rank"``.
        rank: Rank of the changes, where they are low.
    """

    canonical_f_px: float | None = None
    output_stride = 1
    output_scale = "linear"
    gain: Tensor
    offset: Tensor

    def __init__(self, module: Any, processor: Any, *, kind: Kind, trains: str, rank: int) -> None:
        super().__init__()
        self.processor, self.output_kind, self.changed = processor, kind, list[nn.Linear]()
        # In every architecture that is known here the encoder comes first. Registered before the whole, it gives its parameters
        # the name by which the loop knows what is to move slowly.
        self.encoder: nn.Module = next(module.children())
        self.whole = module
        gain, offset = _normalisation(processor)
        self.register_buffer("gain", gain, persistent=False)
        self.register_buffer("offset", offset, persistent=False)
        self.target_size = lru_cache(maxsize=64)(self._target_size)
        if trains != "all":
            self.encoder.requires_grad_(False)
        if trains == "low-rank":
            self._add_changes(rank)

    def forward(self, rgb_N3HW: Tensor) -> Tensor:
        """See the class."""
        said: Tensor = self.whole(pixel_values=rgb_N3HW * self.gain + self.offset)["predicted_depth"][:, None]
        size = rgb_N3HW.shape[-2:]
        return said if said.shape[-2:] == size else functional.interpolate(said, size=size, mode="bilinear")

    def known(self, metres: Tensor) -> Tensor:
        """Where the truth counts: where it is known."""
        return metres > 0

    def target(self, metres: Tensor) -> Tensor:
        """Metres, or their inverse where inverse depth is said."""
        return metres if self.output_kind.quantity is Quantity.DEPTH else 1 / metres.clamp(min=NEAREST_M)

    def metres(self, output: Tensor) -> Tensor:
        """Metres of what a metric network says."""
        return output if self.output_kind.quantity is Quantity.DEPTH else 1 / output.clamp(min=NEAREST_M)

    def folded(self) -> TunedNetwork:
        """The network itself in evaluation mode, its changes merged into the weights."""
        for linear in self.changed:
            parametrize.remove_parametrizations(linear, "weight", leave_parametrized=True)
        self.changed.clear()
        return self.eval()

    def save(self, folder: Path) -> None:
        """Writes the checkpoint's folder as transformers does: whole or not at all.

        Args:
            folder: The folder; one that is there is replaced.

        Raises:
            OutputError: It cannot be written.
        """
        part = folder.with_name(f".leadline-{secrets.token_hex(6)}")
        self.whole.config.leadline_kind = str(self.output_kind)
        try:
            with quiet(need("transformers", who="fine-tuning", extra="transformers")):
                self.whole.save_pretrained(part)
                self.processor.save_pretrained(part)
            shutil.rmtree(folder, ignore_errors=True)
            part.rename(folder)
        except OSError as error:
            raise output_error(folder, error) from error
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def _target_size(self, height: int, width: int) -> tuple[int, int]:
        """The size its own processor brings a photo of this size to."""
        pixels = _processed(self.processor, np.zeros((height, width, 3), np.uint8))
        return int(pixels.shape[-2]), int(pixels.shape[-1])

    def _add_changes(self, rank: int) -> None:
        for name, module in self.encoder.named_modules():
            if isinstance(module, nn.Linear) and name.rpartition(".")[2] in ATTENTION:
                change = LowRank(module.out_features, module.in_features, rank)
                parametrize.register_parametrization(module, "weight", change)
                self.changed.append(module)
        if not self.changed:
            raise InputError(
                "the encoder of this model has no attention that could be changed at low rank",
                hint="set network.trains=head",
            )


def build(
    checkpoint: Path,
    *,
    network: Callable[[Path], Any],
    kind: Kind,
    trains: str = "all",
    rank: int = 8,
    seed: int = 0,
) -> TunedNetwork:
    """Makes a checkpoint ready to be trained on.

    Args:
        checkpoint: Its folder.
        network: Opens the family's networks.
        kind: What its numbers mean.
        trains: ``"all"``, ``"head"`` or ``"low-rank"``.
        rank: Rank of the changes, where they are low.
        seed: Start of what is random.

    Returns:
        The network, in training mode.

    Raises:
        WeightsError: The checkpoint is damaged.
        InputError: It has nothing to change at low rank.
    """
    torch.manual_seed(seed)
    opened = network(checkpoint)
    # Transformers' own processor, which can be saved beside the weights.
    processor = load_processor(checkpoint, architecture=opened.module.config.model_type)
    return TunedNetwork(opened.module, processor, kind=kind, trains=trains, rank=rank).train()


def _normalisation(processor: Any) -> tuple[Tensor, Tensor]:
    """Factor and offset of each channel, read off what the processor makes of black and of white, whatever its options."""
    black, white = (
        _processed(processor, np.full((64, 64, 3), value, np.uint8)).mean((-2, -1)) for value in (0, 255)
    )
    return ((white - black) / 255).reshape(1, 3, 1, 1), black.reshape(1, 3, 1, 1)


def _processed(processor: Any, rgb_HW3: Any) -> Tensor:
    pixels: Tensor = processor(images=[PilImage.fromarray(rgb_HW3)], return_tensors="pt")["pixel_values"][0]
    return pixels
