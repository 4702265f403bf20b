"""ARKitScenes: photos, LiDAR depth, intrinsics a frame, a trajectory."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from leadline.core.camera import Camera
from leadline.testing.layouts.pairs import pairs, save_picture, save_text

__all__ = ["CAMERA", "write"]

Place = tuple[str, dict[str, str | int | float]]

CAMERA = Camera(53.4, 53.4, 31.2, 23.6, 64, 48)


def write(folder: Path) -> Place:
    """Three frames of one video; a fourth photo has no depth.

    Args:
        folder: Where to write.

    Returns:
        Place and options.
    """
    at = folder / "Validation/41069021"
    for k, (rgb, depth) in enumerate(pairs(CAMERA)):
        stem = f"41069021_30{k}.377"
        save_picture(at / f"lowres_wide/{stem}.png", rgb)
        save_picture(at / f"lowres_depth/{stem}.png", np.rint(depth.values * 1000).astype(np.uint16))
        save_text(at / f"lowres_wide_intrinsics/{stem}.pincam", "64 48 53.4 53.4 31.2 23.6")
    save_picture(at / "lowres_wide/41069021_309.377.png", rgb)
    save_text(at / "lowres_wide_intrinsics/41069021_309.377.pincam", "64 48 53.4 53.4 31.2 23.6")
    save_text(at / "lowres_wide.traj", *(f"30{k}.380 0 0 1.5707963267948966 1 0 {k}" for k in range(3)))
    return str(folder), {}
