"""Depth that a teacher says, laid upon the truth of a frame before views of it are taken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from leadline.training.recipe import TeacherRecipe
from leadline.training.views import STEPS_MAX, Frame

__all__ = ["teach", "threads_as_before"]


def teach(frame: Frame, z_m: NDArray[np.float32], *, recipe: TeacherRecipe) -> Frame:
    """Moves the truth of a frame towards what a teacher says of it.

    Where both are known and the difference of their logarithms is at most ``trust``, the target is their mean in the logarithm,
    weighted by ``share``. Elsewhere the truth stands, and what is unknown stays so: it may be sky, or too far to count.

    Args:
        frame: The frame.
        z_m: What the teacher says of the whole photo, (H, W): metres along the axis; no number where it says nothing.
        recipe: How much it counts.

    Returns:
        The frame with the depth that is learned from.
    """
    truth = frame.depth_mm.astype(np.float32)  # 0 where unknown, and 0 it stays
    taught = np.nan_to_num(z_m.astype(np.float32), posinf=0, neginf=0) * frame.steps_per_m
    said = (taught >= 1) & (taught <= STEPS_MAX)
    apart = np.log(np.where(said, taught, 1)) - np.log(np.maximum(truth, 1))
    heeded = said & (np.abs(apart) <= recipe.trust)
    target = np.where(heeded, truth * np.exp(recipe.share * apart), truth)
    return replace(frame, depth_mm=np.round(target).astype(np.uint16))


@contextmanager
def threads_as_before() -> Iterator[None]:
    """Gives torch its number of threads back, which a teacher that runs in torch sets for itself."""
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)
