"""Averages of weights: the moving one, which is validated, and that with the weights a run began with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor

from leadline.training.batches import FrameData
from leadline.training.settle import settle

__all__ = ["SettledAverage", "mix", "rising"]


def rising(decay: float) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    """An exponential moving average whose decay rises with the steps, so that a short run soon forgets its random start.

    After ``n`` averaged steps the average keeps ``min(decay, (1 + n) / (10 + n))`` of itself: about the last tenth of the steps,
    until ``decay`` is reached. Source: ``num_updates`` of TensorFlow's ``ExponentialMovingAverage``.

    Args:
        decay: The most of itself that the average keeps at a step, from 0 to 1.

    Returns:
        The next average, of the average so far, the newest weights and the number of steps averaged (``AveragedModel.avg_fn``).
    """

    def average(so_far: Tensor, newest: Tensor, steps: Tensor | int) -> Tensor:
        kept = torch.clamp(
            (1 + torch.as_tensor(steps)) / (10 + steps), max=decay
        )  # on its device: nothing waits
        return so_far * kept + newest * (1 - kept)

    return average


class SettledAverage(WeightAveraging):  # type: ignore[misc]  # Lightning is not typed
    """The moving average of the weights after every step, settled before it is validated.

    Args:
        decay: The most of itself that the average keeps at a step, from 0 to 1.
    """

    def __init__(self, *, decay: float) -> None:
        super().__init__(avg_fn=rising(decay))

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Puts the average in the network's place and measures its batch normalisation."""
        super().on_validation_epoch_start(trainer, pl_module)
        data = cast(FrameData, trainer.datamodule)
        settle(pl_module.network, (pixels.to(pl_module.device) for pixels in data.settling()))


def mix(network: torch.nn.Module, began: Mapping[str, Tensor], *, share: float) -> None:
    """Averages a network's weights with those it began with: it keeps what it knew, and is often better at the new too.

    Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022 (WiSE-FT). Batch normalisation must be settled after it.

    Args:
        network: The network; its weights are changed.
        began: The state it began with.
        share: How much of that is kept, from 0 to 1.
    """
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.lerp_(began[name].to(parameter.device), share)
