"""ETH3D two-view: like Middlebury's, with its own marks."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from leadline.testing.layouts.middlebury import CAMERA, write_scene
from leadline.testing.layouts.pairs import pairs, save_picture

__all__ = ["write"]

Place = tuple[str, dict[str, str | int | float]]


def write(folder: Path) -> Place:
    """Three scenes with ground truth and the mask of what both cameras see.

    Args:
        folder: Where to write.

    Returns:
        Place and options.
    """
    for name, (rgb, depth) in zip(
        ("delivery_area_1l", "forest_1s", "terrains_1l"), pairs(CAMERA), strict=True
    ):
        write_scene(folder / name, rgb, depth, "ndisp=64", disparity="disp0GT.pfm")
        mask = np.full((48, 64), 255, np.uint8)
        mask[:, :10] = 128
        save_picture(folder / name / "mask0nocc.png", mask)
    return str(folder), {}
