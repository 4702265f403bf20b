"""A corridor of three rooms: load, work, save. They overlap, and only a few items are inside at any time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Generic, TypeVar

__all__ = ["Corridor", "Outcome"]

ItemT = TypeVar("ItemT")
LoadedT = TypeVar("LoadedT")
WorkedT = TypeVar("WorkedT")
SavedT = TypeVar("SavedT")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[ItemT, SavedT]):
    """What became of an item: ``saved``, or the ``error`` that concerns this item alone.

    Args:
        item: The item.
        saved: What ``save`` returned.
        error: Why there is nothing.
    """

    item: ItemT
    saved: SavedT | None = None
    error: Exception | None = None


@dataclass(frozen=True)
class Corridor(Generic[ItemT, LoadedT, WorkedT, SavedT]):
    """Loads in threads, works in the calling thread, saves in threads.

    The size of an item counts from before it is loaded until it is saved; a new one is let in while the sum stays
    within ``room``, or when nothing else is inside. So memory does not grow with the number of items.

    Args:
        load: Reads an item; called in a thread.
        work: Works on neighbours together; called in the caller's thread, one call at a time.
        save: Writes what came of an item; called in a thread.
        size: An item's size before it is loaded.
        alike: Whether two loaded neighbours may be worked on together.
        spares: Errors of ``load`` and ``save`` that concern one item only; any other ends the run.
        work_spares: Errors of ``work`` that concern one item only. Of several that were worked on together, each is then
            worked on alone.
        batch: Most items that are worked on together.
        room: Largest sum of sizes inside.
        save_room: Largest sum of sizes that are being saved, which takes most memory an item.
        threads: Threads that load, and as many that save.
    """

    load: Callable[[ItemT], LoadedT]
    work: Callable[[Sequence[LoadedT]], Sequence[WorkedT]]
    save: Callable[[ItemT, WorkedT], SavedT]
    size: Callable[[ItemT], int]
    alike: Callable[[LoadedT, LoadedT], bool]
    spares: tuple[type[Exception], ...]
    work_spares: tuple[type[Exception], ...] = ()
    batch: int = 1
    room: int = 60_000_000
    save_room: int = 30_000_000
    threads: int = field(default_factory=lambda: max(2, min(8, os.cpu_count() or 1)))

    def run(self, items: Iterable[ItemT]) -> Iterator[Outcome[ItemT, SavedT]]:
        """Takes items through.

        Args:
            items: The items, in order.

        Yields:
            One outcome an item, in the order they are finished. When the caller stops, or an error ends the run, what
            is being saved is saved to its end and nothing else is begun.
        """
        with (
            ThreadPoolExecutor(self.threads, "load") as loaders,
            ThreadPoolExecutor(self.threads, "save") as savers,
        ):
            passage = _Passage(self, iter(items), loaders, savers)
            try:
                yield from passage.outcomes()
            finally:
                loaders.shutdown(wait=False, cancel_futures=True)
                savers.shutdown(wait=True, cancel_futures=True)


class _Passage(Generic[ItemT, LoadedT, WorkedT, SavedT]):
    """One run through a corridor: what is where."""

    def __init__(
        self,
        corridor: Corridor[ItemT, LoadedT, WorkedT, SavedT],
        items: Iterator[ItemT],
        loaders: ThreadPoolExecutor,
        savers: ThreadPoolExecutor,
    ) -> None:
        self.corridor = corridor
        self.items = items
        self.loaders, self.savers = loaders, savers
        self.loading: deque[tuple[ItemT, int, Future[LoadedT]]] = deque()
        self.ready: deque[tuple[ItemT, int, WorkedT]] = deque()
        self.saving: dict[Future[SavedT], tuple[ItemT, int]] = {}
        self.next: tuple[ItemT, int] | None = None
        self.inside = 0
        self.most = corridor.batch + 2 * corridor.threads

    def outcomes(self) -> Iterator[Outcome[ItemT, SavedT]]:
        while True:
            self._let_in()
            first = [future for _, _, future in islice(self.loading, self.corridor.batch)]
            late = [future for future in first if not future.done()]
            if first and not late:
                yield from self._work()
            elif late or self.saving:
                running: list[Future[Any]] = [*late, *self.saving]
                wait(running, return_when=FIRST_COMPLETED)
            else:
                return
            yield from self._harvest()
            self._let_save()

    def _let_in(self) -> None:
        while len(self.loading) + len(self.ready) + len(self.saving) < self.most and self._look():
            assert self.next is not None
            item, size = self.next
            if self.inside and self.inside + size > self.corridor.room:
                return
            self.next = None
            self.inside += size
            self.loading.append((item, size, self.loaders.submit(self.corridor.load, item)))

    def _look(self) -> bool:
        """Whether there is a next item; its size is asked for once."""
        if self.next is None:
            for item in self.items:
                self.next = (item, self.corridor.size(item))
                break
        return self.next is not None

    def _work(self) -> Iterator[Outcome[ItemT, SavedT]]:
        """Works on the first items, which are loaded, as far as they are alike."""
        taken: list[tuple[ItemT, int]] = []
        loaded: list[LoadedT] = []
        while self.loading and len(taken) < self.corridor.batch and self.loading[0][2].done():
            item, size, future = self.loading[0]
            try:
                value = future.result()
            except self.corridor.spares as error:
                self.loading.popleft()
                self.inside -= size
                yield Outcome(item, error=error)
                continue
            if loaded and not self.corridor.alike(loaded[0], value):
                break
            self.loading.popleft()
            taken.append((item, size))
            loaded.append(value)
            del future, value
        if loaded:
            yield from self._work_on(taken, loaded)

    def _work_on(
        self, taken: Sequence[tuple[ItemT, int]], loaded: Sequence[LoadedT]
    ) -> Iterator[Outcome[ItemT, SavedT]]:
        """Works on items together; where that fails for one of them, on each alone."""
        try:
            done = self.corridor.work(loaded)
        except self.corridor.work_spares as error:
            if len(loaded) > 1:
                for one, value in zip(taken, loaded, strict=True):
                    yield from self._work_on([one], [value])
                return
            item, size = taken[0]
            self.inside -= size
            yield Outcome(item, error=error)
            return
        for (item, size), worked in zip(taken, done, strict=True):
            self.ready.append((item, size, worked))

    def _let_save(self) -> None:
        while self.ready:
            item, size, worked = self.ready[0]
            busy = sum(size for _, size in self.saving.values())
            if busy and busy + size > self.corridor.save_room:
                return
            self.ready.popleft()
            self.saving[self.savers.submit(self.corridor.save, item, worked)] = (item, size)
            del worked

    def _harvest(self) -> Iterator[Outcome[ItemT, SavedT]]:
        for future in [future for future in self.saving if future.done()]:
            item, size = self.saving.pop(future)
            self.inside -= size
            try:
                yield Outcome(item, saved=future.result())
            except self.corridor.spares as error:
                yield Outcome(item, error=error)
