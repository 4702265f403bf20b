"""ETH3D two-view stereo (Schöps et al., CVPR 2017): scenes with laser-scanned disparity.

Z = fx · baseline / (d + doffs), baseline in millimetres; infinite disparity is unknown. Photos are what the set gives, grey
or in colour. ``mask0nocc.png`` tells which pixels the other camera sees too (255).
"""

from __future__ import annotations

from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError
from leadline.core.sample import Entry, Sample
from leadline.datasets.disparity import depth_of, read_calibration, read_pfm
from leadline.datasets.frames import Frames, read_photo
from leadline.io.rasters import decode_plane
from leadline.io.trees import Tree
from leadline.plugins.specs import DatasetOption, DatasetSpec

__all__ = ["SPEC", "Eth3d", "recognise"]

SPEC = DatasetSpec(
    name="eth3d",
    adapter="leadline.datasets.eth3d:Eth3d",
    recognise="leadline.datasets.eth3d:recognise",
    summary="ETH3D two-view stereo: depth from laser-scanned disparity",
    licence="CC BY-NC-SA 4.0",
    layout="""<scene>/im0.png, im1.png
        disp0GT.pfm | disp0.pfm      float32, rows from the bottom, inf unknown
        calib.txt                    cam0, doffs, baseline (mm), width, height
        mask0nocc.png                255: seen by both (optional)""",
    options=(
        DatasetOption("mask", "all known pixels, or those that both cameras see.", "all", ("all", "nocc")),
    ),
    paper="https://www.eth3d.net/datasets",
)

_MARKS = ("disp0GT.pfm", "mask0nocc.png", "cameras.txt")


def recognise(tree: Tree) -> str:
    """Says why a place is ETH3D's, or nothing: disparity ranges as wide as the image are its own habit."""
    for name in tree.match("**/calib.txt"):
        lead = name.removesuffix("calib.txt")
        if f"{lead}im0.png" not in tree or not tree.match(f"{lead}disp0*.pfm"):
            continue
        if any(f"{lead}{mark}" in tree for mark in _MARKS):
            return f"{name} beside im0.png and disp0GT.pfm"
        told = dict(line.split("=", 1) for line in tree.text(name).splitlines() if "=" in line)
        if told.get("ndisp") == told.get("width") and "isint" not in told and "vmin" not in told:
            return f"{name} beside im0.png and disp0.pfm, ndisp as wide as the image"
    return ""


class Eth3d(Frames):
    """ETH3D scenes.

    Args:
        tree: The set or one scene's folder.
        mask: ``"nocc"`` keeps only what both cameras see.
    """

    def __init__(self, tree: Tree, *, mask: str = "all") -> None:
        self.mask = mask
        entries = []
        for name in tree.match("**/calib.txt"):
            lead = name.removesuffix("calib.txt")
            disparity = tree.first(f"{lead}disp0GT.pfm", f"{lead}disp0.pfm")
            if disparity and f"{lead}im0.png" in tree:
                scene = lead.strip("/") or tree.path.name
                entries.append(Entry(scene, scene, files=(f"{lead}im0.png", disparity, name)))
        super().__init__(tree, entries)

    def _sample(self, entry: Entry) -> Sample:
        photo, disparity, calibration = entry.files
        stereo = read_calibration(self.tree, calibration)
        image = read_photo(self.tree, photo, camera=stereo.camera)
        truth = depth_of(read_pfm(self.tree, disparity), stereo)
        if self.mask == "nocc":
            truth = self._seen_by_both(truth, disparity.rpartition("/")[0])
        return Sample(entry.id, image, truth, entry.scene, entry.split)

    def _seen_by_both(self, truth: DepthMap, folder: str) -> DepthMap:
        name = f"{folder}/mask0nocc.png".lstrip("/")
        seen = decode_plane(self.tree.read(name), self.tree.called(name)) == 255
        if seen.shape != truth.shape:
            raise DatasetError(
                f"{self.tree.called(name)!r} has another size than the photo", hint="copy it again"
            )
        return DepthMap(truth.values, truth.kind, valid=truth.valid & seen, camera=truth.camera)
