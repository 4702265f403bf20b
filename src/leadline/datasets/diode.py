"""DIODE (Vasiljevic et al., 2019): indoors and outdoors with a laser scanner, as .npy depth with a mask.

Depth is in metres. The paper gives one camera for all: fx 886.81, fy 927.06, cx 512, cy 384 for 1024x768; the scanner's
renderings hold depth along the axis. Where the mask is 0 the number beside it means nothing. The published camera is doubted:
walls only meet at right angles with 42° across instead of 60° (the set's own development kit, issue 20), so points made
with it are bent; depth itself is not touched by that.

The Keras U-Net tutorial (Basu, "Monocular depth estimation") trains on a target of its own making; ``target=unet-tutorial``
gives the truth in metres that its construction amounts to, and ``unet_tutorial_target`` the very numbers its network sees.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError
from leadline.core.kind import Kind
from leadline.core.sample import Entry, Sample
from leadline.datasets.frames import Frames, read_photo
from leadline.io.arrays import array_of
from leadline.io.trees import Tree
from leadline.plugins.specs import DatasetOption, DatasetSpec

__all__ = ["CAMERA", "SPEC", "Diode", "recognise", "unet_tutorial_target"]

CAMERA = Camera(886.81, 927.06, 512.0, 384.0, 1024, 768)
_MIN_M, _MAX_M, _LOG_FLOOR = 0.1, 300.0, 0.1

SPEC = DatasetSpec(
    name="diode",
    adapter="leadline.datasets.diode:Diode",
    recognise="leadline.datasets.diode:recognise",
    summary="DIODE: indoors and outdoors, laser-scanned depth with masks",
    licence="MIT",
    layout="""[train|val/]indoors|outdoor/scene_00019/scan_00183/00019_00183_indoors_000_010.png
                                                  …_depth.npy         metres, (768, 1024, 1)
                                                  …_depth_mask.npy    1: known""",
    options=(
        DatasetOption("part", "Which part.", "all", ("all", "indoors", "outdoor")),
        DatasetOption(
            "target",
            "Metres as measured, or as the Keras U-Net tutorial clips them.",
            "metres",
            ("metres", "unet-tutorial"),
        ),
    ),
    paper="https://diode-dataset.org/",
)


def recognise(tree: Tree) -> str:
    """Says why a place is DIODE, or nothing."""
    name = tree.first("**/*_depth_mask.npy")
    return f"{name}, depth with a mask" if name else ""


class Diode(Frames):
    """DIODE frames.

    Args:
        tree: The set or a part of it.
        part: ``"indoors"``, ``"outdoor"`` or ``"all"``.
        target: ``"metres"`` or ``"unet-tutorial"``.

    Raises:
        DatasetError: A photo lacks its depth or mask.
    """

    def __init__(self, tree: Tree, *, part: str = "all", target: str = "metres") -> None:
        self.target = target
        entries = []
        for mask in tree.match("**/*_depth_mask.npy"):
            stem = mask.removesuffix("_depth_mask.npy")
            files = (f"{stem}.png", f"{stem}_depth.npy", mask)
            lacking = [name for name in files if name not in tree]
            if lacking:
                raise DatasetError(
                    f"{tree.called(lacking[0])!r} is not there", hint="unpack the archive again"
                )
            if part == "all" or f"_{part}" in stem:
                entries.append(_entry(stem, files))
        super().__init__(tree, entries)

    def _sample(self, entry: Entry) -> Sample:
        _, depth, mask = (self.tree.called(name) for name in entry.files)
        metres = _plane(array_of(self.tree.read(entry.files[1]), depth), depth).astype(np.float32)
        known = _plane(array_of(self.tree.read(entry.files[2]), mask), mask).astype(np.float32) > 0
        if known.shape != metres.shape:
            raise DatasetError(f"{mask!r} is {known.shape}, its depth {metres.shape}", hint="copy both again")
        if self.target == "unet-tutorial":
            metres = np.exp(_clipped_log(metres, known)).astype(np.float32)
        known &= np.isfinite(metres) & (metres > 0)
        camera = CAMERA.resized(metres.shape[1], metres.shape[0])
        image = read_photo(self.tree, entry.files[0], camera=camera)
        truth = DepthMap(metres, Kind(), valid=known, camera=camera)
        return Sample(entry.id, image, truth, entry.scene, entry.split)


def unet_tutorial_target(
    depth_m: NDArray[np.float32], mask: NDArray[np.bool_], *, size: tuple[int, int] = (256, 256)
) -> NDArray[np.float32]:
    """The Keras U-Net tutorial's training target, step by step as its code makes it.

    Convention:
        Depth is clipped to [0.1, min(300, its 99th percentile)], its logarithm taken where the mask holds, all of it
        clipped to [0.1, log of that maximum], and resized bilinearly without antialiasing, masked pixels and all.
        Outside the mask the tutorial's ``np.log(depth, where=mask)`` leaves memory as it was found; here the clipped
        depth itself stands there (0.1 for the zeros of holes), so that the target is the same each time.

    Args:
        depth_m: Metres, (H, W).
        mask: Where they are known.
        size: Width and height of the result.

    Returns:
        float32 (height, width), natural logarithms of metres.
    """
    limit = _limit(depth_m)
    clipped = np.clip(depth_m, _MIN_M, limit).astype(np.float32)
    logs = np.where(mask, np.log(clipped), clipped)
    # A masked array's clip clips what is masked too, and cv2.resize does not know of the mask.
    return _bilinear(np.clip(logs, _LOG_FLOOR, math.log(limit)).astype(np.float32), size)


def _limit(depth_m: NDArray[np.float32]) -> float:
    return float(max(min(_MAX_M, float(np.percentile(depth_m, 99))), math.exp(_LOG_FLOOR) * 1.001))


def _clipped_log(depth_m: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    limit = _limit(depth_m)
    logs = np.log(np.clip(np.where(known, depth_m, 1.0), _MIN_M, limit))
    return np.asarray(np.clip(logs, _LOG_FLOOR, math.log(limit)), np.float64)


def _bilinear(plane: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Bilinear samples at pixel centres, edges repeated, as OpenCV's INTER_LINEAR."""
    (height, width), (columns, rows) = plane.shape, size
    y = np.clip((np.arange(rows) + 0.5) * height / rows - 0.5, 0, height - 1)
    x = np.clip((np.arange(columns) + 0.5) * width / columns - 0.5, 0, width - 1)
    top, left = np.floor(y).astype(int), np.floor(x).astype(int)
    low, right = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    fy, fx = (y - top)[:, None], (x - left)[None]
    above = plane[np.ix_(top, left)] * (1 - fx) + plane[np.ix_(top, right)] * fx
    below = plane[np.ix_(low, left)] * (1 - fx) + plane[np.ix_(low, right)] * fx
    return np.asarray(above * (1 - fy) + below * fy, np.float32)


def _plane(array: NDArray[Any], name: str) -> NDArray[Any]:
    plane = array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array
    if plane.ndim != 2 or plane.dtype.kind not in "fiub":
        raise DatasetError(f"{name!r} holds {array.dtype} {array.shape}, not one plane", hint="copy it again")
    return plane


def _entry(stem: str, files: tuple[str, str, str]) -> Entry:
    folders = stem.split("/")
    split = next((part for part in ("train", "val", "test") if part in folders), "")
    scene = next((part for part in folders if re.fullmatch(r"scene_\d+", part)), "")
    return Entry(stem, scene or folders[-1].split("_")[0], split, files)
