"""Batches on their way from the process that reads them to the one that trains.

A batch crosses as bytes and labels in memory that both processes see, a ring of buffers used again and again; where it
arrives it is copied once, into the form asked for. New shared memory for every batch, as ``DataLoader`` does it by
itself, costs more than reading and augmenting the samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from leadline.bridges.tensors import Form, camera_row, fill_labels, fill_pixels, write_labels
from leadline.core.errors import InputError, LeadlineError
from leadline.core.sample import Sample
from leadline.io.rasters import write_planes
from leadline.plugins.need import need

need("torch", who="feeding a network", extra="torch")
import torch  # noqa: E402 - after the line that says how to install it
from torch.utils.data import get_worker_info  # noqa: E402

__all__ = ["Packed", "Packer", "Unread", "check_sizes", "failed", "unpack"]


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
        buffer: Bytes: planes of pixels, then labels, float32 with NaN where unknown; None where nothing could be read, or
            where it is the one that came from this place before in this pass.
        place: Which buffer of which worker it is.
        shape: Samples, rows and columns.
        cameras: Four numbers a sample.
        ids: Of the samples.
        unread: What could not be read.
        error: What ended it; raised where it arrives, as it was and without the worker's traceback.
    """

    buffer: torch.Tensor | None
    place: tuple[int, int]
    shape: tuple[int, int, int]
    cameras: list[tuple[float, float, float, float]]
    ids: list[str]
    unread: list[Unread]
    error: LeadlineError | None = None

    def planes(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Pixels, uint8 (N, 3, H, W), and labels, float32 (N, H, W), as views of the buffer."""
        assert self.buffer is not None
        many, height, width = self.shape
        split, end = _bytes_of(self.shape)
        pixels = self.buffer[: many * 3 * height * width].view(many, 3, height, width)
        return pixels, self.buffer[split:end].view(torch.float32).view(many, height, width)


class Packer:
    """Packs batches into a ring of buffers.

    Args:
        buffers: How many batches may be on their way or being unpacked at once.
    """

    def __init__(self, buffers: int) -> None:
        self.buffers = buffers
        self._ring: dict[int, torch.Tensor] = {}
        self._turn = 0
        self._sent: dict[int, int] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"buffers": self.buffers, "_ring": {}, "_turn": 0, "_sent": {}}

    def pack(
        self, samples: Sequence[Sample], *, unread: Sequence[Unread] = (), run: int | None = None
    ) -> Packed:
        """Packs one batch; what was packed ``buffers`` batches ago is overwritten.

        Args:
            samples: What could be read.
            unread: What could not.
            run: Which pass of the loader this is; within one, a buffer is handed over once, for that takes the two
                processes a meeting. None hands it over each time.

        Returns:
            The batch.

        Raises:
            InputError: The samples are of different sizes, or a truth is of another size than its photo.
        """
        self._turn = (self._turn + 1) % self.buffers
        worker = get_worker_info()
        place = (0 if worker is None else worker.id, self._turn)
        if not samples:
            return Packed(None, place, (0, 0, 0), [], [], list(unread))
        ids = [sample.id for sample in samples]
        check_sizes(ids, [sample.truth.shape for sample in samples])
        for sample in samples:
            _check_one_size(sample)
        shape = (len(samples), *samples[0].truth.shape)
        cameras = [camera_row(sample.image.camera) for sample in samples]
        packed = Packed(self._buffer(_bytes_of(shape)[1]), place, shape, cameras, ids, list(unread))
        pixels, labels = (plane.numpy() for plane in packed.planes())
        for k, sample in enumerate(samples):
            write_planes(sample.image.rgb_HW3, pixels[k])
            write_labels(sample.truth, labels[k])
        return packed if run is None else self._lighter(packed, run)

    def _lighter(self, packed: Packed, run: int) -> Packed:
        """The batch without the buffer, where that was handed over before."""
        there = self._sent.get(self._turn) == run
        self._sent[self._turn] = run
        return replace(packed, buffer=None) if there else packed

    def _buffer(self, size_bytes: int) -> torch.Tensor:
        buffer = self._ring.get(self._turn)
        if buffer is None or buffer.numel() < size_bytes:
            buffer = torch.empty(size_bytes, dtype=torch.uint8)
            if get_worker_info() is not None:
                buffer.share_memory_()  # type: ignore[no-untyped-call]  # torch does not type it
            self._ring[self._turn] = buffer
            self._sent.pop(self._turn, None)
        return buffer


def failed(error: LeadlineError) -> Packed:
    """What arrives in a batch's stead.

    Args:
        error: What was wrong.

    Returns:
        The empty batch.
    """
    return Packed(None, (0, 0), (0, 0, 0), [], [], [], error)


def unpack(packed: Packed, *, form: Form, pin_memory: bool = False) -> dict[str, Any]:
    """A batch as tensors of their own, made in this thread alone: torch's own threads would wait for the readers' cores.

    Args:
        packed: The batch; at least one sample.
        form: The form of the tensors.
        pin_memory: Whether they are put where a GPU fetches them fastest.

    Returns:
        ``pixel_values``, ``labels``, ``valid``, ``camera`` and ``id``.
    """
    pixels, marked = packed.planes()
    out = _empty(pixels.shape, form.pixels, pin_memory)
    labels = _empty(marked.shape, "float32", pin_memory)
    valid = _empty(marked.shape, "bool", pin_memory)
    for k in range(len(packed.ids)):
        fill_pixels(pixels[k].numpy(), out[k].numpy(), form=form)
        fill_labels(marked[k].numpy(), labels[k].numpy(), valid[k].numpy(), form=form)
    cameras = torch.tensor(packed.cameras, dtype=torch.float32)
    return {"pixel_values": out, "labels": labels, "valid": valid, "camera": cameras, "id": packed.ids}


def _empty(shape: Sequence[int], dtype: str, pin_memory: bool) -> torch.Tensor:
    """Room for a result.

    NumPy asks for large pages and is given the same memory again; torch's own is new each time, and making its pages takes
    ten times as long as filling them.
    """
    if pin_memory:
        return torch.empty(tuple(shape), dtype=getattr(torch, dtype), pin_memory=True)
    return torch.from_numpy(np.empty(tuple(shape), dtype))


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


def _check_one_size(sample: Sample) -> None:
    photo, truth = sample.image, sample.truth
    if (photo.height, photo.width) != truth.shape:
        raise InputError(
            f"sample {sample.id!r} has a photo of {photo.width}x{photo.height} and depth of {truth.width}x{truth.height}",
            hint="give an augmentation, which brings both to one size",
        )


def _bytes_of(shape: tuple[int, int, int]) -> tuple[int, int]:
    """Where the labels begin, at a multiple of 64, and where they end."""
    count = int(np.prod(shape))
    split = -(-3 * count // 64) * 64
    return split, split + 4 * count
