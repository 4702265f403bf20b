"""How learning rates rise and fall over a run."""

from __future__ import annotations

import math
from collections.abc import Callable

from leadline.training.recipe import OptimiserRecipe

__all__ = ["rate_at"]

POWER = 0.9
"""Of the polynomial fall, as segmentation networks have it (Chen et al., "DeepLab", TPAMI 2018)."""

FALLS: dict[str, Callable[[float], float]] = {
    "cosine": lambda done: 0.5 * (1 + math.cos(math.pi * done)),
    "linear": lambda done: 1 - done,
    "polynomial": lambda done: (1 - done) ** POWER,
}


def rate_at(step: int, *, options: OptimiserRecipe, steps: int) -> float:
    """The learning rate of a step as a share of its peak.

    Args:
        step: Number of the step, from 0.
        options: Warm-up, fall and its schedule.
        steps: Steps of the whole run.

    Returns:
        Between 0 and 1: rising over the warm-up, 1, and falling at the end.
    """
    rising = max(1.0, options.warm_up * steps)
    if step < rising:
        return (step + 1) / (rising + 1)
    falling = max(rising, (1 - options.fall) * steps)
    if step < falling:
        return 1.0
    done = (step - falling) / max(1.0, steps - falling)
    return FALLS[options.schedule](min(1.0, done))
