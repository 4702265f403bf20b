"""The training loop, on Lightning."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import EMAWeightAveraging, ModelCheckpoint, TQDMProgressBar
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor

from leadline.core.errors import InputError
from leadline.core.sample import Sample
from leadline.ops.metrics import score
from leadline.training.batches import FrameData, pixels_of, steps_per_epoch
from leadline.training.checkpoint import LAST, load_average
from leadline.training.network import DepthNetwork, predict_metres
from leadline.training.objective import Objective
from leadline.training.recipe import Recipe
from leadline.training.settle import settle
from leadline.training.views import Frame
from leadline.training.watch import Watch

__all__ = ["DepthModule", "fit"]

VALIDATION_LIMITS_M = (1e-3, 10.0)

KNOWN_WARNINGS = (
    "does not have many workers",  # views are made in the main process, so that they repeat
    "number of training batches",
    "Checkpoint directory",  # a run that goes on writes where it wrote before
    "LeafSpec",  # Lightning's own use of torch
    "Total length of",  # a recipe may hold nothing out
)


RECIPE_KEY = "leadline_recipe_sha256"
"""Where a checkpoint says which recipe it is of."""


class DepthModule(LightningModule):  # type: ignore[misc]  # Lightning is not typed
    """A depth network with its loss and its optimiser.

    Args:
        network: What is trained.
        recipe: Loss and optimiser.
        steps: Steps of the whole run, over which the learning rate rises and falls.
    """

    def __init__(self, network: torch.nn.Module, *, recipe: Recipe, steps: int) -> None:
        super().__init__()
        self.network, self.recipe, self.steps = network, recipe, steps
        self.objective = Objective(recipe.loss, network=cast(DepthNetwork, network))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Notes which recipe the checkpoint is of."""
        checkpoint[RECIPE_KEY] = self.recipe.digest

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuses to go on with another recipe: the finished file would tell of one that did not make it."""
        if checkpoint.get(RECIPE_KEY) != self.recipe.digest:
            raise InputError(
                f"the checkpoint is of another recipe than {self.recipe.name!r} as it now is",
                hint="use an empty folder with --out, or the recipe the run began with",
            )

    def on_train_epoch_start(self) -> None:
        """Seeds torch for the epoch, so that a run that stopped goes on as if it had not."""
        torch.manual_seed(self.recipe.seed + 1 + self.current_epoch)

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """The loss of one batch."""
        pixels, truth_m = pixels_of(batch)
        loss = self.objective(self.network(pixels), truth_m, rgb=pixels)
        self.log("loss", loss, prog_bar=True, on_step=False, on_epoch=True, batch_size=len(pixels))
        return loss

    def validation_step(self, index: int, batch_idx: int) -> None:
        """Scores the moving average on one held-out sample, by the benchmark's rule."""
        sample = cast(FrameData, self.trainer.datamodule).held_out[index]
        metres = predict_metres(cast(DepthNetwork, self.network), sample.image)
        scores = score(metres, sample.truth, limits_m=VALIDATION_LIMITS_M)
        shown = {"abs_rel": scores.abs_rel, "delta1": scores.delta1}
        rest = {"rmse": scores.rmse, "log10": scores.log10, "silog": scores.silog}
        self.log_dict(shown, prog_bar=True, on_epoch=True, batch_size=1)
        self.log_dict(rest, on_epoch=True, batch_size=1)

    def configure_optimizers(self) -> Any:
        """The recipe's method with a rate for the encoder and one for the rest, both rising and falling."""
        options = self.recipe.optimiser
        groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
        for name, parameter in self.network.named_parameters():
            rate = options.encoder_lr if name.startswith("encoder.") else options.decoder_lr
            decay = options.weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((rate, decay), []).append(parameter)
        kinds = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam, "sgd": torch.optim.SGD}
        optimiser = kinds[options.method](
            [{"params": group, "lr": rate, "weight_decay": decay} for (rate, decay), group in groups.items()]
        )
        curve = torch.optim.lr_scheduler.LambdaLR(optimiser, self._rate)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": curve, "interval": "step"}}

    def _rate(self, step: int) -> float:
        options = self.recipe.optimiser
        rising = max(1.0, options.warm_up * self.steps)
        if step < rising:
            return (step + 1) / (rising + 1)
        falling = max(rising, (1 - options.fall) * self.steps)
        if step < falling:
            return 1.0
        done = (step - falling) / max(1.0, self.steps - falling)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


class SettledAverage(EMAWeightAveraging):  # type: ignore[misc]  # Lightning is not typed
    """The moving average of the weights, settled before it is validated."""

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Puts the average in the network's place and measures its batch normalisation."""
        super().on_validation_epoch_start(trainer, pl_module)
        data = cast(FrameData, trainer.datamodule)
        settle(pl_module.network, (pixels.to(pl_module.device) for pixels in data.settling()))


class ClosingBar(TQDMProgressBar):  # type: ignore[misc]  # Lightning is not typed
    """Lightning's progress bar, put away when a run breaks off, so that it does not write over what is said then."""

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Puts the bars away."""
        for bar in (self._train_progress_bar, self._val_progress_bar):
            if bar is not None:
                bar.close()


def fit(
    network: torch.nn.Module,
    *,
    frames: Sequence[Frame],
    held_out: Sequence[Sample],
    recipe: Recipe,
    out: Path,
    more: Sequence[Sequence[Frame]] = (),
) -> Path:
    """Trains a network, or goes on where a run into the same folder stopped.

    Args:
        network: The network; when this returns it holds the moving average of the weights, settled, on the CPU.
        frames: What it learns from.
        held_out: What it is validated on.
        recipe: Everything else.
        out: Folder for checkpoints and the history.
        more: Frames of the recipe's further datasets, in its order.

    Returns:
        The last checkpoint.

    Raises:
        TrainingError: The loss or its gradient is no number any more, or the loss explodes.
    """
    network.to(memory_format=torch.channels_last)
    steps = steps_per_epoch(len(frames), recipe=recipe) * recipe.optimiser.epochs
    module = DepthModule(network, recipe=recipe, steps=steps)
    data = FrameData(frames, held_out, recipe=recipe, network=cast(DepthNetwork, network), more=more)
    last = out / LAST
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # its advice is not about this run
    with warnings.catch_warnings():
        for known in KNOWN_WARNINGS:
            warnings.filterwarnings("ignore", message=f".*{known}")
        _trainer(recipe, out).fit(module, data, ckpt_path=str(last) if last.exists() else None)
    load_average(network.cpu(), last)
    settle(network, data.settling())
    return last


def _trainer(recipe: Recipe, out: Path) -> Trainer:
    options = recipe.optimiser
    keep = ModelCheckpoint(
        dirpath=out,
        filename=LAST.removesuffix(".ckpt"),
        every_n_epochs=1,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    return Trainer(
        accelerator="auto",
        devices=1,
        max_epochs=options.epochs,
        gradient_clip_val=options.clip_norm,
        check_val_every_n_epoch=options.validate_every,
        num_sanity_val_steps=0,
        reload_dataloaders_every_n_epochs=1,
        log_every_n_steps=10,
        callbacks=[SettledAverage(decay=options.ema_decay), keep, ClosingBar(refresh_rate=1), Watch()],
        logger=CSVLogger(out, name="history"),
        enable_model_summary=False,
    )
