"""ARKitScenes (Baruch et al., NeurIPS 2021): rooms walked through with an iPad, LiDAR depth and intrinsics a frame.

Depth is in 16-bit millimetres; ``.pincam`` holds width, height, fx, fy, cx, cy; ``lowres_wide.traj`` holds time, turn (axis
times angle) and place of the world seen from the camera, which is turned round here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.errors import DatasetError
from leadline.core.sample import Entry, Sample
from leadline.datasets.frames import Frames, read_photo, rows_of_numbers
from leadline.datasets.poses import from_axis_angle
from leadline.io.encodings import as_metres, encoding_of
from leadline.io.rasters import decode_plane
from leadline.io.trees import Tree
from leadline.plugins.specs import DatasetSpec

__all__ = ["SPEC", "ArkitScenes", "recognise"]

SPEC = DatasetSpec(
    name="arkitscenes",
    adapter="leadline.datasets.arkitscenes:ArkitScenes",
    recognise="leadline.datasets.arkitscenes:recognise",
    summary="ARKitScenes: iPad walks through rooms, LiDAR depth, intrinsics a frame",
    licence="Apple, non-commercial",
    layout="""[Training|Validation/]<video>/lowres_wide/<video>_<time>.png
                              lowres_depth/<video>_<time>.png              16-bit millimetres
                              lowres_wide_intrinsics/<video>_<time>.pincam
                              lowres_wide.traj                             (optional)
<name>.png, <name>.pincam, gt.png                                          one frame""",
    paper="https://github.com/apple/ARKitScenes",
)

_SPLITS = {"Training": "train", "Validation": "val"}


def recognise(tree: Tree) -> str:
    """Says why a place is ARKitScenes, or nothing."""
    name = tree.first("**/*.pincam")
    return f"{name}, intrinsics of ARKitScenes" if name else ""


class ArkitScenes(Frames):
    """ARKitScenes frames that have depth.

    Args:
        tree: The set, one video's folder, or one frame's.
    """

    def __init__(self, tree: Tree) -> None:
        self._poses: dict[str, NDArray[np.float64]] = {}
        super().__init__(tree, [e for name in tree.match("**/*.pincam") for e in _entries(tree, name)])

    def _sample(self, entry: Entry) -> Sample:
        photo, depth, calibration = entry.files
        row = rows_of_numbers(self.tree, calibration, columns=6)[0]
        if row[0] != int(row[0]) or row[1] != int(row[1]):
            raise DatasetError(
                f"{self.tree.called(calibration)!r} gives no whole size ({row[0]:g} x {row[1]:g})",
                hint="copy it again",
            )
        fx, fy, cx, cy = (float(number) for number in row[2:])
        camera = Camera(fx, fy, cx, cy, int(row[0]), int(row[1]))
        image = read_photo(self.tree, photo, camera=camera)
        stored = decode_plane(self.tree.read(depth), self.tree.called(depth))
        seen = camera.resized(stored.shape[1], stored.shape[0])
        truth = as_metres(stored, encoding_of("mm"), camera=seen, name=self.tree.called(depth))
        return Sample(entry.id, image, truth, entry.scene, entry.split, self._pose(entry))

    def _pose(self, entry: Entry) -> NDArray[np.float64] | None:
        name = f"{entry.files[0].rpartition('lowres_wide/')[0]}lowres_wide.traj"
        if name not in self.tree or "lowres_wide/" not in entry.files[0]:
            return None
        if name not in self._poses:
            self._poses[name] = rows_of_numbers(self.tree, name, columns=7)
        rows = self._poses[name]
        time = float(entry.id.rpartition("_")[2])
        nearest = rows[int(np.argmin(np.abs(rows[:, 0] - time)))]
        if abs(nearest[0] - time) > 0.1:
            return None
        return np.asarray(np.linalg.inv(from_axis_angle(nearest[1:4], nearest[4:7])))


def _entries(tree: Tree, calibration: str) -> list[Entry]:
    stem = calibration.rpartition("/")[2].removesuffix(".pincam")
    lead = calibration.rpartition("/")[0].removesuffix("lowres_wide_intrinsics")
    if lead != calibration.rpartition("/")[0]:
        files = (f"{lead}lowres_wide/{stem}.png", f"{lead}lowres_depth/{stem}.png", calibration)
        parts = lead.strip("/").split("/")
        split = next((_SPLITS[part] for part in parts if part in _SPLITS), "")
        # Photos come more often than depth: what has none is no sample.
        whole = all(name in tree for name in files)
        return [Entry(f"{lead}{stem}", parts[-1] or stem.split("_")[0], split, files)] if whole else []
    folder = f"{lead}/" if lead else ""
    files = (f"{folder}{stem}.png", f"{folder}gt.png", calibration)
    return [Entry(f"{folder}{stem}", files=files)] if all(name in tree for name in files) else []
