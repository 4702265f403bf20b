"""The moving average of the weights, which is what is validated and kept."""

from __future__ import annotations

from typing import cast

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import EMAWeightAveraging

from leadline.training.batches import FrameData
from leadline.training.settle import settle

__all__ = ["SettledAverage"]


class SettledAverage(EMAWeightAveraging):  # type: ignore[misc]  # Lightning is not typed
    """The moving average of the weights, settled before it is validated."""

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Puts the average in the network's place and measures its batch normalisation."""
        super().on_validation_epoch_start(trainer, pl_module)
        data = cast(FrameData, trainer.datamodule)
        settle(pl_module.network, (pixels.to(pl_module.device) for pixels in data.settling()))
