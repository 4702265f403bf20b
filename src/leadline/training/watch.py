"""Stops a run that leads nowhere, and says which samples it was at."""

from __future__ import annotations

import math
from collections import deque
from statistics import median
from typing import Any, cast

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback

from leadline.core.errors import TrainingError
from leadline.training.batches import FrameData

__all__ = ["Watch"]

MEMORY = 50
ENOUGH = 20
TOO_MANY_TIMES = 100.0


class Watch(Callback):  # type: ignore[misc]  # Lightning is not typed
    """Looks at every loss and every gradient before a step is made of them.

    A loss explodes where it is 100 times the median of the last ones. What is not a number or infinite stops the run before
    the weights take it in, so that the last checkpoint holds good ones.
    """

    def __init__(self) -> None:
        self.losses: deque[float] = deque(maxlen=MEMORY)
        self.batch = 0

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Notes which batch it is."""
        self.batch = batch_idx

    def on_before_backward(self, trainer: Trainer, pl_module: LightningModule, loss: torch.Tensor) -> None:
        """Looks at the loss.

        Raises:
            TrainingError: It is no number, infinite, or far from what it was.
        """
        paid = float(loss.detach())
        usual = median(self.losses) if len(self.losses) >= ENOUGH else math.inf
        if not math.isfinite(paid) or paid > TOO_MANY_TIMES * usual > 0:
            raise self._error(trainer, f"the loss is {paid:g}")
        self.losses.append(paid)

    def on_before_optimizer_step(self, trainer: Trainer, pl_module: LightningModule, optimizer: Any) -> None:
        """Looks at the gradient.

        Raises:
            TrainingError: It is no number or infinite.
        """
        parts = [p.grad for p in pl_module.parameters() if p.grad is not None]
        norm = float(torch.nn.utils.get_total_norm(parts))
        if not math.isfinite(norm):
            raise self._error(trainer, f"the norm of the gradient is {norm:g}")

    def _error(self, trainer: Trainer, what: str) -> TrainingError:
        epoch = trainer.current_epoch
        ids = cast(FrameData, trainer.datamodule).batches(epoch).ids(self.batch)
        return TrainingError(
            f"{what} at step {self.batch} of epoch {epoch}, which learns from {', '.join(map(repr, ids))}",
            hint="look at these samples (leadline data doctor), or lower the learning rates; the last checkpoint is good",
        )
