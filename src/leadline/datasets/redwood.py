"""Redwood and Open3D folders (Park, Zhou & Koltun, ICCV 2017; Choi et al., CVPR 2015): color, depth, trajectory.

Depth is in 16-bit millimetres, registered. The camera is the intrinsics file that lies in the sequence's own folder, else
the PrimeSense default that the sets are published with: 525 px, centre (319.5, 239.5).
"""

from __future__ import annotations

import json
import re

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.errors import DatasetError
from leadline.core.sample import Entry, Sample
from leadline.datasets.frames import Frames, read_photo
from leadline.datasets.poses import matrices
from leadline.io.encodings import as_metres, encoding_of
from leadline.io.rasters import decode_plane
from leadline.io.trees import Tree
from leadline.plugins.specs import DatasetSpec

__all__ = ["PRIMESENSE", "SPEC", "Redwood", "recognise"]

PRIMESENSE = Camera(525.0, 525.0, 319.5, 239.5, 640, 480)

SPEC = DatasetSpec(
    name="redwood",
    adapter="leadline.datasets.redwood:Redwood",
    recognise="leadline.datasets.redwood:recognise",
    summary="Redwood and Open3D recordings: color/, depth/, trajectory.log",
    licence="Redwood: public domain or CC BY, see the set",
    layout="""[<sequence>/]color|image|rgb/00000.jpg
             depth/00000.png             16-bit millimetres
             trajectory.log              index line and 4x4 a frame (optional)
             camera.json | camera_intrinsic.json | intrinsic.json   (optional)""",
    paper="http://redwood-data.org/",
)

_PHOTOS = ("color", "image", "rgb")


def recognise(tree: Tree) -> str:
    """Says why a place is of this form, or nothing."""
    name = tree.first("**/trajectory.log", "**/camera_intrinsic.json")
    return f"{name} beside color and depth" if name and tree.first("**/depth/*.png") else ""


class Redwood(Frames):
    """Redwood and Open3D recordings.

    Args:
        tree: A sequence's folder or one above it.

    Raises:
        DatasetError: Photos and depths are not paired one to one.
    """

    def __init__(self, tree: Tree) -> None:
        self._poses: dict[str, list[NDArray[np.float64]]] = {}
        folders = sorted({name.rpartition("depth/")[0] for name in tree.match("**/depth/*.png")})
        super().__init__(tree, [entry for lead in folders for entry in _entries(tree, lead)])

    def _sample(self, entry: Entry) -> Sample:
        photo, depth = entry.files
        stored = decode_plane(self.tree.read(depth), self.tree.called(depth))
        lead = depth.rpartition("depth/")[0]
        camera = _camera(self.tree, lead, stored.shape[1], stored.shape[0])
        image = read_photo(self.tree, photo, camera=camera)
        truth = as_metres(stored, encoding_of("mm"), camera=image.camera, name=self.tree.called(depth))
        return Sample(entry.id, image, truth, entry.scene, entry.split, self._pose(lead, entry))

    def _pose(self, lead: str, entry: Entry) -> NDArray[np.float64] | None:
        name = f"{lead}trajectory.log"
        if name not in self.tree:
            return None
        if lead not in self._poses:
            self._poses[lead] = matrices(self.tree, name, rows_before=1)
        number = [e.id for e in self.entries if e.scene == entry.scene].index(entry.id)
        poses = self._poses[lead]
        return poses[number] if number < len(poses) else None


def _entries(tree: Tree, lead: str) -> list[Entry]:
    depths = tree.match(f"{lead}depth/*.png")
    photos = next((f for part in _PHOTOS if (f := tree.match(f"{lead}{part}/*.*g"))), ())
    stems = [
        [re.sub(r"\D*$|^\D*", "", n.rpartition("/")[2].rpartition(".")[0]) for n in f]
        for f in (photos, depths)
    ]
    by_stem = dict(zip(stems[1], depths, strict=True))
    scene = lead.strip("/")
    if set(stems[0]) == set(stems[1]):
        pairs = [(photo, by_stem[stem]) for photo, stem in zip(photos, stems[0], strict=True)]
    elif len(photos) == len(depths):
        # Redwood's own names bear times that differ between photo and depth; they are paired in order.
        pairs = list(zip(photos, depths, strict=True))
    else:
        raise DatasetError(
            f"{tree.called(lead)!r} holds {len(photos):,} photos and {len(depths):,} depths",
            hint="copy it again",
        )
    return [Entry(re.sub(r"\.\w+$", "", photo), scene, files=(photo, depth)) for photo, depth in pairs]


def _camera(tree: Tree, lead: str, width: int, height: int) -> Camera | None:
    name = next(
        (
            f"{lead}{file}"
            for file in ("camera_intrinsic.json", "camera.json", "intrinsic.json")
            if f"{lead}{file}" in tree
        ),
        "",
    )
    if not name:
        return PRIMESENSE if (width, height) == (640, 480) else None
    try:
        told = json.loads(tree.text(name))
        K = np.array(told["intrinsic_matrix"], float).reshape(3, 3).T
        return Camera(K[0, 0], K[1, 1], K[0, 2], K[1, 2], told["width"], told["height"])
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            f"{tree.called(name)!r} holds no pinhole intrinsics ({error})",
            hint="it needs width, height and intrinsic_matrix, column by column, as Open3D writes them",
        ) from error
