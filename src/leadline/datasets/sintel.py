"""MPI Sintel depth (Butler et al., ECCV 2012): a rendered film with depth along the axis and cameras.

``.dpt`` files hold a float32 tag (202021.25), int32 width and height, and float32 depth; ``.cam`` files the same tag, a 3x3
and a 3x4 float64 matrix (world to camera). The film's unit is called metres by nobody who made it: depth is in units of the
film's own space, so its kind is depth up to scale.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError
from leadline.core.kind import Freedom, Kind
from leadline.core.sample import Entry, Sample
from leadline.datasets.frames import Frames, read_photo
from leadline.io.trees import Tree
from leadline.plugins.specs import DatasetOption, DatasetSpec

__all__ = ["SPEC", "Sintel", "recognise"]

_TAG = 202021.25
_KIND = Kind(freedom=Freedom.SCALE)

SPEC = DatasetSpec(
    name="sintel",
    adapter="leadline.datasets.sintel:Sintel",
    recognise="leadline.datasets.sintel:recognise",
    summary="MPI Sintel: a rendered film with depth (up to scale) and cameras",
    licence="the film is CC BY 3.0; the data are for research",
    layout="""training/clean|final/<scene>/frame_0001.png
training/depth/<scene>/frame_0001.dpt
training/camdata_left/<scene>/frame_0001.cam     (optional)""",
    options=(DatasetOption("render", "Which pass of the photos.", "final", ("final", "clean")),),
    paper="http://sintel.is.tue.mpg.de/depth",
)


def recognise(tree: Tree) -> str:
    """Says why a place is Sintel, or nothing."""
    name = tree.first("**/frame_[0-9][0-9][0-9][0-9].dpt")
    return f"{name}, depth of Sintel" if name else ""


class Sintel(Frames):
    """Sintel frames.

    Args:
        tree: The set or a part of it.
        render: ``"final"`` or ``"clean"``.

    Raises:
        DatasetError: A depth has no photo.
    """

    kind = _KIND

    def __init__(self, tree: Tree, *, render: str = "final") -> None:
        entries = []
        for depth in tree.match("**/depth/*/*.dpt"):
            lead, _, rest = depth.rpartition("depth/")
            stem = rest.removesuffix(".dpt")
            photo, camera = f"{lead}{render}/{stem}.png", f"{lead}camdata_left/{stem}.cam"
            if photo not in tree:
                raise DatasetError(
                    f"{tree.called(depth)!r} has no {photo!r}", hint="unpack the photos beside it"
                )
            entries.append(
                Entry(stem, stem.split("/")[0], files=(photo, depth, *((camera,) if camera in tree else ())))
            )
        super().__init__(tree, entries)

    def _sample(self, entry: Entry) -> Sample:
        photo, depth, *camera_file = entry.files
        values = _dpt(self.tree.read(depth), self.tree.called(depth))
        height, width = values.shape
        camera, pose = None, None
        if camera_file:
            camera, pose = _cam(
                self.tree.read(camera_file[0]), self.tree.called(camera_file[0]), width, height
            )
        image = read_photo(self.tree, photo, camera=camera)
        truth = DepthMap(values, _KIND, camera=image.camera)
        return Sample(entry.id, image, truth, entry.scene, entry.split, pose)


def _dpt(data: bytes, name: str) -> NDArray[np.float32]:
    if len(data) < 12 or struct.unpack("<f", data[:4])[0] != _TAG:
        raise DatasetError(f"{name!r} does not begin like a .dpt file", hint="copy it again")
    width, height = struct.unpack("<ii", data[4:12])
    if width < 1 or height < 1 or len(data) != 12 + 4 * width * height:
        raise DatasetError(
            f"{name!r} is cut short or damaged: {width}x{height} floats, {len(data):,} bytes",
            hint="copy it again",
        )
    return np.frombuffer(data, "<f4", offset=12).reshape(height, width)


def _cam(data: bytes, name: str, width: int, height: int) -> tuple[Camera, NDArray[np.float64]]:
    if len(data) != 4 + 8 * 21 or struct.unpack("<f", data[:4])[0] != _TAG:
        raise DatasetError(f"{name!r} is no .cam file, or is cut short", hint="copy it again")
    numbers = np.frombuffer(data, "<f8", offset=4)
    K, T = numbers[:9].reshape(3, 3), np.eye(4)
    T[:3] = numbers[9:].reshape(3, 4)
    camera = Camera(K[0, 0], K[1, 1], K[0, 2], K[1, 2], width, height)
    return camera, np.asarray(np.linalg.inv(T))
