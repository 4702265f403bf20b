"""Middlebury stereo: disparity as PFM, calibration beside."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.testing.layouts.pairs import pairs, save_picture, save_text

__all__ = ["CAMERA", "write", "write_scene"]

Place = tuple[str, dict[str, str | int | float]]

CAMERA = Camera(60.0, 60.0, 31.0, 22.0, 64, 48)


def write_scene(
    at: Path, rgb: np.ndarray, depth: DepthMap, *extra: str, disparity: str = "disp0.pfm"
) -> None:
    """One scene: Z = f · baseline / (d + doffs), with an unknown corner.

    Args:
        at: Its folder.
        rgb: Photo.
        depth: Metres.
        *extra: Further lines of the calibration.
        disparity: Name of the disparity file.
    """
    save_picture(at / "im0.png", rgb)
    stored = (60.0 * 0.2 / depth.values - 3.5).astype("<f4")
    stored[:4, :4] = np.inf
    (at / disparity).write_bytes(b"Pf\n64 48\n-1.0\n" + stored[::-1].tobytes())
    lines = (
        "cam0=[60 0 31; 0 60 22; 0 0 1]",
        "cam1=[60 0 34.5; 0 60 22; 0 0 1]",
        "doffs=3.5",
        "baseline=200",
    )
    save_text(at / "calib.txt", *lines, "width=64", "height=48", *extra)


def write(folder: Path) -> Place:
    """Three scenes.

    Args:
        folder: Where to write.

    Returns:
        Place and options.
    """
    for name, (rgb, depth) in zip(("Adirondack", "Piano", "Pipes"), pairs(CAMERA), strict=True):
        write_scene(folder / name, rgb, depth, "ndisp=28", "isint=0", "vmin=3", "vmax=23")
    return str(folder), {}
