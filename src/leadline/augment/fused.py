"""A drawn view of the default recipe, taken in as few passes over the pixels as give exactly albumentations' result.

Crop and flip come first, because the colour changes act on each pixel alone; brightness, contrast and gamma are one
table; shifts of hue, saturation and value are one table in HSV.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.augment.recipe import Drawn, Recipe
from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.image import Image
from leadline.plugins.need import need

__all__ = ["taken"]


def taken(image: Image, truth: DepthMap, *, drawn: Drawn, recipe: Recipe, cv2: Any) -> tuple[Image, DepthMap]:
    """A drawn view of a photo and its depth, with their cameras.

    Args:
        image: The photo, at least as large as the crop.
        truth: Its depth, of the same size.
        drawn: What was drawn.
        recipe: The size of the crop.
        cv2: The OpenCV module.

    Returns:
        Photo and depth.
    """
    rows, columns = (recipe.rows, recipe.columns) if recipe.rows else (image.height, image.width)
    left = image.width - columns - drawn.left if drawn.flip else drawn.left
    part = np.s_[drawn.top : drawn.top + rows, left : left + columns]

    def cut(array: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(cv2.flip(array[part], 1)) if drawn.flip else array[part]

    def seen(camera: Camera) -> Camera:
        camera = camera.cropped(left, drawn.top, columns, rows)
        return camera.flipped() if drawn.flip else camera

    window = cut(image.rgb_HW3)
    pixels = _recoloured(window if drawn.flip else window.copy(), drawn, cv2)
    pixels.flags.writeable = False
    depth = truth.taken(
        cut(truth.values),
        valid=cut(truth.valid.view(np.uint8)).view(np.bool_),
        infinite=cut(truth.infinite.view(np.uint8)).view(np.bool_),
        camera=None if truth.camera is None else seen(truth.camera),
    )
    return Image(pixels, seen(image.camera), image.source), depth


def _recoloured(pixels: NDArray[np.uint8], drawn: Drawn, cv2: Any) -> NDArray[np.uint8]:
    """Brightness, contrast, gamma, hue and saturation changed in place."""
    table = _tones(drawn)
    if table is not None:
        _translate(pixels, table)
    if drawn.colour is not None and any(drawn.colour):
        planes = cv2.split(cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV, dst=pixels))
        for plane, shifted in zip(planes, _shifts(drawn.colour), strict=True):
            _translate(plane, shifted)
        cv2.cvtColor(cv2.merge(planes, dst=pixels), cv2.COLOR_HSV2RGB, dst=pixels)
    return pixels


def _translate(pixels: NDArray[np.uint8], table: NDArray[np.uint8]) -> None:
    """Looks every byte up, in place; the library that albumentations uses does it ten times faster than OpenCV."""
    stringzilla = need("stringzilla", who="augmentation", extra="augment")
    stringzilla.translate(pixels.data, table.data, inplace=True)


def _tones(drawn: Drawn) -> NDArray[np.uint8] | None:
    table: NDArray[np.uint8] | None = None
    if drawn.tone is not None:
        factor, summand = drawn.tone
        changed = np.arange(256, dtype=np.float32) * factor + summand
        table = np.clip(changed, 0, 255).astype(np.uint8)
    if drawn.gamma is not None:
        curve = (np.arange(0, 256.0 / 255, 1.0 / 255) ** drawn.gamma * 255).astype(np.uint8)
        table = curve if table is None else curve[table]
    return table


def _shifts(colour: tuple[float, float, float]) -> tuple[NDArray[np.uint8], ...]:
    hue, saturation, value = colour
    steps = np.arange(256)
    hues = np.mod(steps + hue, 180) if hue else steps
    saturations, values = (np.clip(_shifted(steps, by), 0, 255) for by in (saturation, value))
    saturations[0] = 0  # grey stays grey
    return tuple(table.astype(np.uint8) for table in (hues, saturations, values))


def _shifted(steps: NDArray[Any], shift: float) -> NDArray[Any]:
    """Whole steps, cut off towards zero, as albumentations does for bytes."""
    return steps + int(shift)
