"""NYU Depth V2's layouts, with three frames each."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from leadline.core.camera import Camera
from leadline.plugins.need import need
from leadline.testing.layouts.pairs import pairs, save_picture, save_text

__all__ = ["SCENES", "write", "write_densedepth", "write_h5", "write_mirrored", "write_raw", "write_sync"]

SCENES = ("kitchen_0001", "kitchen_0001", "bedroom_0004")
_CAMERA = Camera(518.8579, 519.4696, 325.5824, 253.7362, 640, 480)
Place = tuple[str, dict[str, str | int | float]]


def write(folder: Path) -> Place:
    """The labelled .mat: HDF5 with MATLAB's axes. Filled and raw depth differ by a hole in the raw one.

    Args:
        folder: Where to write.

    Returns:
        Place and options.
    """
    h5py = need("h5py", who="this layout", extra="data")
    path = folder / "nyu_depth_v2_labeled.mat"
    made = list(pairs(_CAMERA))
    with h5py.File(path, "w") as file:
        file["images"] = np.stack([rgb.transpose(2, 1, 0) for rgb, _ in made])
        depths = np.stack([depth.values.T for _, depth in made])
        file["depths"] = depths
        raw = depths.copy()
        raw[:, 100:120, 50:80] = 0
        file["rawDepths"] = raw
        names = file.create_dataset("scenes", (1, 3), h5py.ref_dtype)
        for k, scene in enumerate(SCENES):
            letters = file.create_dataset(f"#refs#/{k}", data=np.array([[ord(c)] for c in scene], np.uint16))
            names[0, k] = letters.ref
    return str(path), {}


def write_h5(folder: Path) -> Place:
    """One .h5 file a frame, in scene folders."""
    h5py = need("h5py", who="this layout", extra="data")
    names = ("train/kitchen_0001/00001.h5", "train/kitchen_0001/00006.h5", "val/official/00001.h5")
    for name, (rgb, depth) in zip(names, pairs(_CAMERA), strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with h5py.File(folder / name, "w") as file:
            file["rgb"], file["depth"] = rgb.transpose(2, 0, 1), depth.values
    return str(folder), {"layout": "h5"}


def write_densedepth(folder: Path) -> Place:
    """DenseDepth's lists with 8-bit training depth and 16-bit test depth."""
    made = list(pairs(_CAMERA))
    for k, (rgb, depth) in enumerate(made[:2], 1):
        save_picture(folder / f"data/nyu2_train/kitchen_0001_out/{k}.jpg", rgb)
        eight = np.rint(np.minimum(depth.values * 25.5, 255)).astype(np.uint8)
        save_picture(folder / f"data/nyu2_train/kitchen_0001_out/{k}.png", eight)
    save_picture(folder / "data/nyu2_test/00000_colors.png", made[2][0])
    save_picture(
        folder / "data/nyu2_test/00000_depth.png", np.rint(made[2][1].values * 1000).astype(np.uint16)
    )
    stem = "data/nyu2_train/kitchen_0001_out"
    save_text(folder / "data/nyu2_train.csv", *(f"{stem}/{k}.jpg,{stem}/{k}.png" for k in (1, 2)))
    save_text(folder / "data/nyu2_test.csv", "data/nyu2_test/00000_colors.png,data/nyu2_test/00000_depth.png")
    return str(folder), {"layout": "densedepth"}


def write_sync(folder: Path) -> Place:
    """Scene folders of rgb_*.jpg and sync_depth_*.png."""
    for k, (rgb, depth) in enumerate(pairs(_CAMERA)):
        save_picture(folder / f"{SCENES[k]}/rgb_{k:05}.jpg", rgb)
        stored = np.rint(depth.values * 1000).astype(np.uint16)
        save_picture(folder / f"{SCENES[k]}/sync_depth_{k:05}.png", stored)
    return str(folder), {"layout": "sync"}


def write_mirrored(folder: Path) -> Place:
    """Mirrored 8-bit folders."""
    for k, (rgb, depth) in enumerate(pairs(_CAMERA)):
        save_picture(folder / f"image/{k:04}.jpg", rgb[:, ::-1])
        stored = np.clip(np.rint(depth.values * 255 / 9.99547 - 0.5), 0, 255).astype(np.uint8)
        save_picture(folder / f"depth/{k:04}.png", stored[:, ::-1])
    return str(folder), {"layout": "mirrored"}


def write_raw(folder: Path) -> Place:
    """Raw Kinect frames: little-endian PGM whose header promises the other end."""
    for k, (rgb, depth) in enumerate(pairs(_CAMERA)):
        scene = folder / SCENES[0]
        save_picture(scene / f"r-{1300000000 + k}.500000-{k}.ppm", rgb)
        stored = np.rint(1092.5 - 351.3 / depth.values).astype("<u2")
        (scene / f"d-{1300000000 + k}.520000-{k}.pgm").write_bytes(b"P5\n640 480\n65535\n" + stored.tobytes())
    return str(folder), {"layout": "raw"}
