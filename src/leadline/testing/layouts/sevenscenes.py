"""7-Scenes: two sequences, depth of the depth camera, poses."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from leadline.core.camera import Camera
from leadline.testing.layouts.pairs import pairs, save_picture, save_text

__all__ = ["DEPTH_CAMERA", "write"]

Place = tuple[str, dict[str, str | int | float]]

DEPTH_CAMERA = Camera(585.0, 585.0, 320.0, 240.0, 640, 480)


def write(folder: Path) -> Place:
    """Three frames in two sequences of one scene; the last pose is lost.

    Args:
        folder: Where to write.

    Returns:
        Place and options.
    """
    at = folder / "chess"
    for k, (rgb, depth) in enumerate(pairs(DEPTH_CAMERA)):
        stem = at / f"seq-0{1 + k // 2}/frame-{k:06}"
        save_picture(stem.with_name(stem.name + ".color.png"), rgb)
        stored = np.rint(depth.values * 1000).astype(np.uint16)
        stored[:5] = 65535
        save_picture(stem.with_name(stem.name + ".depth.png"), stored)
        rows = ("nan nan nan nan",) * 4 if k == 2 else ("1 0 0 0.5", "0 1 0 0", "0 0 1 0", "0 0 0 1")
        save_text(stem.with_name(stem.name + ".pose.txt"), *rows)
    save_text(at / "TrainSplit.txt", "sequence1")
    save_text(at / "TestSplit.txt", "sequence2")
    return str(folder), {}
