"""Batches made ahead of the network, in order, with the time it waits for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeAlias

from torch import Tensor

__all__ = ["Batch", "Feed", "Pass"]

Batch: TypeAlias = tuple[Tensor, Tensor]


class Feed:
    """The batches of a whole run by their number, some made ahead by threads.

    What a batch holds is decided by its number alone, so that it does not matter who makes it, or when.

    Args:
        make: Makes the batch of a number.
        total: How many there are.
        readers: Threads; 0 makes each batch when it is asked for.
        ahead: Batches that are made before they are asked for, for each thread.
    """

    def __init__(self, make: Callable[[int], Batch], *, total: int, readers: int, ahead: int = 2) -> None:
        self.make, self.total, self.ahead = make, total, readers * ahead
        self.waiting: dict[int, Future[Batch]] = {}
        self.pool = ThreadPoolExecutor(readers, thread_name_prefix="leadline-views") if readers else None
        self.waited_s = 0.0

    def take(self, number: int) -> Batch:
        """The batch of a number; those that follow are begun.

        Args:
            number: From 0 on.

        Returns:
            The batch.
        """
        began = time.perf_counter()
        try:
            if self.pool is None:
                return self.make(number)
            for later in range(number, min(number + 1 + self.ahead, self.total)):
                if later not in self.waiting:
                    self.waiting[later] = self.pool.submit(self.make, later)
            return self.waiting.pop(number).result()
        finally:
            self.waited_s += time.perf_counter() - began

    def close(self) -> None:
        """Lets the threads go."""
        if self.pool is not None:
            self.pool.shutdown(wait=True, cancel_futures=True)
            self.waiting.clear()


class Pass:
    """One epoch's batches, with a position that checkpoints keep.

    Args:
        feed: The run's batches.
        epoch: Number of the epoch.
        steps: Batches in an epoch.
    """

    def __init__(self, feed: Feed, *, epoch: int, steps: int) -> None:
        self.feed, self.epoch, self.steps, self.done = feed, epoch, steps, 0

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[Batch]:
        while self.done < self.steps:
            batch = self.feed.take(self.epoch * self.steps + self.done)
            self.done += 1
            yield batch

    def state_dict(self) -> dict[str, Any]:
        """Where it is."""
        return {"epoch": self.epoch, "done": self.done}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes where a checkpoint was, if that is in this epoch."""
        if state["epoch"] == self.epoch:
            self.done = state["done"]
