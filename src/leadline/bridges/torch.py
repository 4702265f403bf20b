"""PyTorch: any dataset as a ``torch.utils.data.Dataset``, and a ``DataLoader`` whose order does not depend on its workers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from leadline.bridges.handover import Packed, Packer, Unread, check_sizes, failed, packed_here
from leadline.bridges.lending import Lender
from leadline.bridges.tensors import Augment, Form
from leadline.core.errors import DatasetError, InputError, LeadlineError
from leadline.core.sample import Sample
from leadline.plugins.need import need
from leadline.plugins.ports import Dataset

need("torch", who="feeding a network", extra="torch")
import torch  # noqa: E402 - after the line that says how to install it
from torch.utils.data import DataLoader, Sampler  # noqa: E402
from torch.utils.data import Dataset as TorchDataset  # noqa: E402

__all__ = ["Loader", "Samples", "Shard", "Ticket", "Unread", "collate", "loader", "to_torch"]

OnError = Literal["raise", "skip"]
_PREFETCH = 2
"""Batches a worker reads ahead."""

_KEPT_BYTES = 31 << 20
"""Just below the largest block that glibc lets itself be taught to keep."""

_TENSORS = ("pixel_values", "labels", "valid", "camera")


class Ticket(NamedTuple):
    """Which sample, as which epoch sees it; what a ``Shard`` gives and ``Samples`` takes.

    Args:
        position: In the dataset.
        epoch: Which pass over the data.
        run: Counts the passes of this very loader that were broken off before.
    """

    position: int
    epoch: int = 0
    run: int = 0


class Samples(TorchDataset[dict[str, Any]]):
    """A dataset whose items are dictionaries of tensors.

    ``pixel_values`` (3, H, W), ``labels`` (H, W) float32, ``valid`` (H, W) bool, ``camera`` (fx, fy, cx, cy) float32 and
    ``id``.

    Args:
        dataset: Where the samples are from.
        augmentation: What changes them; nothing where None.
        form: The form of the tensors.
        epoch: Which draws an augmentation makes for a plain position; ``set_epoch`` changes it.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        augmentation: Augment | None = None,
        form: Form | None = None,
        epoch: int = 0,
    ) -> None:
        self.dataset, self.augmentation, self.form = dataset, augmentation, form or Form()
        self.epoch = epoch

    def set_epoch(self, epoch: int) -> None:
        """Says which epoch a plain position is of, for a ``DataLoader`` of one's own.

        Args:
            epoch: From 0.
        """
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, key: int | Ticket) -> dict[str, Any]:
        """One sample as tensors.

        Args:
            key: Its position, or a ticket, which also says the epoch.

        Returns:
            The tensors.

        Raises:
            DatasetError: It cannot be read.
        """
        sample = self.sample(key)
        batch = Lender(self.form).unpack(packed_here([sample], form=self.form))
        return {name: value[0] for name, value in batch.items()}

    def sample(self, key: int | Ticket) -> Sample:
        """One sample, augmented.

        Args:
            key: Its position, or a ticket.

        Returns:
            The sample; its truth has the photo's size, or it is refused.

        Raises:
            DatasetError: It cannot be read.
        """
        ticket = key if isinstance(key, Ticket) else Ticket(key, self.epoch)
        sample = self.dataset[ticket.position]
        return sample if self.augmentation is None else self.augmentation(sample, epoch=ticket.epoch)


class Shard(Sampler[Ticket]):
    """The order in which one of several processes sees a dataset: every sample once an epoch over all of them.

    Args:
        count: How many samples there are.
        shuffle: Whether each epoch has an order of its own.
        seed: Which one.
        rank: Which process this is.
        ranks: How many there are.
        tail: ``"keep"`` gives every sample, so that ranks may differ by one; ``"drop"`` leaves out the last few, so
            that all have the same number.
    """

    def __init__(
        self,
        count: int,
        *,
        shuffle: bool = True,
        seed: int = 0,
        rank: int = 0,
        ranks: int = 1,
        tail: Literal["keep", "drop"] = "keep",
    ) -> None:
        if not 0 <= rank < ranks:
            raise InputError(f"rank {rank} of {ranks} does not exist", hint=f"number them 0 to {ranks - 1}")
        if tail not in ("keep", "drop"):
            raise InputError(f"tail = {tail!r} is not keep or drop", hint="choose one")
        self.count, self.shuffle, self.seed = count, shuffle, seed
        self.rank, self.ranks, self.tail = rank, ranks, tail
        self.epoch = 0
        self._run = 0

    def set_epoch(self, epoch: int) -> None:
        """Says which epoch the next pass is.

        Args:
            epoch: From 0.
        """
        self.epoch = epoch

    def break_off(self) -> None:
        """Says that what was read ahead of the last pass was given up."""
        self._run += 1

    def __len__(self) -> int:
        if self.tail == "drop":
            return self.count // self.ranks
        return len(range(self.rank, self.count, self.ranks))

    def __iter__(self) -> Iterator[Ticket]:
        order = np.arange(self.count)
        if self.shuffle:
            order = np.random.default_rng([self.seed, self.epoch]).permutation(self.count)
        mine = order[self.rank :: self.ranks][: len(self)]
        return iter([Ticket(int(index), self.epoch, self._run) for index in mine])


class Loader(DataLoader[dict[str, Any]]):
    """A ``DataLoader`` that knows its epoch, and what it went on without; made by ``loader``.

    Each pass is one epoch, and the next pass is the next; ``set_epoch`` goes to another, as when training is resumed.

    Attributes:
        unread: The samples that the present or last pass went on without, in order.
    """

    unread: tuple[Unread, ...] = ()
    _lender: Lender | None = None
    _whole = True

    @property
    def epoch(self) -> int:
        """The epoch that the next pass will be."""
        return int(self._shard.epoch)

    @property
    def _shard(self) -> Shard:
        assert isinstance(self.sampler, Shard)
        return self.sampler

    @property
    def _lending(self) -> Lender:
        """Kept from pass to pass: mapping the workers' buffers anew takes as long as reading a few batches."""
        if self._lender is None:
            batches = self.dataset
            assert isinstance(batches, _Batches)
            self._lender = Lender(batches.samples.form, pin_memory=batches.pin_memory)
        return self._lender

    def set_epoch(self, epoch: int) -> None:
        """Says which epoch the next pass is.

        Args:
            epoch: From 0.
        """
        self._shard.set_epoch(epoch)

    def __iter__(self) -> Iterator[dict[str, Any]]:  # type: ignore[override]  # torch names its own iterator class
        epoch = self.epoch
        self.unread = ()
        if not self._whole:
            self._shard.break_off()
        self._whole = False
        arriving = super().__iter__()
        try:
            for packed in arriving:
                assert isinstance(packed, Packed)
                if packed.error is not None:
                    raise packed.error
                self.unread += tuple(packed.unread)
                if packed.ids:
                    yield self._lending.unpack(packed)
            self._whole = True
        except LeadlineError:
            self._iterator = None
            del arriving  # ends the workers now; with the traceback, they would live until it is forgotten
            raise
        finally:
            if self.epoch == epoch:
                self.set_epoch(epoch + 1)


class _Batches(TorchDataset[Any]):
    """Whole batches, packed where they are read."""

    def __init__(self, samples: Samples, on_error: OnError, pin_memory: bool) -> None:
        self.samples, self.on_error, self.pin_memory = samples, on_error, pin_memory
        self.packer = Packer(samples.form)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitems__(self, tickets: Sequence[Ticket]) -> Packed:
        try:
            return self._packed(tickets)
        except LeadlineError as error:
            return failed(error)

    def _packed(self, tickets: Sequence[Ticket]) -> Packed:
        read: list[Sample] = []
        unread: list[Unread] = []
        for ticket in tickets:
            try:
                read.append(self.samples.sample(ticket))
            except DatasetError as error:
                if self.on_error == "raise":
                    raise
                unread.append(Unread(self.samples.dataset.entries[ticket.position].id, str(error)))
        return self.packer.pack(read, unread=unread, run=tickets[0].run)


def to_torch(
    dataset: Dataset, *, augmentation: Augment | None = None, form: Form | None = None, epoch: int = 0
) -> Samples:
    """A dataset for PyTorch.

    Args:
        dataset: Where the samples are from.
        augmentation: What changes them; nothing where None.
        form: The form of the tensors.
        epoch: Which draws an augmentation makes at first.

    Returns:
        The dataset.
    """
    return Samples(dataset, augmentation=augmentation, form=form, epoch=epoch)


def loader(
    dataset: Dataset,
    *,
    batch_size: int = 8,
    augmentation: Augment | None = None,
    form: Form | None = None,
    shuffle: bool = True,
    seed: int = 0,
    epoch: int = 0,
    workers: int = 0,
    rank: int | None = None,
    ranks: int | None = None,
    tail: Literal["keep", "drop"] = "keep",
    on_error: OnError = "raise",
    pin_memory: bool = False,
) -> Loader:
    """Batches of a dataset, in an order that depends on seed and epoch alone.

    The same seed gives the same batches whatever the number of workers. Over all ranks, each sample comes exactly once
    an epoch.

    Args:
        dataset: Where the samples are from.
        batch_size: Samples in a batch.
        augmentation: What changes them; nothing where None.
        form: The form of the tensors.
        shuffle: Whether each epoch has an order of its own.
        seed: Which one.
        epoch: Which one the first pass is.
        workers: Processes that read; 0 reads in the caller's.
        rank: Which of several training processes this is; as ``torch.distributed`` has it where None.
        ranks: How many there are; likewise.
        tail: ``"keep"`` gives every sample, the last batch may be smaller and one rank may have a batch more;
            ``"drop"`` gives every rank the same number of whole batches.
        on_error: ``"skip"`` goes on without a sample that cannot be read and lists it in ``unread``; its batch is smaller.
        pin_memory: Whether batches are put where a GPU fetches them fastest.

    Returns:
        The loader.

    Raises:
        InputError: A number is out of range, or a word is another.
        DatasetError: While it is read: a sample cannot be read, and it was not asked to go on.
    """
    for name, number, least in (("batch_size", batch_size, 1), ("workers", workers, 0)):
        if number < least:
            raise InputError(f"{name} = {number} is not at least {least}", hint="give a whole number")
    if on_error not in ("raise", "skip"):
        raise InputError(f"on_error = {on_error!r} is not raise or skip", hint="choose one")
    here, all_there = _place_among_ranks()
    shard = Shard(
        len(dataset),
        shuffle=shuffle,
        seed=seed,
        rank=here if rank is None else rank,
        ranks=all_there if ranks is None else ranks,
        tail=tail,
    )
    shard.set_epoch(epoch)
    return Loader(
        _Batches(Samples(dataset, augmentation=augmentation, form=form), on_error, pin_memory),
        batch_size=batch_size,
        sampler=shard,
        num_workers=workers,
        collate_fn=_as_it_is,
        worker_init_fn=_settle_in,
        prefetch_factor=_PREFETCH if workers else None,
        drop_last=tail == "drop",
        persistent_workers=workers > 0,
    )


def collate(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Makes a batch of items of ``Samples``, for a ``DataLoader`` of one's own.

    Args:
        items: At least one.

    Returns:
        The stacked tensors, and the ids as a list.

    Raises:
        InputError: The items are of different sizes.
    """
    check_sizes([item["id"] for item in items], [tuple(item["labels"].shape) for item in items])
    batch: dict[str, Any] = {name: torch.stack([item[name] for item in items]) for name in _TENSORS}
    batch["id"] = [item["id"] for item in items]
    return batch


def _as_it_is(batch: Any) -> Any:
    return batch


def _settle_in(worker: int) -> None:
    """Lets glibc keep memory for the next sample: freeing one large block makes it hold on to blocks up to that size.

    Else every sample's arrays are mapped and unmapped anew, which takes longer than filling them.
    """
    del worker
    np.empty(_KEPT_BYTES, np.uint8)


def _place_among_ranks() -> tuple[int, int]:
    distributed = torch.distributed
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1
