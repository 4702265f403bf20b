"""TUM RGB-D: lists with times, depth in 1/5000 m, poses."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from leadline.core.camera import Camera
from leadline.testing.layouts.pairs import pairs, save_picture, save_text

__all__ = ["CAMERA", "write"]

Place = tuple[str, dict[str, str | int | float]]

CAMERA = Camera(535.4, 539.2, 320.1, 247.6, 640, 480)


def write(folder: Path) -> Place:
    """A freiburg3 sequence of three pairs; one more photo has no depth near it in time.

    Args:
        folder: Where to write.

    Returns:
        Place and options.
    """
    at = folder / "rgbd_dataset_freiburg3_made"
    for k, (rgb, depth) in enumerate(pairs(CAMERA)):
        save_picture(at / f"rgb/{k}.100000.png", rgb)
        save_picture(at / f"depth/{k}.110000.png", np.rint(depth.values * 5000).astype(np.uint16))
    save_picture(at / "rgb/9.500000.png", rgb)
    head = ("# color images", "# file: 'made'", "# timestamp filename")
    save_text(
        at / "rgb.txt", *head, *(f"{t} rgb/{t}.png" for t in ("0.100000", "1.100000", "2.100000", "9.500000"))
    )
    save_text(at / "depth.txt", *head, *(f"{k}.110000 depth/{k}.110000.png" for k in range(3)))
    turn = "0 0 0.7071067811865476 0.7071067811865476"
    save_text(at / "groundtruth.txt", "# ground truth", *(f"{k}.1050 {k} 2 3 {turn}" for k in range(3)))
    return str(at), {}
