"""Posed frames as deep-video-mvs exports them (Duzceker et al., CVPR 2021): images, depth, one camera, poses.

Depth is in 16-bit millimetres, 0 unknown; ``poses.txt`` has one camera-to-world matrix of 16 numbers a frame, the first for the first photo by name, whatever its
number; it may be longer than the photos that were kept.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.errors import DatasetError
from leadline.core.sample import Entry, Sample
from leadline.datasets.frames import Frames, read_photo, rows_of_numbers
from leadline.datasets.poses import matrices
from leadline.io.encodings import as_metres, encoding_of
from leadline.io.rasters import decode_plane
from leadline.io.trees import Tree
from leadline.plugins.specs import DatasetSpec

__all__ = ["SPEC", "Posed", "recognise"]

SPEC = DatasetSpec(
    name="posed",
    adapter="leadline.datasets.posed:Posed",
    recognise="leadline.datasets.posed:recognise",
    summary="posed frames: images/, depth/, K.txt, poses.txt (deep-video-mvs, HoloLens walks)",
    layout="""[<scene>/]images/00003.png
           depth/00003.png      16-bit millimetres
           K.txt                3x3
           poses.txt            16 numbers a frame, camera to world""",
    paper="https://arxiv.org/abs/2012.02177",
)


def recognise(tree: Tree) -> str:
    """Says why a place is of this form, or nothing."""
    for name in tree.match("**/K.txt"):
        if name.replace("K.txt", "poses.txt") in tree:
            return f"{name} and poses.txt"
    return ""


class Posed(Frames):
    """Posed frames.

    Args:
        tree: A scene's folder, or one of several.

    Raises:
        DatasetError: A photo has no depth, or there are fewer poses than photos.
    """

    def __init__(self, tree: Tree) -> None:
        self._poses: dict[str, list[NDArray[np.float64]]] = {}
        entries = []
        for calibration in tree.match("**/K.txt"):
            lead = calibration.removesuffix("K.txt")
            photos = tree.match(f"{lead}images/*.*g")
            self._poses[lead] = matrices(tree, f"{lead}poses.txt")
            if len(photos) > len(self._poses[lead]):
                raise DatasetError(
                    f"{tree.called(lead + 'poses.txt')!r} has {len(self._poses[lead])} poses for {len(photos)} photos",
                    hint="copy the folder again",
                )
            for photo in photos:
                depth = f"{lead}depth/{photo.rpartition('/')[2].rpartition('.')[0]}.png"
                if depth not in tree:
                    raise DatasetError(f"{tree.called(photo)!r} has no {depth!r}", hint="copy it too")
                stem = photo.rpartition(".")[0]
                entries.append(Entry(stem, lead.strip("/"), files=(photo, depth, calibration)))
        super().__init__(tree, entries)
        self._number = {e.files[0]: k for lead in self._poses for k, e in enumerate(self._of(lead))}

    def _of(self, lead: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.files[2] == f"{lead}K.txt"]

    def _sample(self, entry: Entry) -> Sample:
        photo, depth, calibration = entry.files
        K = rows_of_numbers(self.tree, calibration, columns=3)
        stored = decode_plane(self.tree.read(depth), self.tree.called(depth))
        camera = Camera(K[0, 0], K[1, 1], K[0, 2], K[1, 2], stored.shape[1], stored.shape[0])
        image = read_photo(self.tree, photo, camera=camera)
        truth = as_metres(stored, encoding_of("mm"), camera=camera, name=self.tree.called(depth))
        pose = self._poses[calibration.removesuffix("K.txt")][self._number[photo]]
        placed = pose if bool(np.isfinite(pose).all()) else None
        return Sample(entry.id, image, truth, entry.scene, entry.split, placed)
