"""A network in training, as Lightning takes it: its loss, its optimiser, its validation, and what stops it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn, cast

import numpy as np
import torch
from lightning.pytorch import LightningModule
from torch import Tensor

from leadline.core.errors import InputError, TrainingError
from leadline.training.batches import FrameData, pixels_of
from leadline.training.network import DepthNetwork
from leadline.training.objective import Objective
from leadline.training.recipe import Recipe
from leadline.training.resuming import RECIPE_KEY, check_state
from leadline.training.schedule import rate_at
from leadline.training.validation import validate
from leadline.training.watch import Alarm, LossWatch, Place

__all__ = ["DepthModule"]

FRAMES_KEY = "leadline_frames"
"""Where a checkpoint says how many frames the run learns from."""

EPOCH_KEY = "leadline_epoch_loss"
"""Where it says what the epoch's loss was made of so far."""


class DepthModule(LightningModule):  # type: ignore[misc]  # Lightning is not typed
    """A depth network with its loss and its optimiser.

    Args:
        network: What is trained.
        recipe: Loss and optimiser.
        steps: Steps of the whole run, over which the learning rate rises and falls.
        out: Folder of the run, for messages.
        frames: Number of frames of each dataset that is learned from.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        *,
        recipe: Recipe,
        steps: int,
        out: Path = Path(),
        frames: Sequence[int] = (),
    ) -> None:
        super().__init__()
        self.network, self.recipe, self.steps, self.out = network, recipe, steps, out
        self.frames = list(frames)
        self.objective = Objective(recipe.loss, network=cast(DepthNetwork, network))
        self.loss_sum: Tensor | float = 0.0
        self.loss_count = 0
        self.watch = LossWatch(explosion=recipe.optimiser.explosion, at_once=True)

    def compile_network(self) -> None:
        """Lets ``torch.compile`` make the network faster; its weights and their names stay as they are."""
        self.network.compile()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Notes which recipe the checkpoint is of, after looking at every loss: no broken weights are kept."""
        self._heed(self.watch.look())
        checkpoint[RECIPE_KEY] = self.recipe.digest
        checkpoint[FRAMES_KEY] = self.frames
        checkpoint[EPOCH_KEY] = (float(self.loss_sum), self.loss_count)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuses another network's checkpoint, and to go on with another recipe or other data.

        Raises:
            WeightsError: It is of another network.
            InputError: It is of another recipe: the finished file would tell of one that did not make it; or of a run with
                more or fewer frames: its place among them would be another one.
        """
        check_state(checkpoint, self.state_dict(), recipe=self.recipe)
        begun = checkpoint.get(FRAMES_KEY, self.frames)
        if begun != self.frames:
            raise InputError(
                f"the checkpoint is of a run with {_words(begun)} frames, and here are {_words(self.frames)}",
                hint="give the data that the run began with, or an empty folder with --out",
            )
        self.loss_sum, self.loss_count = checkpoint.get(EPOCH_KEY, (0.0, 0))

    def on_fit_start(self) -> None:
        """Looks at losses one by one on a CPU, in groups elsewhere, where a look would make the device wait."""
        at_once = self.device.type == "cpu"
        self.watch = LossWatch(explosion=self.recipe.optimiser.explosion, at_once=at_once)

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Seeds torch for the batch, so that a run that stopped goes on as if it had not."""
        del batch
        place = self.current_epoch * self._data.steps + batch_idx
        start = np.random.SeedSequence([self.recipe.seed, place, self.global_rank])
        torch.manual_seed(int(start.generate_state(1)[0]))

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """The loss of one batch."""
        pixels, truth_m = pixels_of(batch)
        said = self.network(pixels)
        loss = self.objective(said, truth_m, rgb=pixels)
        alarm = self.watch.saw("loss", loss, Place(self.current_epoch, batch_idx))
        if alarm is not None:
            self._stop(alarm, self._worst(said, truth_m, pixels) if self.watch.group == 1 else ())
        self.loss_sum = self.loss_sum + loss.detach()
        self.loss_count += 1
        self.log("now", loss.detach(), prog_bar=True, logger=False, on_step=True, on_epoch=False)
        return loss

    def configure_gradient_clipping(
        self,
        optimizer: Any,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clips the gradient's norm, and looks at it: one that is no number would be in every weight a moment later."""
        del optimizer, gradient_clip_algorithm
        moved = [p for p in self.network.parameters() if p.requires_grad]
        norm = torch.nn.utils.clip_grad_norm_(moved, gradient_clip_val or math.inf)
        if self.recipe.optimiser.precision != "float16":  # there the scaler leaves such steps out
            batch = self.trainer.fit_loop.epoch_loop.batch_progress.current.ready - 1
            self._heed(self.watch.saw("gradient", norm, Place(self.current_epoch, batch)))

    def on_train_epoch_end(self) -> None:
        """Notes the epoch's mean loss, its rate and how long it waited for data."""
        self._heed(self.watch.look())
        mean = torch.as_tensor(self.loss_sum / max(1, self.loss_count), device=self.device)
        self.log("loss", mean, prog_bar=True, sync_dist=True)
        self.log("rate", self.trainer.optimizers[0].param_groups[-1]["lr"])
        self.loss_sum, self.loss_count = 0.0, 0

    def validation_step(self, index: int, batch_idx: int) -> None:
        """Scores the moving average on one held-out sample."""
        del batch_idx
        sample = self._data.held_out[index]
        scores = validate(cast(DepthNetwork, self.network), sample, far_m=self.recipe.evaluate.far_m)
        shown = {"abs_rel": scores.abs_rel, "delta1": scores.delta1}
        rest = {"rmse": scores.rmse, "log10": scores.log10, "silog": scores.silog}
        self.log_dict(shown, prog_bar=True, on_epoch=True, batch_size=1)
        self.log_dict(rest, on_epoch=True, batch_size=1)

    def configure_optimizers(self) -> Any:
        """The recipe's method with a rate for the encoder and one for the rest, both rising and falling."""
        options = self.recipe.optimiser
        groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
        for name, parameter in self.network.named_parameters():
            if not parameter.requires_grad:
                continue
            rate = options.encoder_lr if name.startswith("encoder.") else options.decoder_lr
            decay = options.weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((rate, decay), []).append(parameter)
        kinds = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam, "sgd": torch.optim.SGD}
        optimiser = kinds[options.method](
            [{"params": group, "lr": rate, "weight_decay": decay} for (rate, decay), group in groups.items()],
            fused=options.precision != "float16",  # with float16 the scaler takes gradients apart itself
        )
        curve = torch.optim.lr_scheduler.LambdaLR(optimiser, self._rate)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": curve, "interval": "step"}}

    @property
    def _data(self) -> FrameData:
        return cast(FrameData, self.trainer.datamodule)

    def _rate(self, step: int) -> float:
        return rate_at(step, options=self.recipe.optimiser, steps=self.steps)

    def _worst(self, said: Tensor, truth_m: Tensor, pixels: Tensor) -> list[int]:
        """Places in the batch of the samples whose own loss is no number, or is far above the others'."""
        with torch.no_grad():
            each = [
                float(self.objective(said[k : k + 1], truth_m[k : k + 1], rgb=pixels[k : k + 1]))
                for k in range(len(pixels))
            ]
        broken = [k for k, value in enumerate(each) if not math.isfinite(value)]
        return broken or [k for k, value in enumerate(each) if value > 0.5 * max(each)]

    def _heed(self, alarm: Alarm | None) -> None:
        if alarm is not None:
            self._stop(alarm, ())

    def _stop(self, alarm: Alarm, places: Any) -> NoReturn:
        """Says what happened, at which samples."""
        ids = self._data.own(alarm.place.epoch).ids(alarm.place.batch)
        blamed = [repr(ids[k]) for k in places]
        alone = f"; it is that of {', '.join(blamed)} alone" if 0 < len(blamed) < len(ids) else ""
        raise TrainingError(
            f"{alarm.words} at step {alarm.place.batch} of epoch {alarm.place.epoch}, which learns from "
            f"{', '.join(map(repr, ids))}{alone}",
            hint="look at these samples (leadline data doctor), or lower the learning rates; the last checkpoint is good",
        )


def _words(counts: Sequence[int]) -> str:
    return " and ".join(map(str, counts))
