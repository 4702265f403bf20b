"""Middlebury stereo 2014, v3 and 2021 (Scharstein et al., GCPR 2014): structured-light disparity, the most exact there is.

Z = fx · baseline / (d + doffs), baseline in millimetres; infinite disparity is unknown. One scene, Motorcycle, also goes
round as ``motorcycle_disp.npz`` inside scikit-image, at a quarter of its size and without its calibration; the numbers
here are those that its documentation gives: 994.978 px, centre (311.193, 254.877), baseline 193.001 mm, doffs 31.086.
"""

from __future__ import annotations

from leadline.core.camera import Camera
from leadline.core.sample import Entry, Sample
from leadline.datasets.disparity import Stereo, depth_of, read_calibration, read_pfm
from leadline.datasets.frames import Frames, read_photo
from leadline.io.arrays import array_of
from leadline.io.trees import Tree
from leadline.plugins.specs import DatasetSpec

__all__ = ["MOTORCYCLE", "SPEC", "Middlebury", "recognise"]

MOTORCYCLE = Stereo(
    Camera(994.978, 994.978, 311.193, 254.877, 741, 500), baseline_m=0.193001, offset_px=31.086
)

SPEC = DatasetSpec(
    name="middlebury",
    adapter="leadline.datasets.middlebury:Middlebury",
    recognise="leadline.datasets.middlebury:recognise",
    summary="Middlebury stereo 2014, v3, 2021: depth from structured-light disparity",
    licence="free to use with citation",
    layout="""<scene>/im0.png, im1.png, disp0.pfm | disp0GT.pfm, calib.txt
motorcycle_left.png, motorcycle_right.png, motorcycle_disp.npz      as in scikit-image""",
    paper="https://vision.middlebury.edu/stereo/data/",
)


def recognise(tree: Tree) -> str:
    """Says why a place is Middlebury's, or nothing."""
    if tree.first("**/motorcycle_disp.npz"):
        return "motorcycle_disp.npz, as in scikit-image"
    for name in tree.match("**/calib.txt"):
        lead = name.removesuffix("calib.txt")
        if f"{lead}im0.png" in tree and tree.match(f"{lead}disp0*.pfm") and "cam0" in tree.text(name):
            return f"{name} beside im0.png and disp0.pfm"
    return ""


class Middlebury(Frames):
    """Middlebury scenes.

    Args:
        tree: The set or one scene's folder.
    """

    def __init__(self, tree: Tree) -> None:
        entries = []
        for name in tree.match("**/calib.txt"):
            lead = name.removesuffix("calib.txt")
            disparity = tree.first(f"{lead}disp0.pfm", f"{lead}disp0GT.pfm")
            if disparity and f"{lead}im0.png" in tree:
                scene = lead.strip("/") or tree.path.name
                entries.append(Entry(scene, scene, files=(f"{lead}im0.png", disparity, name)))
        for name in tree.match("**/motorcycle_disp.npz"):
            photo = name.replace("_disp.npz", "_left.png")
            entries.append(Entry(name.removesuffix("_disp.npz"), "motorcycle", files=(photo, name)))
        super().__init__(tree, entries)

    def _sample(self, entry: Entry) -> Sample:
        photo, disparity, *calibration = entry.files
        if calibration:
            stereo = read_calibration(self.tree, calibration[0])
            stored = read_pfm(self.tree, disparity)
        else:
            stereo = MOTORCYCLE
            stored = array_of(self.tree.read(disparity), self.tree.called(disparity))
        image = read_photo(self.tree, photo, camera=stereo.camera)
        return Sample(entry.id, image, depth_of(stored, stereo), entry.scene, entry.split)
