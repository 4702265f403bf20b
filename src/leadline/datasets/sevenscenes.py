"""7-Scenes (Shotton et al., CVPR 2013): Kinect walks with poses; depth is not registered to the photos as published.

Depth is in 16-bit millimetres with 65535 unknown. The set gives 585 px for the depth camera and no calibration between the
cameras; with ``registration=calibrated`` the depth is brought to a colour camera of 525 px, 2.5 cm beside, both 640x480
with the principal point in the middle (Kinect defaults, as the set's users take them). ``none`` leaves it where it is.
"""

from __future__ import annotations

import re

import numpy as np

from leadline.core.camera import Camera
from leadline.core.sample import Entry, Sample
from leadline.datasets.frames import Frames, read_photo
from leadline.datasets.poses import one_matrix
from leadline.io.encodings import as_metres, encoding_of
from leadline.io.rasters import decode_plane
from leadline.io.trees import Tree
from leadline.ops.registration import register
from leadline.plugins.specs import DatasetOption, DatasetSpec

__all__ = ["COLOUR_CAMERA", "DEPTH_CAMERA", "SPEC", "T_COLOUR_DEPTH", "SevenScenes", "recognise"]

DEPTH_CAMERA = Camera(585.0, 585.0, 320.0, 240.0, 640, 480)
COLOUR_CAMERA = Camera(525.0, 525.0, 320.0, 240.0, 640, 480)
T_COLOUR_DEPTH = np.eye(4)
T_COLOUR_DEPTH[0, 3] = -0.025

SPEC = DatasetSpec(
    name="sevenscenes",
    adapter="leadline.datasets.sevenscenes:SevenScenes",
    recognise="leadline.datasets.sevenscenes:recognise",
    summary="7-Scenes: Kinect walks through rooms with poses",
    licence="Microsoft Research, non-commercial",
    layout="""<scene>/TrainSplit.txt, TestSplit.txt           lines "sequence1"
<scene>/seq-01/frame-000000.color.png, .depth.png, .pose.txt""",
    options=(
        DatasetOption(
            "registration",
            "Bring depth to the photo's camera (calibrated), or leave it (none).",
            "calibrated",
            ("calibrated", "none"),
        ),
    ),
    paper="https://www.microsoft.com/en-us/research/project/rgb-d-dataset-7-scenes/",
)


def recognise(tree: Tree) -> str:
    """Says why a place is 7-Scenes, or nothing."""
    name = tree.first("**/frame-[0-9][0-9][0-9][0-9][0-9][0-9].color.png")
    return f"{name}, of 7-Scenes" if name else ""


class SevenScenes(Frames):
    """7-Scenes frames.

    Args:
        tree: The set, a scene, or a sequence.
        registration: ``"calibrated"`` or ``"none"``.
    """

    def __init__(self, tree: Tree, *, registration: str = "calibrated") -> None:
        self.registration = registration
        splits = _splits(tree)
        super().__init__(tree, [_entry(tree, n, splits) for n in tree.match("**/frame-*.color.png")])

    def _sample(self, entry: Entry) -> Sample:
        photo, depth, pose = entry.files
        image = read_photo(self.tree, photo, camera=COLOUR_CAMERA)
        stored = decode_plane(self.tree.read(depth), self.tree.called(depth))
        truth = as_metres(stored, encoding_of("mm"), camera=DEPTH_CAMERA, name=self.tree.called(depth))
        placed = one_matrix(self.tree, pose)
        if self.registration == "calibrated":
            truth = register(truth, camera=COLOUR_CAMERA, T_camera_depth=T_COLOUR_DEPTH)
            placed = None if placed is None else placed @ np.linalg.inv(T_COLOUR_DEPTH)
        return Sample(entry.id, image, truth, entry.scene, entry.split, placed)


def _splits(tree: Tree) -> dict[str, str]:
    """``<scene>/seq-NN`` to its split."""
    found = {}
    for split, file in (("train", "TrainSplit.txt"), ("test", "TestSplit.txt")):
        for name in tree.match(f"**/{file}"):
            lead = name.removesuffix(file)
            for number in re.findall(r"sequence\s*(\d+)", tree.text(name)):
                found[f"{lead}seq-{int(number):02}"] = split
    return found


def _entry(tree: Tree, photo: str, splits: dict[str, str]) -> Entry:
    stem = photo.removesuffix(".color.png")
    sequence = photo.rpartition("/")[0]
    scene = sequence.rpartition("/")[0] if "seq-" in sequence else sequence
    files = (photo, f"{stem}.depth.png", f"{stem}.pose.txt")
    return Entry(stem, scene or tree.path.name, splits.get(sequence, ""), files)
