"""SUN RGB-D, with three frames of two sensors."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from leadline.core.camera import Camera
from leadline.testing.layouts.pairs import pairs, save_picture, save_text

__all__ = ["FRAMES", "write"]

FRAMES = (
    "SUNRGBD/kv2/kinect2data/000002_2014-05-26_14-23-37_260595134347_rgbf000103-resize",
    "SUNRGBD/xtion/sun3ddata/brown_bm_1/brown_bm_1/0000103-000003456",
    "SUNRGBD/xtion/sun3ddata/brown_bm_1/brown_bm_1/0000123-000004456",
)
_CAMERA = Camera(52.95, 52.95, 36.5, 26.5, 73, 53)


def write(folder: Path) -> tuple[str, dict[str, str | int | float]]:
    """Frames with rotated bits; the filled depth has no hole, the raw one has.

    Args:
        folder: Where to write.

    Returns:
        Place and options.
    """
    for frame, (rgb, depth) in zip(FRAMES, pairs(_CAMERA), strict=True):
        at = folder / frame
        millimetres = np.rint(depth.values * 1000).astype(np.uint32)
        stored = (((millimetres << 3) | (millimetres >> 13)) & 0xFFFF).astype(np.uint16)
        save_picture(at / "image/0000103.jpg", rgb)
        save_picture(at / "depth_bfx/0000103.png", stored)
        holed = stored.copy()
        holed[10:20, 10:20] = 0
        save_picture(at / "depth/0000103.png", holed)
        save_text(at / "intrinsics.txt", "52.95 0.0 36.5 ", "0.0 52.95 26.5 ", "0.0 0.0 1.0 ")
        save_text(at / "extrinsics/20140526.txt", "1 0 0 0", "0 0.98 0.199 0", "0 -0.199 0.98 0")
        save_text(at / "scene.txt", "office")
    return str(folder), {}
