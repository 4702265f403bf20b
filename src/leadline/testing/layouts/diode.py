"""DIODE: .npy depth with masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from leadline.core.camera import Camera
from leadline.testing.layouts.pairs import pairs, save_picture

__all__ = ["CAMERA", "STEMS", "write"]

Place = tuple[str, dict[str, str | int | float]]

CAMERA = Camera(886.81, 927.06, 512.0, 384.0, 1024, 768)
STEMS = (
    "val/indoors/scene_00019/scan_00183/00019_00183_indoors_000_010",
    "val/indoors/scene_00020/scan_00184/00020_00184_indoors_010_020",
    "val/outdoor/scene_00022/scan_00193/00022_00193_outdoor_000_000",
)


def write(folder: Path) -> Place:
    """Two frames indoors and one outdoors, whose masks leave a border out.

    Args:
        folder: Where to write.

    Returns:
        Place and options.
    """
    for stem, (rgb, depth) in zip(STEMS, pairs(CAMERA), strict=True):
        save_picture(folder / f"{stem}.png", rgb)
        mask = np.zeros((768, 1024), np.float32)
        mask[8:-8, 8:-8] = 1
        stored = np.where(mask > 0, depth.values, 0).astype(np.float32)
        np.save(folder / f"{stem}_depth.npy", stored[..., None])
        np.save(folder / f"{stem}_depth_mask.npy", mask)
    return str(folder), {}
