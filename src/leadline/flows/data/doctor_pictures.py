"""Pictures that show what the data doctor found."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.image import Image
from leadline.ops.colour import ColourOptions, colourise

__all__ = ["levels_picture", "pair_picture"]

_EDGE = (255, 40, 40)


def pair_picture(image: Image, depth: DepthMap) -> NDArray[np.uint8]:
    """The photo, its depth, and the photo with the edges of depth drawn over it in red.

    Args:
        image: The photo.
        depth: Its depth, of the same size.

    Returns:
        uint8 (H, 3 W, 3).
    """
    values = np.where(depth.valid, depth.values, np.nan)
    rise, run = np.gradient(values)
    with np.errstate(invalid="ignore"):
        edge = np.hypot(rise, run) / np.abs(values) > 0.06
    over = image.rgb_HW3.copy()
    over[edge] = _EDGE
    return np.concatenate([image.rgb_HW3, colourise(depth), over], 1)


def levels_picture(image: Image, depth: DepthMap) -> NDArray[np.uint8]:
    """The photo, its depth, and depth in colours that run through the rainbow every 40 cm, so that steps are bands.

    Args:
        image: The photo.
        depth: Its depth, of the same size.

    Returns:
        uint8 (H, 3 W, 3).
    """
    folded = np.where(depth.valid, np.mod(np.nan_to_num(depth.values), 0.4) + 0.01, np.nan)
    bands = DepthMap(folded.astype(np.float32), depth.kind, valid=depth.valid)
    return np.concatenate(
        [image.rgb_HW3, colourise(depth), colourise(bands, options=ColourOptions("turbo", (0.0, 0.42)))], 1
    )
