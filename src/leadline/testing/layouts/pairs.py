"""Photos and depths in closed form, from which the layouts are made."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.testing.scenes import plane

__all__ = ["pairs", "save_picture", "save_text"]


def pairs(camera: Camera, *, count: int = 3) -> Iterator[tuple[NDArray[np.uint8], DepthMap]]:
    """Photos of waves with the depth of a slanted wall, each at another distance.

    Args:
        camera: Who sees them.
        count: How many.

    Yields:
        Pixels uint8 (H, W, 3) and metric depth.
    """
    for k in range(count):
        lean = 0.1 * (k + 1)
        wall = plane(camera, normal=(math.sin(lean), 0.0, math.cos(lean)), distance_m=2.0 + 0.5 * k)
        yield _waves(camera, k), wall


def _waves(camera: Camera, number: int) -> NDArray[np.uint8]:
    v, u = np.mgrid[: camera.height, : camera.width]
    planes = [127 + 100 * np.sin(u / (9 + channel) + v / (13 + number) + number) for channel in range(3)]
    return np.stack(planes, -1).astype(np.uint8)


def save_picture(path: Path, pixels: NDArray[np.generic]) -> None:
    """Writes an array as a picture whose format the name says; missing folders are made.

    Args:
        path: The file.
        pixels: What PIL can store: uint8, uint16 or float32.
    """
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(np.asarray(pixels))
    if path.suffix == ".jpg":
        picture.save(path, quality=95)
    else:
        picture.save(path)


def save_text(path: Path, *lines: str) -> None:
    """Writes lines of text; missing folders are made.

    Args:
        path: The file.
        *lines: Its lines.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
