"""Redwood and Open3D folders."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from leadline.core.camera import Camera
from leadline.testing.layouts.pairs import pairs, save_picture, save_text

__all__ = ["CAMERA", "write"]

Place = tuple[str, dict[str, str | int | float]]

CAMERA = Camera(50.0, 51.0, 31.0, 23.5, 64, 48)


def write(folder: Path) -> Place:
    """One sequence with intrinsics in its folder and a trajectory.

    Args:
        folder: Where to write.

    Returns:
        Place and options.
    """
    at = folder / "livingroom1"
    blocks = []
    for k, (rgb, depth) in enumerate(pairs(CAMERA)):
        save_picture(at / f"color/{k:05}.jpg", rgb)
        save_picture(at / f"depth/{k:05}.png", np.rint(depth.values * 1000).astype(np.uint16))
        blocks += [f"{k} {k} {k + 1}", f"1 0 0 {k}", "0 1 0 0", "0 0 1 0", "0 0 0 1"]
    save_text(at / "trajectory.log", *blocks)
    matrix = list(CAMERA.matrix.T.ravel())
    save_text(
        at / "camera_intrinsic.json", json.dumps({"width": 64, "height": 48, "intrinsic_matrix": matrix})
    )
    return str(folder), {}
