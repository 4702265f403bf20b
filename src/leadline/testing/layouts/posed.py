"""Posed frames as deep-video-mvs exports them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from leadline.core.camera import Camera
from leadline.testing.layouts.pairs import pairs, save_picture, save_text

__all__ = ["CAMERA", "write"]

Place = tuple[str, dict[str, str | int | float]]

CAMERA = Camera(49.5, 49.5, 27.0, 17.0, 54, 36)


def write(folder: Path) -> Place:
    """Three frames whose numbers begin at 3, and more poses than frames.

    Args:
        folder: Where to write.

    Returns:
        Place and options.
    """
    for k, (rgb, depth) in enumerate(pairs(CAMERA), 3):
        save_picture(folder / f"images/{k:05}.png", rgb)
        save_picture(folder / f"depth/{k:05}.png", np.rint(depth.values * 1000).astype(np.uint16))
    save_text(folder / "K.txt", *(" ".join(map(str, row)) for row in CAMERA.matrix))
    save_text(folder / "poses.txt", *(f"1 0 0 {k} 0 1 0 0 0 0 1 0 0 0 0 1" for k in range(5)))
    return str(folder), {}
