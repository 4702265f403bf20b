"""Batches of views: each is made from the recipe's seed, the epoch and its own number, and from nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import cast

import numpy as np
import torch
from lightning.pytorch import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from leadline.core.errors import InputError
from leadline.core.sample import Sample
from leadline.training.feed import Batch, Feed, Pass
from leadline.training.network import DepthNetwork
from leadline.training.recipe import Recipe
from leadline.training.views import Frame, draw_shape, draw_view, take_view

__all__ = ["FrameBatches", "FrameData", "pixels_of", "steps_per_epoch"]


def steps_per_epoch(frames: int, *, recipe: Recipe) -> int:
    """Steps in one pass: whole batches, at least one.

    Args:
        frames: Number of frames of the recipe's first dataset.
        recipe: Gives the batch, and the frames that other datasets add.

    Returns:
        The number of steps.
    """
    drawn = sum(source.frames_per_epoch for source in recipe.data.more)
    return max(1, (frames + drawn) // recipe.optimiser.batch)


def pixels_of(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """A batch as the network takes it.

    Args:
        batch: RGB as uint8, and depth.

    Returns:
        RGB as float32, channels last in memory, and depth.
    """
    rgb, depth_m = batch
    return rgb.to(dtype=torch.float32, memory_format=torch.channels_last), depth_m


class FrameBatches(Dataset[tuple[Tensor, Tensor]]):
    """The batches of one epoch: every frame of the first dataset once, and some of each other one.

    Args:
        frames: What views are taken of.
        recipe: Seed, batch, shapes and ranges.
        network: Gives its canonical focal length and output stride.
        epoch: Number of the epoch.
        more: Frames of the recipe's further datasets, in its order.
        share: Number of this process, and how many train together: each takes the views of a batch that are its own.
    """

    def __init__(
        self,
        frames: Sequence[Frame],
        *,
        recipe: Recipe,
        network: DepthNetwork,
        epoch: int,
        more: Sequence[Sequence[Frame]] = (),
        share: tuple[int, int] = (0, 1),
    ) -> None:
        self.recipe, self.epoch, self.share = recipe, epoch, share
        self.canonical_f_px, self.output_stride = network.canonical_f_px, network.output_stride
        rng = np.random.default_rng([recipe.seed, epoch])
        self.frames, self.drawn = frames, list[Frame]()
        for source, others in zip(recipe.data.more, more, strict=True):
            chosen = rng.choice(len(others), source.frames_per_epoch, replace=False)
            self.drawn += [others[int(number)] for number in chosen]
        self.order = rng.permutation(len(frames) + len(self.drawn))
        self.steps = steps_per_epoch(len(frames), recipe=recipe)

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        if index >= len(self):
            raise IndexError(index)
        rng = np.random.default_rng([self.recipe.seed, self.epoch, index])
        views = self.recipe.views
        shape = draw_shape(rng, recipe=views)
        taken = []
        for place, number in enumerate(self._numbers(index)):
            frame = self._frame(number)
            draw = draw_view(rng, frame=frame, shape=shape, recipe=views)
            if place % self.share[1] != self.share[0]:
                continue  # drawn all the same, so that a view is the same however many processes there are
            view = take_view(
                frame, draw=draw, canonical_f_px=self.canonical_f_px, output_stride=self.output_stride
            )
            taken.append(view)
        rgb = torch.from_numpy(np.stack([view.rgb_HW3 for view in taken])).permute(0, 3, 1, 2)
        return rgb, torch.from_numpy(np.stack([view.depth_m for view in taken]))[:, None]

    def ids(self, index: int) -> tuple[str, ...]:
        """Ids of the samples of a batch.

        Args:
            index: Number of the batch.

        Returns:
            One id a view, in order.
        """
        numbers = list(self._numbers(index))[self.share[0] :: self.share[1]]
        return tuple(self._frame(number).id for number in numbers)

    def _numbers(self, index: int) -> Iterator[int]:
        batch = self.recipe.optimiser.batch
        return (int(number) for number in self.order[index * batch : (index + 1) * batch])

    def _frame(self, number: int) -> Frame:
        known = len(self.frames)
        return self.frames[number] if number < known else self.drawn[number - known]


class FrameData(LightningDataModule):  # type: ignore[misc]  # Lightning is not typed
    """Gives Lightning the batches of the epoch it is in, and the numbers of the samples to validate on.

    Args:
        frames: What is learned from.
        held_out: What is validated on.
        recipe: How views are drawn.
        network: What is trained.
        more: Frames of the recipe's further datasets, in its order.
        readers: Threads that make views ahead.
    """

    def __init__(
        self,
        frames: Sequence[Frame],
        held_out: Sequence[Sample],
        *,
        recipe: Recipe,
        network: DepthNetwork,
        more: Sequence[Sequence[Frame]] = (),
        readers: int = 0,
    ) -> None:
        super().__init__()
        self.frames, self.held_out, self.recipe, self.network = frames, held_out, recipe, network
        self.more, self.share = more, (0, 1)
        self.steps = steps_per_epoch(len(frames), recipe=recipe)
        self.feed = Feed(self._made, total=self.steps * recipe.optimiser.epochs, readers=readers)
        self.own = lru_cache(maxsize=2)(self._own)

    def setup(self, stage: str) -> None:
        """Learns which of the processes this is.

        Raises:
            InputError: The batch cannot be shared out evenly.
        """
        processes = self.trainer.world_size if self.trainer else 1
        batch = min(self.recipe.optimiser.batch, len(self.frames) + sum(map(len, self.more)))
        if batch % processes:
            raise InputError(
                f"a batch of {batch} views cannot be shared evenly among {processes} processes",
                hint=f"set optimiser.batch to a multiple of {processes}",
            )
        self.share = (self.trainer.global_rank if self.trainer else 0, processes)

    def train_dataloader(self) -> Pass:
        """The batches of the trainer's present epoch."""
        epoch = self.trainer.current_epoch if self.trainer else 0
        return Pass(self.feed, epoch=epoch, steps=self.steps)

    def batches(self, epoch: int, *, share: tuple[int, int] = (0, 1)) -> FrameBatches:
        """The batches of an epoch.

        Args:
            epoch: Its number.
            share: Number of this process, and how many train together.

        Returns:
            The batches.
        """
        return FrameBatches(
            self.frames, recipe=self.recipe, network=self.network, epoch=epoch, more=self.more, share=share
        )

    def settling(self) -> Iterator[Tensor]:
        """Pixels on which batch normalisation is measured: the first batches of the epoch after the last."""
        options = self.recipe.optimiser
        batches = self.batches(options.epochs)
        return (pixels_of(batches[index])[0] for index in range(min(options.settle_batches, len(batches))))

    def val_dataloader(self) -> DataLoader[int]:
        """Positions in ``held_out``."""
        return DataLoader(cast("Dataset[int]", range(len(self.held_out))), batch_size=None, shuffle=False)

    def _own(self, epoch: int) -> FrameBatches:
        """This process's batches of an epoch, worked out once."""
        return self.batches(epoch, share=self.share)

    def _made(self, number: int) -> Batch:
        epoch, index = divmod(number, self.steps)
        return self.own(epoch)[index]
