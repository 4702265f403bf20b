"""The training loop, on Lightning."""

from __future__ import annotations

import logging
import math
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback, EarlyStopping, TQDMProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from leadline.core.errors import InputError, LeadlineError
from leadline.core.sample import Sample
from leadline.io.allocator import hold_freed_memory
from leadline.io.atomic import is_of_disk, output_error
from leadline.training.averaging import SettledAverage, mix
from leadline.training.batches import FrameData, steps_per_epoch
from leadline.training.checkpoint import BEST, LAST, Keeper, WholeFiles, load_average
from leadline.training.history import History, read_history
from leadline.training.module import DepthModule
from leadline.training.network import DepthNetwork
from leadline.training.pictures import Pictures
from leadline.training.recipe import OptimiserRecipe, Recipe
from leadline.training.setting import Setting
from leadline.training.settle import settle
from leadline.training.views import Frame

__all__ = ["Outcome", "check_devices", "fit", "steps_of_run"]

KNOWN_WARNINGS = (
    "does not have many workers",  # validation reads from memory
    "number of training batches",
    "Checkpoint directory",  # a run that goes on writes where it wrote before
    "LeafSpec",  # Lightning's own use of torch
    "in eval mode at the start of training",  # a run that goes on after a validation
    "lr_scheduler.step",  # with float16 the first steps may be left out
)
PRECISIONS = {"float32": "32-true", "bfloat16": "bf16-mixed", "float16": "16-mixed"}
DRAWN = 4


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to.

    Args:
        checkpoint: The last checkpoint.
        best: Whether the network holds the best validation's weights, and not the last step's.
        leads: Whether this process is the one that writes what is made of it.
        steps_per_s: Steps in a second, without validation; NaN where none were left to do.
        waited: Share of that time in which the network waited for data.
    """

    checkpoint: Path
    best: bool
    leads: bool
    steps_per_s: float
    waited: float


class ClosingBar(TQDMProgressBar):  # type: ignore[misc]  # Lightning is not typed
    """Lightning's progress bar, put away when a run breaks off, so that it does not write over what is said then."""

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Puts the bars away."""
        for bar in (self._train_progress_bar, self._val_progress_bar):
            if bar is not None:
                bar.close()


class Clock(Callback):  # type: ignore[misc]  # Lightning is not typed
    """Measures how long steps take, and how much of that is waiting for data.

    The first step, which fills the queue, is not counted.
    """

    def __init__(self) -> None:
        self.passed_s, self.waited_s, self.steps = 0.0, 0.0, 0
        self.since: float | None = None
        self.waited_before_s = 0.0

    @property
    def steps_per_s(self) -> float:
        """Steps in a second; NaN where none were counted."""
        return self.steps / self.passed_s if self.passed_s else math.nan

    @property
    def waited(self) -> float:
        """Share of the time that was waiting; NaN where none was taken."""
        return self.waited_s / self.passed_s if self.passed_s else math.nan

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Starts."""
        if self.steps:
            self._start(trainer)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Takes the time."""
        if self.since is not None:
            self.passed_s += time.perf_counter() - self.since
            self.waited_s += trainer.datamodule.feed.waited_s - self.waited_before_s
        self.steps += self.since is not None
        self._start(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Notes the share so far."""
        if self.passed_s:
            pl_module.log("data_wait", self.waited)

    def _start(self, trainer: Trainer) -> None:
        self.since, self.waited_before_s = time.perf_counter(), trainer.datamodule.feed.waited_s


def steps_of_run(frames: int, *, recipe: Recipe) -> int:
    """Steps of a whole run: changes of the weights, not batches.

    Args:
        frames: Number of frames of the recipe's first dataset.
        recipe: Batch, epochs, and how many batches make a step.

    Returns:
        The number of steps.
    """
    batches = steps_per_epoch(frames, recipe=recipe)
    return math.ceil(batches / recipe.optimiser.accumulate) * recipe.optimiser.epochs


def fit(
    network: torch.nn.Module,
    *,
    frames: Sequence[Frame],
    held_out: Sequence[Sample],
    recipe: Recipe,
    out: Path,
    more: Sequence[Sequence[Frame]] = (),
    setting: Setting | None = None,
) -> Outcome:
    """Trains a network, or goes on where a run into the same folder stopped.

    Args:
        network: The network; when this returns it holds the moving average of the weights, settled, on the CPU: that of the
            last step, or of the best validation where the recipe says so.
        frames: What it learns from.
        held_out: What it is validated on.
        recipe: Everything else.
        out: Folder for checkpoints and the history.
        more: Frames of the recipe's further datasets, in its order.
        setting: The machine; one device and no TensorBoard by default.

    Returns:
        What it came to.

    Raises:
        TrainingError: The loss or its gradient is no number any more, or the loss explodes; the samples are named.
        InputError: The checkpoint is of another recipe, or the precision is none of this device.
        WeightsError: The checkpoint is damaged or of another network.
        OutputError: A checkpoint cannot be written; the one before is whole.
    """
    setting = setting or Setting()
    hold_freed_memory()
    network.to(memory_format=torch.channels_last)
    share = recipe.optimiser.start_share
    began = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()} if share else {}
    steps = steps_of_run(len(frames), recipe=recipe)
    module = DepthModule(
        network, recipe=recipe, steps=steps, out=out, frames=[len(some) for some in (frames, *more)]
    )
    data = FrameData(
        frames,
        held_out,
        recipe=recipe,
        network=cast(DepthNetwork, network),
        more=more,
        readers=setting.readers,
    )
    clock = Clock()
    leads = _learn(module, data, out=out, setting=setting, clock=clock)
    last = out / LAST
    if setting.resume is not None and not last.exists():
        last = setting.resume  # of a finished run: nothing was left to do, nothing to keep
    best = recipe.export.checkpoint == "best" and (out / BEST).exists()
    load_average(network.cpu(), out / BEST if best else last)
    if share:
        mix(network, began, share=share)
    settle(network, data.settling())
    return Outcome(last, best, leads, clock.steps_per_s, clock.waited)


def _learn(module: DepthModule, data: FrameData, *, out: Path, setting: Setting, clock: Clock) -> bool:
    """All steps that are left; whether this is the process that writes what is made of them."""
    last = out / LAST
    for part in out.glob(f".leadline-*{last.suffix}"):
        part.unlink(missing_ok=True)  # what a killed run was writing
    with warnings.catch_warnings():
        for known in KNOWN_WARNINGS:
            warnings.filterwarnings("ignore", message=f".*{known}")
        start = setting.resume or (last if last.exists() else None)
        history = History(out, rows={} if start is None else read_history(out))
        trainer = _trainer(data.recipe, out, setting, [clock], history, data.held_out)
        if setting.compiled:
            module.compile_network()
        try:
            trainer.fit(module, data, ckpt_path=None if start is None else str(start))
        except LeadlineError:
            raise
        except OSError as error:  # the history's or TensorBoard's
            raise (output_error(out, error) if is_of_disk(error) else error) from error
        finally:
            data.feed.close()
    return bool(trainer.is_global_zero)


def _trainer(
    recipe: Recipe,
    out: Path,
    setting: Setting,
    callbacks: list[Callback],
    history: History,
    held_out: Sequence[Sample],
) -> Trainer:
    options = recipe.optimiser
    callbacks.append(SettledAverage(decay=options.ema_decay))
    if options.patience and held_out:
        callbacks.append(EarlyStopping("abs_rel", patience=options.patience))
    loggers: list[Any] = [history]
    if setting.tensorboard:
        callbacks.append(Pictures(held_out[:DRAWN]))
        loggers.append(TensorBoardLogger(out, name="tensorboard", version=""))  # a run that goes on, too
    gpu = _on_gpu(setting)
    callbacks += [Keeper(out, save_every=setting.save_every), ClosingBar(refresh_rate=20 if gpu else 1)]
    if gpu:
        torch.set_float32_matmul_precision("high")
    return _built(recipe, setting, callbacks, loggers, validated=bool(held_out))


def check_devices(recipe: Recipe, setting: Setting) -> None:
    """Refuses devices and a precision that are not there, before any data is read.

    Args:
        recipe: What is to be done.
        setting: Where.

    Raises:
        InputError: This machine has no such device, cannot share the work so, or not in this precision.
    """
    _built(recipe, setting, [], [], validated=False)


def _on_gpu(setting: Setting) -> bool:
    return torch.cuda.is_available() and setting.accelerator in ("auto", "gpu", "cuda")


def _built(
    recipe: Recipe, setting: Setting, callbacks: list[Callback], loggers: list[Any], *, validated: bool
) -> Trainer:
    options = recipe.optimiser
    _check_precision(options, _on_gpu(setting))
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)  # its advice is not about this run
    try:
        return Trainer(
            accelerator=setting.accelerator,
            devices=setting.devices,
            num_nodes=setting.nodes,
            strategy=setting.strategy,
            precision=PRECISIONS[options.precision],
            accumulate_grad_batches=options.accumulate,
            max_epochs=options.epochs,
            gradient_clip_val=options.clip_norm,
            check_val_every_n_epoch=options.validate_every,
            num_sanity_val_steps=0,
            limit_val_batches=None if validated else 0,
            reload_dataloaders_every_n_epochs=1,
            use_distributed_sampler=False,
            log_every_n_steps=10,
            callbacks=callbacks,
            logger=loggers,
            plugins=[WholeFiles()],
            enable_model_summary=False,
        )
    except (MisconfigurationException, ValueError) as error:
        raise InputError(
            f"{setting.accelerator} x {setting.devices} by strategy {setting.strategy!r} cannot train here: "
            f"{str(error).splitlines()[0]}",
            hint="choose another --accelerator, --devices or --strategy",
        ) from error


def _check_precision(options: OptimiserRecipe, gpu: bool) -> None:
    if options.precision == "float16" and not gpu:
        raise InputError(
            "optimiser.precision = 'float16' needs a GPU",
            hint="set optimiser.precision=bfloat16, or float32",
        )
