"""Beginning with what another run made, where a recipe goes on from another one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Protocol, cast

import torch
from torch import Tensor

from leadline.core.errors import InputError
from leadline.training.batches import FrameBatches, pixels_of
from leadline.training.network import DepthNetwork
from leadline.training.recipe import Recipe
from leadline.training.views import Frame

__all__ = ["UnfoldingNetwork", "check_start", "start_from"]


class UnfoldingNetwork(DepthNetwork, Protocol):
    """A network that can take over what a model file does."""

    def unfold(self, path: Path, *, batches: Iterable[Tensor]) -> object:
        """Takes the file's function, with batch normalisation measured on photos."""
        ...


TRIED_PX = 64


def check_start(network: torch.nn.Module, path: Path) -> None:
    """Tries a model file on a copy of a network, before any data is read.

    Args:
        network: What is to be trained; it stays as it is.
        path: The model file it shall begin with.

    Raises:
        InputError: Such a network cannot take over what a file does.
        WeightsError: The file cannot be read or holds another network.
    """
    if not hasattr(network, "unfold"):
        raise InputError(
            f"network.starts_from: a {type(network).__name__} cannot go on from a model file",
            hint="leave starts_from and --start out, or go on from a checkpoint with --resume",
        )
    copy = cast(UnfoldingNetwork, deepcopy(network))
    copy.unfold(path, batches=[torch.zeros(1, 3, TRIED_PX, TRIED_PX)])


def start_from(
    network: torch.nn.Module,
    path: Path,
    *,
    frames: Sequence[Frame],
    more: Sequence[Sequence[Frame]],
    recipe: Recipe,
) -> None:
    """Gives a network the function of a model file, to be trained on.

    Args:
        network: Must offer ``unfold(path, batches=...)``.
        path: The model file.
        frames: What will be learned from; batch normalisation is measured on views of the first epoch.
        more: Frames of the recipe's further datasets, in its order.
        recipe: How views are drawn, and on how many batches is measured.

    Raises:
        WeightsError: The file cannot be read or holds another network.
    """
    unfolding = cast(UnfoldingNetwork, network)
    views = FrameBatches(frames, recipe=recipe, network=unfolding, epoch=0, more=more)
    count = min(recipe.optimiser.settle_batches, len(views))
    unfolding.unfold(path, batches=(pixels_of(views[index])[0] for index in range(count)))
