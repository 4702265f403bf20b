"""Photo and coloured depth laid into one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from leadline.core.errors import InputError
from leadline.core.image import Image
from leadline.core.kind import Freedom
from leadline.core.results import Prediction
from leadline.ops.colour import ColourOptions, picture, value_range

__all__ = ["laid_side_by_side"]

_WIDE = 2.0
"""Photos wider than this many times their height lie above their depth, not beside it."""

LONGEST_PX = 2560
"""Longest side of a panel: a sheet is to look at, and a photo of 24 megapixels beside its depth would be 48."""

_PAPER, _INK = 255, (34, 34, 34)


def laid_side_by_side(predictions: Sequence[Prediction], *, options: ColourOptions) -> NDArray[np.uint8]:
    """The photo, then each prediction's depth with its legend; panoramas one below the other.

    Convention:
        Metric maps of one kind share one range, so that equal colours are equal distances; others have their own.

    Args:
        predictions: At least one, all of one photo.
        options: Colour map and range.

    Returns:
        uint8, shape (H, W, 3); panels of photos longer than 2560 pixels are a whole fraction of their size.

    Raises:
        InputError: There is none, or their photos differ in size.
    """
    if not predictions:
        raise InputError("no prediction was given to lay beside its photo", hint="give at least one")
    sizes = {p.image.rgb_HW3.shape[:2] for p in predictions} | {p.depth.shape for p in predictions}
    if len(sizes) != 1:
        raise InputError(
            f"photos and depths of sizes {sorted(sizes)} are not of one photo", hint="resize them"
        )
    shared = _shared_range(predictions, options)
    step = -(-max(predictions[0].depth.shape) // LONGEST_PX)
    if step > 1:
        predictions = [_thinned(p, step) for p in predictions]
    drawn = (picture(p.depth, options=shared) for p in predictions)
    photo = predictions[0].image
    names = [p.model.name for p in predictions]
    if photo.width > _WIDE * photo.height:
        return np.concatenate([photo.rgb_HW3, *drawn])
    return _row(photo.rgb_HW3, list(drawn), names)


def _thinned(prediction: Prediction, step: int) -> Prediction:
    """A prediction at a whole fraction of its size: photo averaged over squares, depth taken at their corners."""
    from PIL import Image as PilImage

    depth, rgb = prediction.depth, np.asarray(PilImage.fromarray(prediction.image.rgb_HW3).reduce(step))
    height, width = rgb.shape[:2]
    camera = prediction.image.camera.resized(width, height)
    taken = slice(None, None, step)
    small = replace(
        depth,
        values=depth.values[taken, taken],
        valid=depth.valid[taken, taken],
        infinite=depth.infinite[taken, taken],
        camera=depth.camera and depth.camera.resized(width, height),
    )
    return replace(prediction, image=Image(rgb, camera, prediction.image.source), depth=small)


def _shared_range(predictions: Sequence[Prediction], options: ColourOptions) -> ColourOptions:
    depths = [p.depth for p in predictions]
    same = len({depth.kind for depth in depths}) == 1 and depths[0].kind.freedom is Freedom.NONE
    if len(depths) < 2 or not same or not isinstance(options.range, str):
        return options
    spans = [value_range(depth, options=options) for depth in depths if bool(depth.valid.any())]
    if not spans:
        return options
    low, high = min(span[0] for span in spans), max(span[1] for span in spans)
    return options if low == high else replace(options, range=(low, high))


def _row(
    photo_HW3: NDArray[np.uint8], drawn: list[NDArray[np.uint8]], names: Sequence[str]
) -> NDArray[np.uint8]:
    height, width = photo_HW3.shape[:2]
    sheet = np.full((max(len(panel) for panel in drawn), width * (1 + len(drawn)), 3), _PAPER, np.uint8)
    sheet[:height, :width] = photo_HW3
    for column, panel in enumerate(drawn, 1):
        sheet[: len(panel), column * width : (column + 1) * width] = panel
    free = sheet[height:, :width]
    free[:] = _caption(free.shape[1], free.shape[0], names)
    return sheet


def _caption(width: int, height: int, names: Sequence[str]) -> NDArray[np.uint8]:
    """The models' names, from left to right, in the strip under the photo; empty where they do not fit."""
    from PIL import Image, ImageDraw, ImageFont

    strip = Image.new("RGB", (width, height), (_PAPER,) * 3)
    size = round(min(max(11, 0.026 * width), 0.3 * height))
    if size >= 8:
        font = ImageFont.load_default(size)
        text = ", ".join(names)
        if font.getlength(text) <= width - 2 * size:
            ImageDraw.Draw(strip).text((size, height // 2), text, _INK, font, anchor="lm")
    return np.asarray(strip)
