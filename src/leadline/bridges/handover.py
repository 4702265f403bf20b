"""Batches on their way from the process that reads them to the one that trains.

A worker fills tensors in memory that both processes see, a ring of buffers used again and again. Where a batch arrives it
is not copied: its buffer is lent to whoever holds one of its tensors, or a part of one, and goes back into the ring when
the last is forgotten. New shared memory for every batch, as ``DataLoader`` does it by itself, costs more than reading and
augmenting the samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.bridges.layout import FREE, SENT, arrays_in, bytes_of, new_arrays
from leadline.bridges.tensors import Arrays, Form, camera_row, fill_sample
from leadline.core.errors import InputError, LeadlineError
from leadline.core.sample import Sample
from leadline.plugins.need import need

need("torch", who="feeding a network", extra="torch")
import torch  # noqa: E402 - after the line that says how to install it
from torch.utils.data import get_worker_info  # noqa: E402

__all__ = ["Packed", "Packer", "Unread", "check_sizes", "failed", "packed_here"]


@dataclass(frozen=True, slots=True)
class Unread:
    """A sample that an epoch went on without.

    Args:
        id: The sample.
        reason: What was wrong, naming the file.
    """

    id: str
    reason: str


@dataclass(frozen=True, eq=False, slots=True)
class Packed:
    """A batch on its way.

    Args:
        ids: Of the samples; none where nothing could be read.
        cameras: Four numbers a sample.
        unread: What could not be read.
        arrays: The tensors' numbers, where they were filled in this very process.
        shape: Samples, rows and columns.
        place: Else: which worker filled which of its buffers.
        buffer: That buffer; None where it was handed over before.
        error: What ended the pass; raised where it arrives, as it was and without the worker's traceback.
    """

    ids: list[str]
    cameras: list[tuple[float, float, float, float]]
    unread: list[Unread]
    arrays: Arrays | None = None
    shape: tuple[int, int, int] = (0, 0, 0)
    place: tuple[int, int] = (0, 0)
    buffer: torch.Tensor | None = None
    error: LeadlineError | None = None


@dataclass(slots=True)
class _Slot:
    """One of a worker's buffers, its bytes, and in which run it was handed over."""

    buffer: torch.Tensor
    memory: NDArray[np.uint8]
    run: int | None = None


class Packer:
    """Packs batches: into buffers of a ring where this is a worker, else into memory of their own.

    Args:
        form: The form of the tensors.
    """

    def __init__(self, form: Form) -> None:
        self.form = form
        self._ring: list[_Slot] = []
        self._run = 0

    def __getstate__(self) -> dict[str, Any]:
        return {"form": self.form, "_ring": [], "_run": 0}

    def pack(self, samples: Sequence[Sample], *, unread: Sequence[Unread] = (), run: int = 0) -> Packed:
        """Packs one batch.

        Args:
            samples: What could be read.
            unread: What could not.
            run: Counts how often what was on its way was given up. Within a run, each buffer is handed over once, for
                that takes the two processes a meeting.

        Returns:
            The batch.

        Raises:
            InputError: The samples are of different sizes, or a truth is of another size than its photo.
        """
        worker = get_worker_info()
        if worker is None or not samples:
            return packed_here(samples, form=self.form, unread=unread)
        ids, cameras, shape = _looked_at(samples)
        number = self._free_slot(bytes_of(shape, self.form), run)
        slot = self._ring[number]
        _fill(arrays_in(slot.memory, shape, self.form), samples, self.form)
        slot.memory[0] = SENT
        buffer = None if slot.run == run else slot.buffer
        slot.run = run
        return Packed(ids, cameras, list(unread), None, shape, (worker.id, number), buffer)

    def _free_slot(self, size_bytes: int, run: int) -> int:
        if run != self._run:  # what was on its way never arrived
            self._run = run
            for slot in self._ring:
                if slot.memory[0] == SENT:
                    slot.memory[0] = FREE
        free = [number for number, slot in enumerate(self._ring) if slot.memory[0] == FREE]
        for number in free:
            if self._ring[number].memory.size >= size_bytes:
                return number
        buffer = torch.empty(size_bytes, dtype=torch.uint8)
        buffer.share_memory_()  # type: ignore[no-untyped-call]  # torch does not type it
        slot = _Slot(buffer, buffer.numpy())
        slot.memory[0] = FREE
        if free:
            self._ring[free[0]] = slot
            return free[0]
        self._ring.append(slot)
        return len(self._ring) - 1


def packed_here(samples: Sequence[Sample], *, form: Form, unread: Sequence[Unread] = ()) -> Packed:
    """Packs a batch for this very process, into memory of its own.

    Args:
        samples: What could be read.
        form: The form of the tensors.
        unread: What could not.

    Returns:
        The batch.

    Raises:
        InputError: The samples are of different sizes, or a truth is of another size than its photo.
    """
    if not samples:
        return Packed([], [], list(unread))
    ids, cameras, shape = _looked_at(samples)
    arrays = new_arrays(shape, form)
    _fill(arrays, samples, form)
    return Packed(ids, cameras, list(unread), arrays)


def failed(error: LeadlineError) -> Packed:
    """What arrives in a batch's stead.

    Args:
        error: What was wrong.

    Returns:
        The empty batch.
    """
    return Packed([], [], [], error=error)


def check_sizes(ids: Sequence[str], sizes: Sequence[tuple[int, ...]]) -> None:
    """Refuses samples that do not fit into one batch.

    Args:
        ids: Of the samples.
        sizes: Rows and columns of each.

    Raises:
        InputError: Two sizes differ; which samples have them is said.
    """
    for id, size in zip(ids, sizes, strict=True):
        if size != sizes[0]:
            raise InputError(
                f"one batch holds samples of two sizes: {ids[0]!r} of {sizes[0][1]}x{sizes[0][0]} and "
                f"{id!r} of {size[1]}x{size[0]}",
                hint="crop or resize them to one size with an augmentation, or use batch_size=1",
            )


def _looked_at(
    samples: Sequence[Sample],
) -> tuple[list[str], list[tuple[float, float, float, float]], tuple[int, int, int]]:
    """Ids, cameras, and the number and size of samples that fit into one batch."""
    ids = [sample.id for sample in samples]
    check_sizes(ids, [sample.truth.shape for sample in samples])
    for sample in samples:
        photo, truth = sample.image, sample.truth
        if (photo.height, photo.width) != truth.shape:
            raise InputError(
                f"sample {sample.id!r} has a photo of {photo.width}x{photo.height} "
                f"and depth of {truth.width}x{truth.height}",
                hint="give an augmentation, which brings both to one size",
            )
    cameras = [camera_row(sample.image.camera) for sample in samples]
    return ids, cameras, (len(samples), *samples[0].truth.shape)


def _fill(arrays: Arrays, samples: Sequence[Sample], form: Form) -> None:
    for sample, pixels, labels, valid in zip(samples, *arrays, strict=True):
        fill_sample(sample, (pixels, labels, valid), form=form)
