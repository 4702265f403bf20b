"""Checkpoints: what a training run leaves behind, whole or not at all."""

from __future__ import annotations

import math
from pathlib import Path
from pickle import UnpicklingError
from typing import IO, Any, BinaryIO, cast

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO

from leadline.core.errors import WeightsError
from leadline.io.atomic import write_whole
from leadline.io.tensor_shapes import tell_apart

__all__ = ["BEST", "LAST", "PREFIX", "Keeper", "WholeFiles", "load_average", "read_checkpoint"]

LAST = "last.ckpt"
"""Name of the checkpoint that a run goes on from."""

BEST = "best.ckpt"
"""Name of the checkpoint of the best validation."""

PREFIX = "network."
"""What the names of a network's tensors begin with."""


class WholeFiles(TorchCheckpointIO):  # type: ignore[misc]  # Lightning is not typed
    """Writes a checkpoint beside the old one and puts it in its place when it is whole; holds numbers and no code."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Writes a checkpoint.

        Raises:
            OutputError: It cannot be written, for the disk is full, say; the one before stays as it was.
        """
        del storage_options
        with write_whole(Path(path)) as part, open(part, "wb") as file:
            heard = _Heard(file)
            try:
                torch.save(checkpoint, cast(IO[bytes], heard))
            except RuntimeError as error:  # what torch makes of a file that cannot be written to
                raise heard.error or error from error

    def load_checkpoint(
        self, path: Any, map_location: Any = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Reads a checkpoint.

        Raises:
            WeightsError: It is absent or damaged.
        """
        del map_location, weights_only
        return read_checkpoint(Path(path))


class _Heard:
    """A file that remembers what the operating system said, which torch does not hand on."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        """Writes."""
        try:
            return self.file.write(data)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        """Nothing is held back here."""


class Keeper(Checkpoint):  # type: ignore[misc]  # Lightning is not typed
    """Keeps the last state of a run, within epochs and at their ends, and that of its best validation.

    Args:
        out: The folder.
        save_every: Steps between saves within an epoch.
    """

    def __init__(self, out: Path, *, save_every: int) -> None:
        self.out, self.save_every = out, save_every
        self.best, self.step = math.inf, -1

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Notes the step that the run begins or goes on at."""
        self.step = trainer.global_step

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Saves after every so many steps, never between batches whose gradients are added up.

        An epoch's last step is saved with its end.
        """
        stepped, self.step = trainer.global_step != self.step, trainer.global_step
        ends = trainer.fit_loop.epoch_loop.batch_progress.is_last_batch
        if stepped and self.step % self.save_every == 0 and not ends:
            self._save(trainer, LAST)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Saves where no validation was better."""
        figure = trainer.callback_metrics.get("abs_rel")
        if figure is not None and float(figure) < self.best and not trainer.sanity_checking:
            self.best = float(figure)
            self._save(trainer, BEST)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Saves each epoch's end."""
        self._save(trainer, LAST)

    def state_dict(self) -> dict[str, Any]:
        """The best figure so far, and whether the run was ended early."""
        return {"best": self.best}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes it up again."""
        self.best = state["best"]

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Notes whether the run was ended early."""
        checkpoint["leadline_stopped"] = bool(trainer.should_stop)

    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """A run that was ended early stays ended."""
        trainer.should_stop = bool(checkpoint.get("leadline_stopped", False))

    def _save(self, trainer: Trainer, name: str) -> None:
        trainer.save_checkpoint(self.out / name)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Reads a checkpoint of the training loop.

    Args:
        path: The file.

    Returns:
        What it holds.

    Raises:
        WeightsError: It is absent, damaged or something else.
    """
    if path.is_dir():
        raise WeightsError(
            f"{str(path)!r} is a folder, not a checkpoint",
            hint=f"name the file: {path / LAST}"
            if (path / LAST).is_file()
            else "name a file of a run's folder, such as last.ckpt",
        )
    if not path.exists():
        raise WeightsError(f"there is no checkpoint {str(path)!r}", hint="check the path")
    try:
        found: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        [tensor.shape for tensor in found["state_dict"].values()]
    except (
        OSError,
        EOFError,
        LookupError,
        AttributeError,
        TypeError,
        RuntimeError,
        UnpicklingError,
    ) as error:
        raise WeightsError(
            f"{str(path)!r} is not a checkpoint of a training run: {type(error).__name__}",
            hint="give another one with --resume, or train again into an empty folder",
        ) from error
    return found


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
    state = {k.removeprefix(PREFIX): v for k, v in read_checkpoint(path)["state_dict"].items()}
    there, here = ({k: v.shape for k, v in part.items()} for part in (state, network.state_dict()))
    apart = tell_apart(there, here)
    if apart:
        raise WeightsError(
            f"{str(path)!r} is not a checkpoint of this network: {apart}",
            hint="train again into an empty folder",
        )
    network.load_state_dict(state)
    return network
