"""Hypersim: ray lengths in HDF5."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from leadline.core.camera import Camera
from leadline.ops.geometry import to_ray
from leadline.plugins.need import need
from leadline.testing.layouts.pairs import pairs, save_picture, save_text

__all__ = ["CAMERA", "write"]

Place = tuple[str, dict[str, str | int | float]]

CAMERA = Camera.centred(886.81 / 1024 * 64, 64, 48)


def write(folder: Path) -> Place:
    """Three frames of two scenes, with the public split; a fourth is left out of the public release.

    Args:
        folder: Where to write.

    Returns:
        Place and options.
    """
    h5py = need("h5py", who="this layout", extra="data")
    rows = ["scene_name,camera_name,frame_id,included_in_public_release,exclude_reason,split_partition_name"]
    for k, (rgb, depth) in enumerate([*pairs(CAMERA), *pairs(CAMERA, count=1)]):
        scene, number = ("ai_001_001", k) if k < 2 else ("ai_002_003", k)
        at = folder / scene / "images"
        save_picture(at / f"scene_cam_00_final_preview/frame.{number:04}.tonemap.jpg", rgb)
        (at / "scene_cam_00_geometry_hdf5").mkdir(parents=True, exist_ok=True)
        length = to_ray(depth).values.copy()
        length[:3, :3] = np.nan
        with h5py.File(at / f"scene_cam_00_geometry_hdf5/frame.{number:04}.depth_meters.hdf5", "w") as file:
            file["dataset"] = length
        split = "train" if k < 2 else "test"
        rows.append(f"{scene},cam_00,{number},{k < 3},,{split if k < 3 else ''}")
    save_text(folder / "metadata_images_split_scene_v1.csv", *rows)
    return str(folder), {}
