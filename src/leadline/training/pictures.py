"""Pictures of what a network says while it learns, for TensorBoard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import TensorBoardLogger
from numpy.typing import NDArray

from leadline.core.sample import Sample
from leadline.ops.colour import colourise
from leadline.ops.resize import resize
from leadline.training.network import DepthNetwork, predict

__all__ = ["Pictures", "beside"]

LARGEST_SIDE = 320


class Pictures(Callback):  # type: ignore[misc]  # Lightning is not typed
    """Draws a few samples at the end of every epoch: photo, truth, and what the network as it stands says.

    Args:
        samples: The samples, held out where there are such.
    """

    def __init__(self, samples: Sequence[Sample]) -> None:
        self.samples = samples

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draws."""
        board = next((log for log in trainer.loggers if isinstance(log, TensorBoardLogger)), None)
        if board is None or not trainer.is_global_zero:
            return
        network = pl_module.network
        network.eval()
        for sample in self.samples:
            pixels = beside(cast(DepthNetwork, network), sample)
            board.experiment.add_image(sample.id, pixels, trainer.current_epoch, dataformats="HWC")
        network.train()


def beside(network: DepthNetwork, sample: Sample) -> NDArray[np.uint8]:
    """Photo, truth and prediction beside each other, each coloured over its own range.

    Args:
        network: In evaluation mode.
        sample: Photo and truth.

    Returns:
        uint8, shape (H, 3 W, 3).
    """
    image = sample.image
    scale = min(1.0, LARGEST_SIDE / max(image.height, image.width))
    height, width = max(1, round(image.height * scale)), max(1, round(image.width * scale))
    small = resize(image, height=height, width=width)
    truth = resize(sample.truth, height=height, width=width)
    said = resize(predict(network, image), height=height, width=width)
    return np.concatenate([small.rgb_HW3, colourise(truth), colourise(said)], axis=1)
