"""A drawn view of the default recipe, taken in as few passes over the pixels as give exactly albumentations' result.

Crop and flip come first, because the colour changes act on each pixel alone; brightness, contrast and gamma are one
table; shifts of hue, saturation and value are one table in HSV.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.augment.recipe import Drawn, Recipe
from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.image import Image
from leadline.plugins.need import need

__all__ = ["recoloured", "reframed"]


def reframed(
    image: Image, truth: DepthMap, *, drawn: Drawn, recipe: Recipe, cv2: Any
) -> tuple[Image, DepthMap]:
    """Crop and flip of a photo and its depth, with their cameras.

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
        window = array[part]
        window = cv2.flip(window, 1) if drawn.flip else np.ascontiguousarray(window)
        window.flags.writeable = False
        return window

    def seen(camera: Camera) -> Camera:
        camera = camera.cropped(left, drawn.top, columns, rows)
        return camera.flipped() if drawn.flip else camera

    valid, infinite = (cut(mask.view(np.uint8)).view(np.bool_) for mask in (truth.valid, truth.infinite))
    camera = None if truth.camera is None else seen(truth.camera)
    photo = Image(cut(image.rgb_HW3), seen(image.camera), image.source)
    return photo, replace(truth, values=cut(truth.values), valid=valid, infinite=infinite, camera=camera)


def recoloured(image: Image, *, drawn: Drawn, cv2: Any) -> Image:
    """A photo with brightness, contrast, gamma, hue and saturation changed.

    Args:
        image: The photo.
        drawn: What was drawn.
        cv2: The OpenCV module.

    Returns:
        The photo; the very same one where nothing changes.
    """
    table, shifts = _tones(drawn), drawn.colour
    if table is None and not (shifts and any(shifts)):
        return image
    pixels = image.rgb_HW3.copy()
    if table is not None:
        _translate(pixels, table)
    if shifts and any(shifts):
        planes = cv2.split(cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV, dst=pixels))
        for plane, shifted in zip(planes, _shifts(shifts), strict=True):
            _translate(plane, shifted)
        cv2.cvtColor(cv2.merge(planes, dst=pixels), cv2.COLOR_HSV2RGB, dst=pixels)
    pixels.flags.writeable = False
    return Image(pixels, image.camera, image.source)


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
