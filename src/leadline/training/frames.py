"""Reading what is learned from: once through before anything starts, kept in memory as far as it goes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from leadline.core.errors import DatasetError
from leadline.core.sample import Sample
from leadline.training.views import Frame, pack

__all__ = ["PackedLater", "look_at_held_out", "read_frames"]

MOST_UNUSABLE = 20


class PackedLater(Sequence[Frame]):
    """Frames that do not fit into memory: each is read when it is asked for.

    Args:
        samples: The dataset.
        indices: Which of its samples.
        far_m: What lies beyond counts as unknown.
    """

    def __init__(self, samples: Sequence[Sample], indices: Sequence[int], *, far_m: float) -> None:
        self.samples, self.indices, self.far_m = samples, indices, far_m

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: Any) -> Any:
        return pack(self.samples[self.indices[index]], far_m=self.far_m)


def read_frames(
    samples: Sequence[Sample],
    indices: Sequence[int],
    *,
    keep_bytes: float,
    far_m: float = math.inf,
    step: Callable[[], object] = lambda: None,
) -> Sequence[Frame]:
    """Reads every frame once, so that what cannot be learned from is told before hours are spent.

    Args:
        samples: The dataset.
        indices: Which of its samples.
        keep_bytes: Most memory that frames may take; beyond it they are read again each time.
        far_m: What lies beyond counts as unknown.
        step: Is called after each.

    Returns:
        The frames.

    Raises:
        DatasetError: Some cannot be learned from; how many, and the first of them, are told.
    """
    kept: list[Frame] = []
    used = 0
    hint = "mend them, or leave them out: data.dropped_ids in the recipe (leadline data doctor finds all)"
    for frame in _packed(
        samples, indices, far_m=far_m, step=step, failing="frames cannot be learned from", hint=hint
    ):
        used += frame.rgb_HW3.nbytes + frame.depth_mm.nbytes
        if used <= keep_bytes:
            kept.append(frame)
    return kept if len(kept) == len(indices) else PackedLater(samples, indices, far_m=far_m)


def look_at_held_out(
    samples: Sequence[Sample],
    indices: Sequence[int],
    *,
    far_m: float,
    step: Callable[[], object] = lambda: None,
) -> None:
    """Reads every held-out frame once, so that the first validation does not end a run after hours.

    Args:
        samples: The dataset.
        indices: Which of its samples are held out.
        far_m: What lies beyond does not count.
        step: Is called after each.

    Raises:
        DatasetError: Some cannot be validated on; how many, and the first of them, are told.
    """
    hint = "mend them, or take them out of the dataset (leadline data doctor finds all)"
    for _ in _packed(
        samples,
        indices,
        far_m=far_m,
        step=step,
        failing="held-out frames cannot be validated on",
        hint=hint,
    ):
        pass  # looking is all


def _packed(
    samples: Sequence[Sample],
    indices: Sequence[int],
    *,
    far_m: float,
    step: Callable[[], object],
    failing: str,
    hint: str,
) -> Iterator[Frame]:
    """Each frame that can be used; those that cannot are counted, and told at the end."""
    unusable: list[str] = []
    for index in indices:
        try:
            frame = pack(samples[index], far_m=far_m)
        except DatasetError as error:
            unusable.append(error.message)
        else:
            yield frame
        step()
        if len(unusable) >= MOST_UNUSABLE:
            break
    if unusable:
        many = f"{'at least ' if len(unusable) == MOST_UNUSABLE else ''}{len(unusable)} of {len(indices)}"
        raise DatasetError(f"{many} {failing}, such as this: {unusable[0]}", hint=hint)
