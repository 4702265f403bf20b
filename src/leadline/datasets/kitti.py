"""KITTI (Geiger et al., IJRR 2013; Uhrig et al., 3DV 2017): driving, with depth from a laser scanner.

Three forms of truth, all metres along the axis: raw velodyne points projected into the rectified camera (here, from the
``.bin`` files, the nearest point winning a pixel), points projected beforehand (``proj_depth/velodyne``, npz), and the
depth benchmark's annotated PNGs (16-bit, 1/256 m). Published figures differ by which of them is scored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError
from leadline.core.kind import Kind
from leadline.core.sample import Entry, Sample
from leadline.datasets.frames import Frames, read_photo, rows_of_numbers
from leadline.datasets.kitti_calibration import Rig, points_to_depth, read_rig
from leadline.io.arrays import array_of
from leadline.io.encodings import as_metres, encoding_of
from leadline.io.rasters import decode_plane, size_of
from leadline.io.trees import Tree
from leadline.plugins.specs import DatasetOption, DatasetSpec

__all__ = ["SPEC", "Kitti", "recognise"]

SPEC = DatasetSpec(
    name="kitti",
    adapter="leadline.datasets.kitti:Kitti",
    recognise="leadline.datasets.kitti:recognise",
    summary="KITTI: raw drives with velodyne depth, the depth benchmark's annotated depth, Eigen lists",
    licence="CC BY-NC-SA 3.0",
    layout="""<date>/calib_cam_to_cam.txt, calib_velo_to_cam.txt
<date>/<drive>/image_02/data/0000000000.png
<date>/<drive>/velodyne_points/data/0000000000.bin              raw points, or
<date>/<drive>/proj_depth/velodyne/image_02/0000000000.npz      points projected, or
[train|val/]<drive>/proj_depth/groundtruth/image_02/*.png       annotated
val_selection_cropped/{image,groundtruth_depth,intrinsics}/     the benchmark's selection""",
    options=(
        DatasetOption("camera", "Which colour camera.", "image_02", ("image_02", "image_03", "both")),
        DatasetOption(
            "truth",
            "Which depth; auto takes a frame's annotated depth where there is, else velodyne.",
            "auto",
            ("auto", "annotated", "velodyne"),
        ),
        DatasetOption("list", "A file of frames, such as an Eigen split, in either public form."),
        DatasetOption("missing", "What to do about a frame without depth.", "skip", ("skip", "raise")),
    ),
    paper="https://www.cvlibs.net/datasets/kitti/",
)

_IMAGE = re.compile(r"(?:.*/)?([^/]+_drive_\d{4}_(?:sync|extract))/(image_0[23])/data/(\d{10})\.(?:png|jpg)")
_ANNOTATED = re.compile(r"(?:^|/)(?:proj_depth/groundtruth/image_0[23]|groundtruth_depth)/[^/]+$")
_CROPPED = re.compile(r"(?:.*/)?image/((.+_sync)_image_(\d{10})_(image_0[23]))\.png")


def recognise(tree: Tree) -> str:
    """Says why a place is KITTI, or nothing."""
    name = tree.first("**/calib_cam_to_cam.txt", "**/proj_depth/groundtruth/image_0[23]/*.png")
    if name:
        return f"{name}, of KITTI's layout"
    name = tree.first("**/groundtruth_depth/*_sync_groundtruth_depth_*.png")
    return f"{name}, of KITTI's benchmark selection" if name else ""


@dataclass(frozen=True, slots=True)
class _Where:
    photo: str
    drive: str
    camera: str
    number: str


class Kitti(Frames):
    """KITTI frames that have depth.

    Args:
        tree: The set or a part of it.
        camera: ``"image_02"`` (left), ``"image_03"`` (right) or ``"both"``.
        truth: ``"annotated"``, ``"velodyne"``, or ``"auto"`` for annotated where there is, else velodyne.
        list: Path of a list of frames: ``<photo> <depth|None> <focal>`` rows, or ``<date>/<drive> <number> <l|r>`` rows.
        missing: ``"raise"`` refuses photos without depth; a list's own ``None`` is always left out.

    Raises:
        DatasetError: A listed photo or its depth is not there, or the list is in neither form.
    """

    def __init__(
        self,
        tree: Tree,
        *,
        camera: str = "image_02",
        truth: str = "auto",
        list: str = "",
        missing: str = "skip",
    ) -> None:
        self.truth = truth
        self._rigs: dict[str, Rig] = {}
        self._files = _depth_files(tree, truth)
        frames = _photos(tree)
        if list:
            frames, missing = _listed(Path(list), frames), "raise"
        elif camera != "both":
            frames = [frame for frame in frames if frame.camera == camera]
        lacking = [frame for frame in frames if not self._depth_of(frame)]
        if lacking and missing == "raise":
            raise DatasetError(
                f"{len(lacking):,} of {len(frames):,} photos have no {truth} depth, such as {tree.called(lacking[0].photo)!r}",
                hint="copy the depth too, or go on without with --option missing=skip",
            )
        if frames and len(lacking) == len(frames) and truth != "auto":
            there = [form for form in ("annotated", "velodyne") if form != truth and _depth_files(tree, form)]
            raise DatasetError(
                f"{tree.called('')!r} holds no {truth} depth"
                + (f", and {there[0]} depth is there" if there else ""),
                hint=f"say --option truth={there[0]}, or copy the {truth} depth too"
                if there
                else "copy it too",
            )
        super().__init__(tree, [self._entry(tree, f) for f in frames if self._depth_of(f)])

    @property
    def holds(self) -> dict[str, str]:
        """Which depth the frames have: annotated, velodyne, or both names joined where they differ."""
        forms = {"annotated" if _ANNOTATED.search(entry.files[1]) else "velodyne" for entry in self.entries}
        return {"truth": "+".join(sorted(forms))}

    def _depth_of(self, frame: _Where) -> str:
        return self._files.get((frame.drive, frame.camera, frame.number), "") or self._files.get(
            (frame.drive, "", frame.number), ""
        )

    def _entry(self, tree: Tree, frame: _Where) -> Entry:
        calibration = tree.first(f"**/{frame.drive[:10]}/calib_cam_to_cam.txt", "calib_cam_to_cam.txt")
        cropped = _CROPPED.fullmatch(frame.photo)
        if cropped:
            calibration = frame.photo.replace("image/", "intrinsics/", 1).removesuffix(".png") + ".txt"
        depth = self._depth_of(frame)
        split = next((part for part in ("train", "val") if f"{part}/{frame.drive}/" in depth), "")
        files = (frame.photo, depth, *((calibration,) if calibration else ()))
        return Entry(f"{frame.drive}/{frame.camera}/{frame.number}", frame.drive, split, files)

    def _sample(self, entry: Entry) -> Sample:
        photo, depth, *calibration = entry.files
        name = entry.id.split("/")[1]
        width, height = size_of(self.tree.read(photo), self.tree.called(photo))
        camera = self._camera(calibration, name, width, height)
        image = read_photo(self.tree, photo, camera=camera)
        truth = self._truth(depth, calibration, name, image.camera)
        if truth.shape != (height, width):
            raise DatasetError(
                f"{self.tree.called(depth)!r} is {truth.width}x{truth.height}, its photo {width}x{height}",
                hint="they are not of one frame",
            )
        return Sample(entry.id, image, truth, entry.scene, entry.split)

    def _camera(self, calibration: list[str], name: str, width: int, height: int) -> Camera | None:
        if not calibration:
            return None
        if "intrinsics/" in calibration[0]:
            fx, _, cx, _, fy, cy = rows_of_numbers(self.tree, calibration[0]).ravel()[:6]
            return Camera(fx, fy, cx, cy, width, height)
        return self._rig(calibration[0]).camera(name, width, height)

    def _rig(self, calibration: str) -> Rig:
        if calibration not in self._rigs:
            self._rigs[calibration] = read_rig(self.tree, calibration)
        return self._rigs[calibration]

    def _truth(self, depth: str, calibration: list[str], name: str, camera: Camera) -> DepthMap:
        data, called = self.tree.read(depth), self.tree.called(depth)
        if depth.endswith(".png"):
            return as_metres(decode_plane(data, called), encoding_of("kitti"), camera=camera, name=called)
        if depth.endswith(".npz"):
            stored: NDArray[np.float32] = array_of(data, called, member="velodyne_depth").astype(np.float32)
            return DepthMap(stored, Kind(), valid=np.isfinite(stored) & (stored > 0), camera=camera)
        if len(data) == 0 or len(data) % 16:
            raise DatasetError(
                f"{called!r} holds {len(data):,} bytes, no whole number of points of 16", hint="copy it again"
            )
        if not calibration or not self._rig(calibration[0]).has_scanner:
            raise DatasetError(
                f"{called!r} cannot be projected without calib_velo_to_cam.txt",
                hint="copy the drive's calibration beside it",
            )
        points = np.frombuffer(data, np.float32).reshape(-1, 4)[:, :3]
        values = points_to_depth(points, self._rig(calibration[0]).projection(name), camera)
        return DepthMap(values, Kind(), valid=np.isfinite(values), camera=camera)


def _photos(tree: Tree) -> list[_Where]:
    found = []
    for name in tree.names:
        match = _IMAGE.fullmatch(name)
        if match:
            found.append(_Where(name, *match.groups()))
            continue
        cropped = _CROPPED.fullmatch(name)
        if cropped:
            _, drive, number, camera = cropped.groups()
            found.append(_Where(name, drive, camera, number))
    return found


def _depth_files(tree: Tree, truth: str) -> dict[tuple[str, str, str], str]:
    """Depth by drive, camera and frame; what is asked for, the surest last so that it stays."""
    forms = {
        "velodyne": (
            r"(?:.*/)?([^/]+)/velodyne_points/data/(?P<n>\d{10})\.bin",
            r"(?:.*/)?([^/]+)/proj_depth/velodyne(?:_raw)?/(?P<c>image_0[23])/(?P<n>\d{10})\.(?:npz|png)",
        ),
        "annotated": (
            r"(?:.*/)?([^/]+)/proj_depth/groundtruth/(?P<c>image_0[23])/(?P<n>\d{10})\.png",
            r"(?:.*/)?groundtruth_depth/(.+_sync)_groundtruth_depth_(?P<n>\d{10})_(?P<c>image_0[23])\.png",
        ),
    }
    found: dict[tuple[str, str, str], str] = {}
    for form in ("velodyne", "annotated"):
        for pattern in forms[form] if truth in ("auto", form) else ():
            fits = re.compile(pattern)
            for name in tree.names:
                match = fits.fullmatch(name)
                if match:
                    parts = match.groupdict()
                    found[match.group(1), parts.get("c", ""), parts["n"]] = name
    return found


def _listed(path: Path, frames: list[_Where]) -> list[_Where]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(
            f"the list {str(path)!r} cannot be read ({error})", hint="name a text file"
        ) from error
    by_key = {(frame.drive, frame.camera, frame.number): frame for frame in frames}
    kept = []
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or (len(words) > 1 and words[1] == "None"):
            continue
        key = _key(words)
        if key is None:
            raise DatasetError(
                f"{str(path)!r}, row {number}: {line!r} is in neither public form",
                hint="rows are '<photo> <depth> <focal>' or '<date>/<drive> <number> <l|r>'",
            )
        if key not in by_key:
            raise DatasetError(
                f"{str(path)!r}, row {number}: no photo {'/'.join(key)} is there", hint="copy that drive too"
            )
        kept.append(by_key[key])
    return kept


def _key(words: list[str]) -> tuple[str, str, str] | None:
    match = _IMAGE.fullmatch(words[0])
    if match:
        drive, camera, number = match.groups()
        return drive, camera, number
    if len(words) == 3 and words[1].isdigit() and words[2] in ("l", "r"):
        return (
            words[0].rpartition("/")[2],
            {"l": "image_02", "r": "image_03"}[words[2]],
            f"{int(words[1]):010}",
        )
    return None
