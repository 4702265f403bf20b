"""Whether a run can go on from a checkpoint: looked at before any data is read, and again when it does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from leadline.core.errors import InputError, WeightsError
from leadline.io.tensor_shapes import tell_apart
from leadline.training.checkpoint import LAST, PREFIX, read_checkpoint
from leadline.training.recipe import Recipe

__all__ = ["RECIPE_KEY", "check_going_on", "check_state"]

RECIPE_KEY = "leadline_recipe_sha256"
"""Where a checkpoint says which recipe it is of."""


def check_going_on(network: torch.nn.Module, *, recipe: Recipe, out: Path, resume: Path | None) -> None:
    """Looks at the checkpoint that a run would go on from, if there is one.

    Args:
        network: What is to be trained.
        recipe: By which recipe.
        out: Folder of the run.
        resume: The checkpoint, where it is not the last one in that folder.

    Raises:
        WeightsError: It is absent, damaged or of another network.
        InputError: It is of another recipe.
    """
    path = resume or out / LAST
    if resume is None and not path.exists():
        return
    state = {f"{PREFIX}{name}": tensor for name, tensor in network.state_dict().items()}
    check_state(read_checkpoint(path), state, recipe=recipe)


def check_state(found: Mapping[str, Any], wanted: Mapping[str, Tensor], *, recipe: Recipe) -> None:
    """Refuses a checkpoint of another network or recipe.

    Args:
        found: What the checkpoint holds.
        wanted: The state of what is to be trained.
        recipe: By which recipe.

    Raises:
        WeightsError: It is of another network.
        InputError: It is of another recipe: the finished file would tell of one that did not make it.
    """
    there, here = (
        {name.removeprefix(PREFIX): tuple(value.shape) for name, value in state.items()}
        for state in (found["state_dict"], wanted)
    )
    apart = tell_apart(there, here)
    if apart:
        raise WeightsError(
            f"the checkpoint is of another network: {apart}",
            hint="use an empty folder with --out, or the recipe the run began with",
        )
    if found.get(RECIPE_KEY) != recipe.digest:
        raise InputError(
            f"the checkpoint is of another recipe than {recipe.name!r} as it now is",
            hint="use an empty folder with --out, or the recipe the run began with",
        )
