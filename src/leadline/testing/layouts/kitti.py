"""KITTI: a raw drive whose scanner sees a wall, with its calibration; the benchmark's forms beside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.testing.layouts.pairs import pairs, save_picture, save_text

__all__ = ["CAMERA", "DRIVE", "T_CAMERA_VELO", "write", "write_annotated", "write_cropped"]

DRIVE = "2011_09_26_drive_0001_sync"
CAMERA = Camera(72.0, 72.0, 61.0, 17.0, 124, 37)
T_CAMERA_VELO = np.array(
    [[0.0, -1.0, 0.0, 0.0], [0.0, 0.0, -1.0, -0.08], [1.0, 0.0, 0.0, -0.27], [0.0, 0.0, 0.0, 1.0]]
)
_TX = 4.3
Place = tuple[str, dict[str, str | int | float]]


def _numbers(array: NDArray[np.float64]) -> str:
    return " ".join(f"{value:.12e}" for value in array.ravel())


def _calibration(folder: Path) -> None:
    K = CAMERA.matrix
    shifted = np.concatenate([K, [[_TX], [0.0], [0.0]]], 1)
    save_text(
        folder / "2011_09_26/calib_cam_to_cam.txt",
        "calib_time: 09-Jan-2012 13:57:47",
        f"R_rect_00: {_numbers(np.eye(3))}",
        f"P_rect_02: {_numbers(shifted)}",
        f"P_rect_03: {_numbers(shifted)}",
    )
    save_text(
        folder / "2011_09_26/calib_velo_to_cam.txt",
        f"R: {_numbers(T_CAMERA_VELO[:3, :3])}",
        f"T: {_numbers(T_CAMERA_VELO[:3, 3])}",
    )


def write(folder: Path) -> Place:
    """Raw: for each pixel one point of the closed-form wall, and one farther behind it that must not win.

    Args:
        folder: Where to write.

    Returns:
        Place and options.
    """
    _calibration(folder)
    drive = folder / "2011_09_26" / DRIVE
    to_velo = np.linalg.inv(T_CAMERA_VELO)
    for k, (rgb, depth) in enumerate(pairs(CAMERA)):
        save_picture(drive / f"image_02/data/{k:010}.png", rgb)
        v, u = np.mgrid[: CAMERA.height, : CAMERA.width]
        points = []
        for z in (depth.values, depth.values + 5):
            x = (z * (u - CAMERA.cx) - _TX) / CAMERA.fx
            y = z * (v - CAMERA.cy) / CAMERA.fy
            points.append(np.stack([x, y, z, np.ones_like(z)], -1).reshape(-1, 4))
        velo = np.concatenate(points) @ to_velo.T
        velo[:, 3] = 0.5
        (drive / "velodyne_points/data").mkdir(parents=True, exist_ok=True)
        (drive / f"velodyne_points/data/{k:010}.bin").write_bytes(velo.astype(np.float32).tobytes())
    return str(folder), {}


def write_annotated(folder: Path) -> Place:
    """The depth benchmark's annotated PNGs, for frames whose photos lie in the raw layout."""
    _calibration(folder)
    for k, (rgb, depth) in enumerate(pairs(CAMERA)):
        save_picture(folder / f"2011_09_26/{DRIVE}/image_02/data/{k:010}.png", rgb)
        if k:
            stored = np.rint(depth.values * 256).astype(np.uint16)
            save_picture(folder / f"train/{DRIVE}/proj_depth/groundtruth/image_02/{k:010}.png", stored)
    return str(folder), {}


def write_cropped(folder: Path) -> Place:
    """The benchmark's selection: photos, depth and intrinsics in three folders."""
    at = folder / "val_selection_cropped"
    for k, (rgb, depth) in enumerate(pairs(CAMERA)):
        name = f"{DRIVE}_image_{k:010}_image_02"
        save_picture(at / f"image/{name}.png", rgb)
        stored = np.rint(depth.values * 256).astype(np.uint16)
        save_picture(
            at / f"groundtruth_depth/{name.replace('_image_0000', '_groundtruth_depth_0000')}.png", stored
        )
        save_text(at / f"intrinsics/{name}.txt", _numbers(CAMERA.matrix))
    return str(folder), {}
