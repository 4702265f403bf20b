"""Stops a run whose loss or gradient is no number any more, or explodes, and says at which batch."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["Alarm", "LossWatch", "Place"]

USUAL = 50
FEWEST = 20


class Place(NamedTuple):
    """A batch of a run.

    Args:
        epoch: Number of the epoch.
        batch: Number of the batch within it.
    """

    epoch: int
    batch: int


@dataclass(frozen=True, slots=True)
class Alarm:
    """What was wrong, and where.

    Args:
        what: ``"loss"`` or ``"gradient"``.
        value: The value.
        usual: The usual loss; NaN where none is known yet.
        place: The batch; of several whose gradients were added up, the last.
    """

    what: str
    value: float
    usual: float
    place: Place

    @property
    def words(self) -> str:
        """What was wrong, in words."""
        known = "" if self.what != "loss" or math.isnan(self.usual) else f", the usual one {self.usual:.3g}"
        return (
            f"{'the loss' if self.what == 'loss' else 'the norm of the gradient'} is {self.value:.4g}{known}"
        )


class LossWatch:
    """Looks at losses and gradients, at once or in groups.

    A look waits until the device has worked them out, so that on a GPU many are looked at together; the CPU waits anyway.

    Args:
        explosion: Times the usual loss at which there is an alarm.
        at_once: Whether each is looked at as it comes.
        group: How many are looked at together where not.
    """

    def __init__(self, *, explosion: float, at_once: bool, group: int = 32) -> None:
        self.explosion, self.group = explosion, 1 if at_once else group
        self.recent: deque[float] = deque(maxlen=USUAL)
        self.waiting: list[tuple[str, Tensor, Place]] = []

    def saw(self, what: str, value: Tensor, place: Place) -> Alarm | None:
        """Takes a value in.

        Args:
            what: ``"loss"`` or ``"gradient"`` (its norm).
            value: One number, on whatever device.
            place: The batch.

        Returns:
            The first alarm among those not looked at before, or None.
        """
        self.waiting.append((what, value.detach(), place))
        return self.look() if len(self.waiting) >= self.group else None

    def look(self) -> Alarm | None:
        """Looks at all that was not looked at.

        Returns:
            The first alarm among them, or None.
        """
        if not self.waiting:
            return None
        waiting, self.waiting = self.waiting, []
        values = torch.stack([value.float() for _, value, _ in waiting]).tolist()
        for (what, _, place), value in zip(waiting, values, strict=True):
            usual = median(self.recent) if len(self.recent) >= FEWEST else math.nan
            if not math.isfinite(value) or (what == "loss" and value > self.explosion * usual > 0):
                return Alarm(what, value, usual, place)
            if what == "loss":
                self.recent.append(value)
        return None
