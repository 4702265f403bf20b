"""Predictions in the form that the ``depth-estimation`` pipeline of transformers gives."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, MissingExtra
from leadline.plugins.need import has, need

__all__ = ["TENSORS", "as_depth_estimation", "check_tensors"]

TENSORS = ("torch", "numpy")
"""What ``predicted_depth`` may be."""


def check_tensors(tensors: str) -> None:
    """Refuses answers that could not be made, before a model is opened for them.

    Args:
        tensors: What ``predicted_depth`` shall be.

    Raises:
        InputError: It is none of ``TENSORS``.
        MissingExtra: A torch tensor is wanted and torch is not installed.
    """
    if tensors not in TENSORS:
        raise InputError(f"tensors = {tensors!r} is not one of {', '.join(TENSORS)}", hint="choose one")
    if tensors == "torch" and not has("torch"):
        raise MissingExtra(
            "a pipeline that gives tensors (tensors='numpy' needs none)", "torch", extra="torch"
        )


def as_depth_estimation(depth: DepthMap, *, tensors: str) -> dict[str, Any]:
    """A depth map as the pipeline's dict.

    Args:
        depth: The depth map.
        tensors: ``"torch"`` or ``"numpy"``.

    Returns:
        ``predicted_depth`` and ``depth``.
    """
    from PIL import Image

    values: Any = depth.values.copy()
    if tensors == "torch":
        values = need("torch", who="a pipeline that gives tensors", extra="torch").from_numpy(values)
    return {"predicted_depth": values, "depth": Image.fromarray(_grey(depth))}


def _grey(depth: DepthMap) -> NDArray[np.uint8]:
    """(value - least) / (largest - least) x 255, rounded down; unknown pixels are 0, sky is what is farthest."""
    low, high = depth.range() or (0.0, 0.0)
    span = np.float32(high) - np.float32(low) or np.float32(1)
    known = np.where(depth.valid, depth.values, np.float32(low))
    levels = (known - np.float32(low)) / span * np.float32(255)
    # Sky is infinity in depth and 0 in inverse depth.
    levels[depth.infinite] = 255 if np.isinf(depth.values[depth.infinite]).any() else 0
    grey: NDArray[np.uint8] = levels.astype(np.uint8)
    return grey
