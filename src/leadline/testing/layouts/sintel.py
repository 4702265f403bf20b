"""MPI Sintel: .dpt depth and .cam cameras."""

from __future__ import annotations

import struct
from pathlib import Path

from leadline.core.camera import Camera
from leadline.testing.layouts.pairs import pairs, save_picture

__all__ = ["CAMERA", "write"]

Place = tuple[str, dict[str, str | int | float]]

CAMERA = Camera(112.0, 112.0, 51.1, 21.8, 102, 43)


def write(folder: Path) -> Place:
    """Three frames of two scenes, the second without a camera file.

    Args:
        folder: Where to write.

    Returns:
        Place and options.
    """
    tag = struct.pack("<f", 202021.25)
    for k, (rgb, depth) in enumerate(pairs(CAMERA)):
        stem = f"alley_1/frame_{k + 1:04}" if k < 2 else "market_2/frame_0001"
        for render in ("clean", "final"):
            save_picture(folder / f"training/{render}/{stem}.png", rgb)
        path = folder / f"training/depth/{stem}.dpt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tag + struct.pack("<ii", 102, 43) + depth.values.astype("<f4").tobytes())
        if k < 2:
            path = folder / f"training/camdata_left/{stem}.cam"
            path.parent.mkdir(parents=True, exist_ok=True)
            pose = [1.0, 0, 0, 2.0 + k, 0, 1, 0, 0, 0, 0, 1, 0]
            path.write_bytes(tag + struct.pack("<21d", *CAMERA.matrix.ravel(), *pose))
    return str(folder), {}
