"""What every engine does to a network's answer before it is handed on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from leadline.core.errors import EngineError
from leadline.core.results import Answer

__all__ = ["sound"]


def sound(answer: Answer, *, name: str) -> Answer:
    """An answer that says something: numbers that are none become unknown pixels, but not all of them.

    Args:
        answer: As the network gives it.
        name: The model's name.

    Returns:
        It in float32, with NaN where a value is not finite; sky that the network itself tells of stays.

    Raises:
        EngineError: No number is finite.
    """
    values = answer.values.astype(np.float32, copy=False)
    finite = np.isfinite(values)
    told = finite if answer.infinite is None else finite | answer.infinite
    if not bool(told.any()):
        raise EngineError(
            f"{name!r} gave no finite number for a photo of {values.shape[1]}x{values.shape[0]}",
            hint="its weights are damaged, or it cannot run in this precision on this device",
        )
    if bool(told.all()):
        return answer if values is answer.values else replace(answer, values=values)
    return replace(answer, values=np.where(told, values, np.float32(np.nan)))
