"""ScanNet (Dai et al., CVPR 2017) as its SensReader exports it: colour, depth, pose and intrinsics a scene.

Photos are 1296x968, depth 640x480 in 16-bit millimetres. Their calibrations are of two cameras that the set takes as one
view (the extrinsics between them are the identity in its files), so truth bears the photo's camera at its own size;
where the aspect ratios differ by the last pixel row, that is within a pixel.
"""

from __future__ import annotations

import re

from leadline.core.camera import Camera
from leadline.core.errors import DatasetError
from leadline.core.sample import Entry, Sample
from leadline.datasets.frames import Frames, read_photo, rows_of_numbers
from leadline.datasets.poses import one_matrix
from leadline.io.encodings import as_metres, encoding_of
from leadline.io.rasters import decode_plane, size_of
from leadline.io.trees import Tree
from leadline.plugins.specs import DatasetSpec

__all__ = ["SPEC", "ScanNet", "recognise"]

SPEC = DatasetSpec(
    name="scannet",
    adapter="leadline.datasets.scannet:ScanNet",
    recognise="leadline.datasets.scannet:recognise",
    summary="ScanNet, exported: walks through rooms with poses",
    licence="ScanNet terms of use, research only",
    layout="""[scans/]scene0000_00/color/0.jpg          1296x968
                     depth/0.png          640x480, 16-bit millimetres
                     pose/0.txt           4x4, camera to world
                     intrinsic/intrinsic_color.txt
scannetv2_train.txt, scannetv2_val.txt    scene names (optional)""",
    paper="http://www.scan-net.org/",
)


def recognise(tree: Tree) -> str:
    """Says why a place is ScanNet, or nothing."""
    name = tree.first("**/intrinsic/intrinsic_color.txt", "**/intrinsic/intrinsic_depth.txt")
    return f"{name}, of a ScanNet export" if name else ""


class ScanNet(Frames):
    """ScanNet frames.

    Args:
        tree: The set, or one scene's folder.

    Raises:
        DatasetError: A photo has no depth.
    """

    def __init__(self, tree: Tree) -> None:
        splits = {
            scene: split
            for split in ("train", "val", "test")
            for name in tree.match(f"**/scannetv2_{split}.txt")
            for scene in tree.text(name).split()
        }
        photos = sorted(tree.match("**/color/*.jpg"), key=_order)
        entries = [_entry(tree, name, splits) for name in photos]
        lacking = [entry.files[1] for entry in entries if entry.files[1] not in tree]
        if lacking:
            raise DatasetError(
                f"{len(lacking):,} of {len(photos):,} photos in {str(tree.path)!r} have no depth, such as {lacking[0]!r}",
                hint="export the scene again with depth",
            )
        super().__init__(tree, entries)

    def _sample(self, entry: Entry) -> Sample:
        photo, depth, pose, calibration = entry.files
        width, height = size_of(self.tree.read(photo), self.tree.called(photo))
        K = rows_of_numbers(self.tree, calibration)
        if K.shape not in ((3, 3), (4, 4)):
            raise DatasetError(f"{self.tree.called(calibration)!r} is no camera matrix", hint="copy it again")
        camera = Camera(K[0, 0], K[1, 1], K[0, 2], K[1, 2], width, height)
        stored = decode_plane(self.tree.read(depth), self.tree.called(depth))
        seen = camera.resized(stored.shape[1], stored.shape[0])
        truth = as_metres(stored, encoding_of("mm"), camera=seen, name=self.tree.called(depth))
        image = read_photo(self.tree, photo, camera=camera)
        return Sample(entry.id, image, truth, entry.scene, entry.split, one_matrix(self.tree, pose))


def _order(name: str) -> tuple[str, int]:
    folder, _, file = name.rpartition("/")
    digits = re.sub(r"\D", "", file)
    return folder, int(digits or 0)


def _entry(tree: Tree, photo: str, splits: dict[str, str]) -> Entry:
    lead, _, file = photo.rpartition("color/")
    number = file.removesuffix(".jpg")
    scene = lead.strip("/").rpartition("/")[2] or tree.path.name
    files = (
        photo,
        f"{lead}depth/{number}.png",
        f"{lead}pose/{number}.txt",
        f"{lead}intrinsic/intrinsic_color.txt",
    )
    # Several scans show one place: scene0000_00 and scene0000_01 are the same room.
    return Entry(f"{scene}/{number}", re.sub(r"_\d\d$", "", scene), splits.get(scene, ""), files)
