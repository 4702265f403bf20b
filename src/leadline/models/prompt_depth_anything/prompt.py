"""Prompts as the network needs them: of a kind that it knows, of the photo's shape, without holes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError
from leadline.core.image import Image
from leadline.core.kind import Along, Freedom, Quantity

__all__ = ["check_prompt", "whole_prompt"]

_ASKEW = 0.1
"""How far a prompt's height over its width may be from the photo's, as a share."""

_ROUNDED = 1.5
"""How many pixels of the prompt that may be besides: sizes are whole numbers."""

_LEAST_SPREAD = 1e-6
"""What the first pixel of a prompt that is the same everywhere is raised by, as a share: the network divides by its span."""


def check_prompt(prompt: DepthMap, image: Image) -> None:
    """Refuses a prompt that the network cannot read.

    Args:
        prompt: The depth map.
        image: The photo it goes with.

    Raises:
        KindError: It is inverse depth, or depth along the ray.
        InputError: It knows no pixel, or its shape is not the photo's.
    """
    if prompt.kind.quantity is not Quantity.DEPTH:
        way = (
            "align it first"
            if prompt.kind.freedom is Freedom.AFFINE
            else "turn it round first: leadline.to_depth(prompt)"
        )
        raise KindError(f"the prompt is {prompt.kind}, and the network was taught with depth", hint=way)
    if prompt.kind.along is not Along.AXIS:
        raise KindError(
            f"the prompt is {prompt.kind}, and the network was taught with depth along the axis",
            hint="turn it with its camera first: leadline.ops.geometry.to_axis(prompt)",
        )
    if not prompt.valid.any():
        raise InputError(
            f"the prompt for a photo of {image.width}x{image.height} knows no pixel",
            hint="look at the file; is 0 what it means by unknown?",
        )
    rows, columns = prompt.height * image.width, prompt.width * image.height
    if abs(rows - columns) > max(_ASKEW * max(rows, columns), _ROUNDED * max(image.width, image.height)):
        raise InputError(
            f"the prompt is {prompt.width}x{prompt.height} and the photo {image.width}x{image.height}: "
            "they do not show the same view",
            hint="turn or crop the prompt as the photo is",
        )


def whole_prompt(prompt: DepthMap, image: Image, *, shape: tuple[int, int]) -> NDArray[np.float32]:
    """A prompt's values without holes, for a photo that is padded below and on the right.

    Unknown pixels and sky get the mean of what is known around them, of the smallest square of 2, 4, 8 … pixels that knows
    anything. So nothing lies beyond what the prompt knows.

    Args:
        prompt: The depth map; it knows at least one pixel.
        image: The photo it goes with.
        shape: Height and width that the photo is padded to.

    Returns:
        float32, higher or wider than the prompt as the padded photo is than the photo; never the same everywhere.
    """
    values = _filled(np.where(prompt.valid, prompt.values, np.float32(0)), prompt.valid)
    below = round(prompt.height * shape[0] / image.height) - prompt.height
    right = round(prompt.width * shape[1] / image.width) - prompt.width
    if values.size == 1:
        right = max(right, 1)  # one pixel alone has no span
    whole = np.pad(values, ((0, below), (0, right)), "edge")
    if whole.min() == whole.max():
        whole[0, 0] += max(abs(whole[0, 0]), np.float32(1)) * np.float32(_LEAST_SPREAD)
    return whole


def _filled(values: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Means over ever larger squares; ``values`` is 0 where nothing is known."""
    if known.all():
        return values
    sums, counts = _halved(values.astype(np.float64)), _halved(known.astype(np.float64))
    means = _filled((sums / np.maximum(counts, 1)).astype(np.float32), counts > 0)
    coarse = np.repeat(np.repeat(means, 2, 0), 2, 1)[: values.shape[0], : values.shape[1]]
    filled: NDArray[np.float32] = np.where(known, values, coarse)
    return filled


def _halved(array: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums over squares of two by two."""
    padded = np.pad(array, ((0, array.shape[0] % 2), (0, array.shape[1] % 2)))
    summed: NDArray[np.float64] = padded.reshape(padded.shape[0] // 2, 2, -1, 2).sum((1, 3))
    return summed
