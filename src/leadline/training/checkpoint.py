"""Checkpoints: what a training run leaves behind."""

from __future__ import annotations

from pathlib import Path
from pickle import UnpicklingError

import torch

from leadline.core.errors import WeightsError

__all__ = ["LAST", "load_average"]

LAST = "last.ckpt"
"""Name of the checkpoint that a run goes on from."""

PREFIX = "network."


def load_average(network: torch.nn.Module, path: Path) -> torch.nn.Module:
    """Gives a network the moving average of the weights in a checkpoint.

    Args:
        network: A network of the checkpoint's shape.
        path: A checkpoint of the training loop.

    Returns:
        The network itself.

    Raises:
        WeightsError: The checkpoint is absent, damaged or of another network.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
        network.load_state_dict({k.removeprefix(PREFIX): v for k, v in state.items()})
    except (OSError, EOFError, KeyError, RuntimeError, UnpicklingError) as error:
        raise WeightsError(
            f"{str(path)!r} is not a checkpoint of this network: {error}",
            hint="train again into an empty folder",
        ) from error
    return network
