"""SUN RGB-D (Song, Lichtenberg & Xiao, CVPR 2015): rooms seen by four sensors, one folder a frame.

Depth is in 16-bit millimetres whose bits are rotated by three. ``depth`` is what the sensor gave, ``depth_bfx`` is filled
from several frames. The toolbox cuts depth at 8 m where it makes points; here nothing is cut, protocols do that.
``scene.txt`` names a kind of room, not a place, so a frame's scene is its sequence (SUN3D) or the frame itself.
"""

from __future__ import annotations

import numpy as np

from leadline.core.camera import Camera
from leadline.core.errors import DatasetError
from leadline.core.sample import Entry, Sample
from leadline.datasets.frames import Frames, read_photo, rows_of_numbers
from leadline.io.encodings import as_metres, encoding_of
from leadline.io.rasters import decode_plane, size_of
from leadline.io.trees import Tree
from leadline.plugins.specs import DatasetOption, DatasetSpec

__all__ = ["SPEC", "SunRgbd", "recognise"]

_FOLDERS = {"raw": "depth", "filled": "depth_bfx"}

SPEC = DatasetSpec(
    name="sunrgbd",
    adapter="leadline.datasets.sunrgbd:SunRgbd",
    recognise="leadline.datasets.sunrgbd:recognise",
    summary="SUN RGB-D: 10,335 frames of rooms from kv1, kv2, realsense and xtion",
    licence="research use",
    layout="""SUNRGBD/<kv1|kv2|realsense|xtion>/…/<frame>/image/*.jpg
                                            depth/*.png       16-bit, bits rotated
                                            depth_bfx/*.png   filled
                                            intrinsics.txt    3x3
                                            scene.txt         kind of room""",
    options=(
        DatasetOption("truth", "The sensor's depth (raw), or the filled one.", "raw", ("raw", "filled")),
        DatasetOption("missing", "What to do about a frame without this depth.", "raise", ("raise", "skip")),
    ),
    paper="https://rgbd.cs.princeton.edu/paper.pdf",
)


def recognise(tree: Tree) -> str:
    """Says why a place is SUN RGB-D, or nothing."""
    for depth in (*tree.match("**/depth_bfx/*.png")[:1], *tree.match("**/depth/*.png")[:1]):
        lead = depth.rsplit("/", 2)[0] + "/" if depth.count("/") > 1 else ""
        if f"{lead}intrinsics.txt" in tree and tree.match(f"{lead}image/*.jpg"):
            return f"{lead}intrinsics.txt beside image/ and {depth.rsplit('/', 2)[-2]}/"
    return ""


class SunRgbd(Frames):
    """SUN RGB-D frames.

    Args:
        tree: The set, a part of it, or one frame's folder.
        truth: ``"raw"`` or ``"filled"``.
        missing: ``"skip"`` leaves frames without that depth out.

    Raises:
        DatasetError: A frame lacks a photo, its depth or its intrinsics.
    """

    def __init__(self, tree: Tree, *, truth: str = "raw", missing: str = "raise") -> None:
        self.holds = {"truth": truth}
        folder = _FOLDERS[truth]
        photos = {
            name.rsplit("/", 2)[0] if name.count("/") > 1 else "": name
            for name in tree.match("**/image/*.jpg")
        }
        depths = {
            name.rsplit("/", 2)[0] if name.count("/") > 1 else "": name
            for name in tree.match(f"**/{folder}/*.png")
        }
        lacking = [
            frame
            for frame in photos
            if frame not in depths or f"{frame}/intrinsics.txt".lstrip("/") not in tree
        ]
        if lacking and missing == "raise":
            raise DatasetError(
                f"{len(lacking):,} of {len(photos):,} frames in {str(tree.path)!r} lack {folder}/*.png or intrinsics.txt, "
                f"such as {lacking[0]!r}",
                hint="copy them, or go on without with --option missing=skip",
            )
        kept = sorted(set(photos) - set(lacking))
        super().__init__(tree, [_entry(tree, frame, photos[frame], depths[frame]) for frame in kept])

    def _sample(self, entry: Entry) -> Sample:
        photo, depth, calibration = entry.files
        data = self.tree.read(photo)
        width, height = size_of(data, self.tree.called(photo))
        K = rows_of_numbers(self.tree, calibration, columns=3)
        if K.shape != (3, 3) or not (K[0, 0] > 0 and K[1, 1] > 0):
            raise DatasetError(
                f"{self.tree.called(calibration)!r} is no 3x3 camera matrix", hint="copy it again"
            )
        camera = Camera(K[0, 0], K[1, 1], K[0, 2], K[1, 2], width, height)
        stored = decode_plane(self.tree.read(depth), self.tree.called(depth))
        truth = as_metres(stored, encoding_of("sun"), camera=camera, name=self.tree.called(depth))
        pose = _pose(self.tree, entry.id if entry.id != "frame" else "")
        image = read_photo(self.tree, photo, camera=camera)
        return Sample(entry.id, image, truth, entry.scene, entry.split, pose)


def _entry(tree: Tree, frame: str, photo: str, depth: str) -> Entry:
    parts = frame.split("/")
    scene = frame
    if "sun3ddata" in parts:
        scene = "/".join(parts[parts.index("sun3ddata") + 1 :][:2]) or frame
    return Entry(frame or "frame", scene=scene, files=(photo, depth, f"{frame}/intrinsics.txt".lstrip("/")))


def _pose(tree: Tree, frame: str) -> np.ndarray[tuple[int, int], np.dtype[np.float64]] | None:
    """The tilt that brings the frame upright (``extrinsics``: 3x4); the place in the room is not known."""
    name = tree.first(f"{frame}/extrinsics/*.txt".lstrip("/"))
    if not name:
        return None
    rows = rows_of_numbers(tree, name, columns=4)
    if rows.shape != (3, 4):
        return None
    pose = np.eye(4)
    pose[:3] = rows
    return pose
