"""ScanNet as its SensReader exports it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from leadline.core.camera import Camera
from leadline.testing.layouts.pairs import pairs, save_picture, save_text

__all__ = ["CAMERA", "write"]

Place = tuple[str, dict[str, str | int | float]]

CAMERA = Camera(116.9, 116.9, 64.2, 48.0, 128, 96)


def write(folder: Path) -> Place:
    """Photos of 128x96 with depth of half that size; one pose is lost.

    Args:
        folder: Where to write.

    Returns:
        Place and options.
    """
    half = CAMERA.resized(64, 48)
    for k, ((rgb, _), (_, depth)) in enumerate(zip(pairs(CAMERA), pairs(half), strict=True)):
        at = folder / ("scans/scene0000_00" if k < 2 else "scans/scene0001_00")
        save_picture(at / f"color/{10 * k}.jpg", rgb)
        save_picture(at / f"depth/{10 * k}.png", np.rint(depth.values * 1000).astype(np.uint16))
        rows = ("-inf -inf -inf -inf",) * 4 if k == 1 else ("1 0 0 0.5", "0 1 0 0", "0 0 1 0", "0 0 0 1")
        save_text(at / f"pose/{10 * k}.txt", *rows)
        matrix = ("116.9 0 64.2 0", "0 116.9 48 0", "0 0 1 0", "0 0 0 1")
        save_text(at / "intrinsic/intrinsic_color.txt", *matrix)
    save_text(folder / "scannetv2_val.txt", "scene0001_00")
    return str(folder), {}
