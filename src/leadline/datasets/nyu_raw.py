"""Raw Kinect frames of NYU: 11-bit disparity in PGM files beside PPM photos, not registered to each other.

Disparity d becomes z = 351.3 / (1092.5 - d) metres (the toolbox's ``depth_rel2depth_abs.m``). The files' headers promise
big-endian numbers and their bytes are little-endian. Depth is seen by the Kinect's own camera, 2.5 cm beside the colour
camera; it is brought over with the toolbox's calibration unless told otherwise. The lenses' distortion is left in.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import ClassVar

from leadline.core.errors import DatasetError
from leadline.core.sample import Entry, Sample
from leadline.datasets.frames import Frames, read_photo
from leadline.datasets.nyu_calibration import CAMERA, DEPTH_CAMERA, T_COLOUR_DEPTH
from leadline.io.encodings import as_metres, encoding_of
from leadline.io.rasters import decode_plane
from leadline.io.trees import Tree
from leadline.ops.registration import register

__all__ = ["NyuRaw"]

_TIME = re.compile(r"[rd]-(\d+\.\d+)-")


class NyuRaw(Frames):
    """Raw frames: scene folders of ``r-<time>-<n>.ppm`` and ``d-<time>-<n>.pgm``, or ``*_color.ppm`` with ``*_depth.pgm``.

    Args:
        tree: Folder or archive that holds them at any depth.
        registration: ``"calibrated"`` brings depth to the colour camera; ``"none"`` leaves it in its own, so that photo
            and truth do not see the same view, and the truth bears its own camera.
    """

    truths: ClassVar[tuple[str, ...]] = ("raw",)

    def __init__(self, tree: Tree, *, registration: str = "calibrated") -> None:
        self.registration = registration
        super().__init__(tree, [*_by_time(tree), *_by_name(tree)])

    @staticmethod
    def recognise(tree: Tree) -> str:
        """Says why a place is of this layout, or nothing."""
        name = tree.first("**/d-*.pgm")
        if name:
            return f"{name}, a raw Kinect frame"
        alone = tree.match("**/*_depth.pgm")
        whole = len(tree.match("**/*_color.ppm")) == len(alone) and not tree.first("**/*_depth.png")
        return f"{alone[0]}, a raw Kinect frame" if alone and whole else ""

    def _sample(self, entry: Entry) -> Sample:
        photo, depth = entry.files
        image = read_photo(self.tree, photo, camera=CAMERA)
        stored = decode_plane(self.tree.read(depth), self.tree.called(depth), byteorder="little")
        truth = as_metres(stored, encoding_of("kinect"), camera=DEPTH_CAMERA, name=self.tree.called(depth))
        if self.registration == "calibrated":
            truth = register(truth, camera=CAMERA, T_camera_depth=T_COLOUR_DEPTH)
        return Sample(entry.id, image, truth, entry.scene, entry.split)


def _by_time(tree: Tree) -> list[Entry]:
    """Every photo with the depth taken nearest in time in the same folder."""
    entries = []
    scenes = sorted({name.rpartition("/")[0] for name in tree.match("**/d-*.pgm")})
    for scene in scenes:
        lead = f"{scene}/" if scene else ""
        depths = sorted((_time(tree, name), name) for name in tree.match(f"{lead}d-*.pgm"))
        times = [time for time, _ in depths]
        for photo in tree.match(f"{lead}r-*.ppm"):
            time = _time(tree, photo)
            at = bisect_left(times, time)
            nearest = min(depths[max(at - 1, 0) : at + 1], key=lambda pair: abs(pair[0] - time))
            entries.append(Entry(photo.removesuffix(".ppm"), scene=scene, files=(photo, nearest[1])))
    return entries


def _time(tree: Tree, name: str) -> float:
    found = _TIME.match(name.rpartition("/")[2])
    if found is None:
        raise DatasetError(
            f"{tree.called(name)!r} bears no time in its name", hint="raw frames are named d-<time>-<n>.pgm"
        )
    return float(found.group(1))


def _by_name(tree: Tree) -> list[Entry]:
    entries = []
    for depth in tree.match("**/*_depth.pgm"):
        photo = depth.replace("_depth.pgm", "_color.ppm")
        if photo not in tree:
            raise DatasetError(f"{tree.called(depth)!r} has no {photo!r} beside it", hint="copy it too")
        entries.append(Entry(depth.removesuffix("_depth.pgm"), files=(photo, depth)))
    return entries
