"""An open dataset with what people do with one: choose, read in order and in parallel, look, hand on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from leadline.core.errors import DatasetError, InputError
from leadline.core.kind import Kind
from leadline.core.sample import Entry, Sample
from leadline.plugins.ports import Dataset, Holding
from leadline.plugins.registry import load
from leadline.plugins.specs import DatasetSpec

if TYPE_CHECKING:
    from leadline.flows.data.convert import ConvertReport
    from leadline.flows.data.sheet import Sheet
    from leadline.flows.data.stats import Stats
    from leadline.ops.colour import ColourOptions

__all__ = ["Collection", "Skipped"]

OnError = Literal["raise", "skip"]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A sample that could not be read.

    Args:
        id: The sample.
        reason: What was wrong, naming the file.
    """

    id: str
    reason: str


class Collection:
    """Samples of a dataset, or a choice of them.

    It fulfils the ``Dataset`` port, pickles, and reads nothing until it is asked.

    Args:
        dataset: What an adapter opened.
        spec: The adapter's record.
        place: Where it was opened.
        options: With which options.
        indices: Positions in ``dataset``, in order; all where None.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        spec: DatasetSpec,
        place: str = "",
        options: Mapping[str, str | int | float] | None = None,
        indices: Sequence[int] | None = None,
    ) -> None:
        self.dataset, self.spec, self.place = dataset, spec, place
        self.options = dict(options or {})
        self.indices: Sequence[int] = range(len(dataset)) if indices is None else tuple(indices)

    @property
    def kind(self) -> Kind:
        """What the truth's numbers mean."""
        return self.dataset.kind

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What is known of every sample without decoding any."""
        entries = self.dataset.entries
        return tuple(entries[index] for index in self.indices)

    @property
    def holds(self) -> Mapping[str, str]:
        """Which of several truths this is, by option: ``{"truth": "raw"}``; empty where a dataset has one only."""
        return self.dataset.holds if isinstance(self.dataset, Holding) else {}

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Sample:
        return self.dataset[self.indices[index]]

    def __iter__(self) -> Iterator[Sample]:
        return (self[position] for position in range(len(self)))

    def __repr__(self) -> str:
        where = f" at {self.place!r}" if self.place else ""
        return f"Dataset {self.spec.name!r}{where}: {len(self):,} samples, {self.kind.words}"

    def select(
        self,
        *,
        split: str = "",
        scenes: Iterable[str] = (),
        ids: Iterable[str] = (),
        first: int | None = None,
    ) -> Collection:
        """The samples that fit every condition given, in order.

        Args:
            split: ``"train"``, ``"val"`` or ``"test"``.
            scenes: Any of these scenes.
            ids: Any of these ids.
            first: At most this many.

        Returns:
            The choice; nothing is read.

        Raises:
            DatasetError: Nothing fits, or an id or scene is not there; what there is is said.
        """
        places, wanted = set(scenes), set(ids)
        if not (split or places or wanted):
            return self._with(self.indices if first is None else self.indices[:first])
        entries = self.entries
        _refuse_unknown(wanted - {entry.id for entry in entries}, "id", entries[0].id)
        _refuse_unknown(places - {entry.scene for entry in entries}, "scene", entries[0].scene)
        kept = [
            index
            for index, entry in zip(self.indices, entries, strict=True)
            if (not split or entry.split == split)
            and (not places or entry.scene in places)
            and (not wanted or entry.id in wanted)
        ]
        if not kept:
            there = ", ".join(sorted({entry.split or "none" for entry in entries}))
            raise DatasetError(
                f"dataset {self.spec.name!r}{f' at {self.place!r}' if self.place else ''} has {len(self):,} samples, "
                f"none of them of split {split!r}",
                hint=f"its splits: {there}",
            )
        return self._with(kept if first is None else kept[:first])

    def spread(self, count: int) -> Collection:
        """Samples spread evenly over the whole, for looking at: the first of each of ``count`` equal parts.

        Args:
            count: How many, at least 1; all where there are fewer.

        Returns:
            The choice.
        """
        if count < 1:
            raise InputError(f"count = {count} is not at least 1", hint="say how many samples to take")
        count = min(count, len(self))
        return self._with([self.indices[k * len(self) // count] for k in range(count)])

    def shard(self, number: int, *, of: int) -> Collection:
        """Every ``of``-th sample from the ``number``-th on: the shards of one dataset never overlap and miss nothing.

        Args:
            number: Which shard, from 0.
            of: How many shards there are.

        Returns:
            The choice.

        Raises:
            InputError: There is no such shard.
        """
        if not 0 <= number < of:
            raise InputError(f"shard {number} of {of} does not exist", hint=f"number them 0 to {of - 1}")
        return self._with(self.indices[number::of])

    def read(
        self,
        *,
        workers: int = 2,
        on_error: OnError = "raise",
        told: Callable[[Skipped], None] | None = None,
    ) -> Iterator[Sample]:
        """All samples in order, decoded ahead in threads; never more than ``2 x workers`` are held.

        Args:
            workers: Threads that decode; 0 decodes in the caller's.
            on_error: ``"skip"`` goes on past a sample that cannot be read.
            told: Is told of each sample that was skipped.

        Yields:
            The samples.

        Raises:
            DatasetError: A sample cannot be read, and it was not asked to go on.
        """
        for entry, result in self._ahead(workers):
            try:
                sample = result()
            except DatasetError as error:
                if on_error == "raise":
                    raise
                if told is not None:
                    told(Skipped(entry.id, str(error)))
                continue
            yield sample

    def augmented(self, transforms: Any = None, *, seed: int = 0, epoch: int = 0) -> Collection:
        """The same samples, changed at random: photo, depth, masks, camera and pose together.

        Args:
            transforms: A ``leadline.augment.recipe.Recipe`` or an ``albumentations.Compose``; the default recipe where
                None.
            seed: Which sequence of draws.
            epoch: Which pass over the data; a loader moves on by itself.

        Returns:
            The augmented samples; nothing is read.

        Raises:
            MissingExtra: albumentations is not installed.
        """
        from leadline.flows.data.augment import Augmented

        given = {} if transforms is None else {"transforms": transforms}
        augmentation = load("leadline.augment.pipeline:Augmentation")(seed=seed, **given)
        return Collection(
            Augmented(self.dataset, augmentation=augmentation, epoch=epoch),
            spec=self.spec,
            place=self.place,
            options=self.options,
            indices=self.indices,
        )

    def to_torch(self, *, form: Any = None) -> Any:
        """The samples as a ``torch.utils.data.Dataset`` of dictionaries of tensors.

        Args:
            form: ``leadline.bridges.tensors.Form``: normalisation, bytes or floats, what stands for unknown.

        Returns:
            ``leadline.bridges.torch.Samples``.

        Raises:
            MissingExtra: torch is not installed.
        """
        plain, augmentation, epoch = self._apart()
        return load("leadline.bridges.torch:to_torch")(
            plain, augmentation=augmentation, form=form, epoch=epoch
        )

    def loader(
        self,
        *,
        batch_size: int = 8,
        form: Any = None,
        shuffle: bool = True,
        seed: int = 0,
        workers: int = 0,
        rank: int | None = None,
        ranks: int | None = None,
        tail: Literal["keep", "drop"] = "keep",
        on_error: OnError = "raise",
        pin_memory: bool = False,
    ) -> Any:
        """Batches of tensors, in an order that depends on seed and epoch alone, whatever the number of workers.

        Args:
            batch_size: Samples in a batch.
            form: ``leadline.bridges.tensors.Form``: normalisation, bytes or floats, what stands for unknown.
            shuffle: Whether each epoch has an order of its own.
            seed: Which one.
            workers: Processes that read; 0 reads in the caller's.
            rank: Which of several training processes this is; as ``torch.distributed`` has it where None.
            ranks: How many there are; likewise.
            tail: ``"keep"`` gives every sample once over all ranks; ``"drop"`` gives every rank as many whole batches.
            on_error: ``"skip"`` goes on past a sample that cannot be read and lists it in the loader's ``unread``.
            pin_memory: Whether batches are put where a GPU fetches them fastest.

        Returns:
            ``leadline.bridges.torch.Loader``, a ``torch.utils.data.DataLoader``.

        Raises:
            InputError: A number is out of range.
            MissingExtra: torch is not installed.
        """
        plain, augmentation, epoch = self._apart()
        return load("leadline.bridges.torch:loader")(
            plain,
            augmentation=augmentation,
            batch_size=batch_size,
            form=form,
            shuffle=shuffle,
            seed=seed,
            epoch=epoch,
            workers=workers,
            rank=rank,
            ranks=ranks,
            tail=tail,
            on_error=on_error,
            pin_memory=pin_memory,
        )

    def preview(
        self, *, count: int = 9, columns: int = 3, width: int = 320, colour: ColourOptions | None = None
    ) -> Sheet:
        """A grid of samples spread evenly, each photo beside its coloured depth; notebooks show it.

        Args:
            count: How many.
            columns: How many beside each other.
            width: Width of each picture in pixels.
            colour: Colour map and range.

        Returns:
            The picture, which can be saved.
        """
        sheet: Sheet = load("leadline.flows.data.preview:draw_preview")(
            self, count=count, columns=columns, width=width, colour=colour
        )
        return sheet

    def scatter(self, index: int = 0, *, max_points: int = 60_000) -> Sheet:
        """One sample's points in 3D; notebooks show it.

        Args:
            index: Position of the sample.
            max_points: More points than this are thinned.

        Returns:
            The picture, which can be saved.

        Raises:
            KindError: The truth has no shape in space.
            MissingExtra: matplotlib is not installed.
        """
        sheet: Sheet = load("leadline.flows.data.scatter:scatter_sheet")(self[index], max_points=max_points)
        return sheet

    def stats(self, *, workers: int = 2, on_error: OnError = "raise") -> Stats:
        """Sizes, shares of known pixels, depths and their histogram, in one pass over all samples.

        Args:
            workers: Threads that read.
            on_error: ``"skip"`` goes on past what cannot be read, and counts it.

        Returns:
            What was measured.

        Raises:
            DatasetError: A sample cannot be read and it was not asked to go on.
        """
        found: Stats = load("leadline.flows.data.stats:measure")(self, workers=workers, on_error=on_error)
        return found

    def convert(
        self,
        out: str | Path,
        *,
        form: Literal["folder", "shards"] = "folder",
        photo: Literal["keep", "png", "jpeg"] = "keep",
        depth: Literal["npy", "png"] = "npy",
        shard_size: int = 1000,
        workers: int = 2,
        on_error: OnError = "raise",
        verify: bool = False,
        step: Callable[[int, int], None] | None = None,
    ) -> ConvertReport:
        """Writes the samples in leadline's own form, as ``leadline data convert`` does; a run that stopped goes on.

        Args:
            out: The folder.
            form: One file each, or tar shards for streaming.
            photo: ``"keep"`` takes the original file where it decodes to the same pixels; ``"jpeg"`` loses a little.
            depth: ``"npy"`` is quickest to read, ``"png"`` smallest; values are exact in both.
            shard_size: Samples in a shard.
            workers: Threads.
            on_error: ``"skip"`` goes on past what cannot be read, and lists it.
            verify: Whether everything is read back afterwards and compared.
            step: Is told how many are done, of how many.

        Returns:
            What was done.

        Raises:
            DatasetError: A sample cannot be read and it was not asked to go on, or something reads back otherwise.
            OutputError: The folder holds something else, or cannot be written.
        """
        request = load("leadline.flows.data.convert:ConvertRequest")(
            place=self.place or self.spec.name,
            out=Path(out),
            form=form,
            photo=photo,
            depth=depth,
            shard_size=shard_size,
            workers=workers,
            on_error=on_error,
            verify=verify,
        )
        done: ConvertReport = load("leadline.flows.data.convert:convert_collection")(
            self, request=request, step=step
        )
        return done

    def to_hf(self, *, depth: Literal["float", "16bit-mm"] = "float", cache: str | None = None) -> Any:
        """The samples as a Hugging Face ``datasets.Dataset``, written one by one into its cache.

        Args:
            depth: ``"float"`` loses nothing; ``"16bit-mm"`` is what most published sets have.
            cache: Folder for what is written; the user's own cache of ``datasets`` where None.

        Returns:
            The ``datasets.Dataset``.

        Raises:
            MissingExtra: ``datasets`` is not installed.
        """
        return load("leadline.bridges.huggingface:to_hf")(self, depth=depth, cache=cache)

    def _apart(self) -> tuple[Collection, Any, int]:
        """The samples as they are, what augments them, and from which epoch on."""
        from leadline.flows.data.augment import Augmented

        if not isinstance(self.dataset, Augmented):
            return self, None, 0
        plain = Collection(
            self.dataset.dataset, spec=self.spec, place=self.place, options=self.options, indices=self.indices
        )
        return plain, self.dataset.augmentation, self.dataset.epoch

    def _ahead(self, workers: int) -> Iterator[tuple[Entry, Callable[[], Sample]]]:
        entries = self.dataset.entries
        if workers < 1:
            for index in self.indices:
                yield entries[index], lambda index=index: self.dataset[index]  # type: ignore[misc]
            return
        waiting: deque[tuple[Entry, Future[Sample]]] = deque()
        with ThreadPoolExecutor(workers, thread_name_prefix="leadline-read") as pool:
            try:
                for index in self.indices:
                    waiting.append((entries[index], pool.submit(self.dataset.__getitem__, index)))
                    if len(waiting) >= 2 * workers:
                        entry, future = waiting.popleft()
                        yield entry, future.result
                while waiting:
                    entry, future = waiting.popleft()
                    yield entry, future.result
            finally:
                for _, future in waiting:
                    future.cancel()

    def _with(self, indices: Sequence[int]) -> Collection:
        return Collection(
            self.dataset, spec=self.spec, place=self.place, options=self.options, indices=indices
        )


def _refuse_unknown(unknown: set[str], what: str, example: str) -> None:
    if unknown:
        raise DatasetError(
            f"{len(unknown)} {what}{'' if len(unknown) == 1 else 's'} not in the dataset, such as {min(unknown)!r}",
            hint=f"they look like {example!r}" if example else f"this dataset knows no {what}s",
        )
