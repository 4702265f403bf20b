"""Depth that a teacher says, laid upon the truth of a frame before views of it are taken."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from leadline.training.recipe import TeacherRecipe
from leadline.training.views import STEPS_MAX, Frame

__all__ = ["teach"]


def teach(frame: Frame, metres_HW: NDArray[np.float32], *, recipe: TeacherRecipe) -> Frame:
    """Moves the truth of a frame towards what a teacher says of it.

    Where both are known and the difference of their logarithms is at most ``trust``, the target is their mean in the logarithm,
    weighted by ``share``. Elsewhere the truth stands; where there is none, the teacher's depth does, with ``fills``, but not
    outside the window that holds all known depth.

    Args:
        frame: The frame.
        metres_HW: What the teacher says of the whole photo: metres along the axis; no number where it says nothing.
        recipe: How much it counts.

    Returns:
        The frame with the depth that is learned from.
    """
    truth, known = frame.depth_mm.astype(np.float32), frame.depth_mm > 0
    taught = np.nan_to_num(metres_HW.astype(np.float32), posinf=0, neginf=0) * frame.steps_per_m
    said = (taught >= 1) & (taught <= STEPS_MAX)
    apart = np.log(np.where(said, taught, 1)) - np.log(np.where(known, truth, 1))
    heeded = known & said & (np.abs(apart) <= recipe.trust)
    target = np.where(heeded, truth * np.exp(recipe.share * apart), truth)
    if recipe.fills:
        left, top, right, bottom = frame.known
        window = np.zeros_like(known)
        window[top:bottom, left:right] = True
        target = np.where(window & said & ~known, taught, target)
    return replace(frame, depth_mm=np.round(target).astype(np.uint16))
