"""A plain folder of photos and depths."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from leadline.core.camera import Camera
from leadline.testing.layouts.pairs import pairs, save_picture

__all__ = ["CAMERA", "write"]

CAMERA = Camera(52.0, 53.0, 31.0, 22.0, 64, 48)


def write(folder: Path) -> tuple[str, dict[str, str | int | float]]:
    """Three pairs in two folders, in millimetres.

    Args:
        folder: Where to write.

    Returns:
        Place and options.
    """
    for k, (rgb, depth) in enumerate(pairs(CAMERA)):
        save_picture(folder / f"rgb/room_{k}_color.png", rgb)
        save_picture(folder / f"depth/room_{k}_depth.png", np.rint(depth.values * 1000).astype(np.uint16))
    return str(folder), {"encoding": "mm", "camera": "52,53,31,22"}
