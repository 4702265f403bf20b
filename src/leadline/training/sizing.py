"""What a network's training takes, found out before it begins: parameters, memory, and whether it takes the recipe's shapes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from leadline.core.errors import InputError
from leadline.training.network import DepthNetwork
from leadline.training.recipe import Recipe

__all__ = ["Size", "measure_size"]

MOMENTS = {"adamw": 2, "adam": 2, "sgd": 0}
FLOAT_BYTES = 4


@dataclass(frozen=True, slots=True)
class Size:
    """What training a network takes.

    Args:
        parameters: Numbers of the network.
        trained: Those that move.
        checkpoint_bytes: Weights, their average, and what the optimiser keeps: a checkpoint, about.
        state_bytes: The same and gradients.
        step_bytes: What one batch of one process keeps for the way back.
    """

    parameters: int
    trained: int
    checkpoint_bytes: int
    state_bytes: int
    step_bytes: int


def measure_size(network: torch.nn.Module, *, recipe: Recipe, processes: int = 1) -> Size:
    """Runs one view of every shape through a network, and counts.

    Nothing of the network changes: it runs in evaluation mode, without randomness.

    Args:
        network: The network.
        recipe: Shapes, batch, optimiser, precision.
        processes: How many share a batch.

    Returns:
        What it takes; the batch's memory is that of the largest shape.

    Raises:
        InputError: The network cannot take a shape, or answers in another size than it states.
    """
    parameters = list(network.parameters())
    count = sum(p.numel() for p in parameters)
    trained = sum(p.numel() for p in parameters if p.requires_grad)
    checkpoint = FLOAT_BYTES * (2 * count + MOMENTS[recipe.optimiser.method] * trained)
    state = checkpoint + FLOAT_BYTES * trained
    views = -(-recipe.optimiser.batch // processes)
    each = max(_kept_bytes(network, rows, columns) for rows, columns, _ in recipe.views.shapes)
    halved = 1 if recipe.optimiser.precision == "float32" else 2
    return Size(count, trained, checkpoint, state, each * views // halved)


def _kept_bytes(network: torch.nn.Module, rows: int, columns: int) -> int:
    """Bytes that one view of a shape keeps for the way back."""
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    own = {p.untyped_storage().data_ptr() for p in network.parameters()}
    training = network.training
    network.eval()
    try:
        with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(note, _as_it_is):
            said: Any = network(torch.zeros(1, 3, rows, columns))
    except RuntimeError as error:
        raise InputError(
            f"views.shapes: the network cannot take {columns}x{rows} pixels: {str(error).splitlines()[0]}",
            hint=_advice(network),
        ) from error
    finally:
        network.train(training)
    stride = cast(DepthNetwork, network).output_stride
    if tuple(said.shape) != (1, 1, rows // stride, columns // stride):
        raise InputError(
            f"views.shapes: of {columns}x{rows} pixels the network makes {tuple(said.shape)[::-1][:2]}, "
            f"not {(columns // stride, rows // stride)}",
            hint=_advice(network),
        )
    return sum(size for pointer, size in kept.items() if pointer not in own)


_as_it_is: Callable[[Any], Any] = lambda tensor: tensor  # noqa: E731  # a hook that changes nothing


def _advice(network: torch.nn.Module) -> str:
    stride = getattr(network, "stride_px", None)
    return f"give sides that are multiples of {stride}" if stride else "give sides that it was made for"
