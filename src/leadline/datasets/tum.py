"""TUM RGB-D (Sturm et al., IROS 2012) and what is recorded in its form: lists of photos and depths with times.

A photo belongs to the depth nearest in time, each used once, the closest pairs first, up to 0.02 s apart, as the
benchmark's own ``associate.py`` does; an ``associations.txt`` is taken as it is. Depth is 1/5000 m; recordings of others in
this form are often in millimetres, which is seen from the first frame: no Kinect sees nearer than 0.4 m.
"""

from __future__ import annotations

import re
from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.errors import DatasetError
from leadline.core.sample import Entry, Sample
from leadline.datasets.frames import Frames, read_photo
from leadline.datasets.poses import from_quaternion
from leadline.io.encodings import as_metres, encoding_of
from leadline.io.rasters import decode_plane
from leadline.io.trees import Tree
from leadline.plugins.specs import DatasetOption, DatasetSpec

__all__ = ["SPEC", "Tum", "associate", "recognise"]

SPEC = DatasetSpec(
    name="tum",
    adapter="leadline.datasets.tum:Tum",
    recognise="leadline.datasets.tum:recognise",
    summary="TUM RGB-D and recordings in its form: lists of photos and depths with times",
    licence="CC BY 4.0 (TUM's own)",
    layout="""rgb.txt, depth.txt            time and file a line      or associations.txt: both on one line
groundtruth.txt               time tx ty tz qx qy qz qw (optional)
rgb/*.png, depth/*.png        16-bit, 1/5000 m""",
    options=(
        DatasetOption(
            "encoding", "Unit of the depth; auto sees it from the first frame.", "auto", ("auto", "tum", "mm")
        ),
        DatasetOption(
            "missing", "What to do about files that are listed but not there.", "raise", ("raise", "skip")
        ),
        DatasetOption("max_difference_s", "Longest time between a photo and its depth.", 0.02),
    ),
    paper="https://cvg.cit.tum.de/data/datasets/rgbd-dataset",
)

_CAMERAS = {
    "freiburg1": Camera(517.3, 516.5, 318.6, 255.3, 640, 480),
    "freiburg2": Camera(520.9, 521.0, 325.1, 249.7, 640, 480),
    "freiburg3": Camera(535.4, 539.2, 320.1, 247.6, 640, 480),
}
_NEAREST_M, _FARTHEST_MEDIAN_M = 0.4, 8.0


def recognise(tree: Tree) -> str:
    """Says why a place is in TUM's form, or nothing."""
    name = tree.first("associations.txt", "*/associations.txt")
    if name:
        return f"{name}, pairs of photos and depths"
    for rgb in (*tree.match("rgb.txt"), *tree.match("*/rgb.txt")):
        if rgb.replace("rgb.txt", "depth.txt") in tree:
            return f"{rgb} and depth.txt, lists with times"
    return ""


def associate(first: list[float], second: list[float], *, max_difference_s: float) -> list[tuple[int, int]]:
    """Pairs times that are nearest to each other, each used once, the closest pairs first.

    Args:
        first: Times in seconds, sorted.
        second: Others, sorted.
        max_difference_s: Pairs farther apart are none.

    Returns:
        Positions in both, in the order of the first.

    Example:
        >>> associate([0.0, 1.0], [0.99, 5.0], max_difference_s=0.02)
        [(1, 0)]
    """
    near = []
    for i, time in enumerate(first):
        at = bisect_left(second, time - max_difference_s)
        while at < len(second) and second[at] <= time + max_difference_s:
            near.append((abs(second[at] - time), i, at))
            at += 1
    taken_first: set[int] = set()
    taken_second: set[int] = set()
    pairs = []
    for _, i, j in sorted(near):
        if i not in taken_first and j not in taken_second:
            taken_first.add(i)
            taken_second.add(j)
            pairs.append((i, j))
    return sorted(pairs)


class Tum(Frames):
    """Recordings in TUM's form.

    Args:
        tree: A sequence's folder, or a folder of several.
        encoding: ``"tum"`` (1/5000 m), ``"mm"``, or ``"auto"``.
        missing: ``"skip"`` leaves pairs out of which a file is not there.
        max_difference_s: Longest time between a photo and its depth.

    Raises:
        DatasetError: A list cannot be read, or names files that are not there.
    """

    def __init__(
        self, tree: Tree, *, encoding: str = "auto", missing: str = "raise", max_difference_s: float = 0.02
    ) -> None:
        self._encoding = encoding
        self._poses: dict[str, tuple[list[float], NDArray[np.float64]]] = {}
        lists = tree.match("**/associations.txt") or tree.match("**/rgb.txt")
        pairs = [pair for name in lists for pair in _pairs(tree, name, max_difference_s)]
        lacking = [n for entry, _ in pairs for n in entry.files if n not in tree]
        if lacking and missing == "raise":
            raise DatasetError(
                f"the lists in {str(tree.path)!r} name {len(lacking):,} files that are not there, such as {lacking[0]!r}",
                hint="copy them, or go on without with --option missing=skip",
            )
        kept = [(entry, time) for entry, time in pairs if all(name in tree for name in entry.files)]
        self._times = {entry.id: time for entry, time in kept}
        super().__init__(tree, [entry for entry, _ in kept])

    def _sample(self, entry: Entry) -> Sample:
        photo, depth = entry.files
        stored = decode_plane(self.tree.read(depth), self.tree.called(depth))
        camera = self._camera(entry, stored.shape[1], stored.shape[0])
        image = read_photo(self.tree, photo, camera=camera)
        if self._encoding == "auto":
            self._encoding = _unit(stored)
        truth = as_metres(
            stored, encoding_of(self._encoding), camera=image.camera, name=self.tree.called(depth)
        )
        if self._encoding == "tum":
            known = truth.valid & (stored != 65535)
            truth = type(truth)(truth.values, truth.kind, valid=known, camera=truth.camera)
        return Sample(entry.id, image, truth, entry.scene, entry.split, self._pose(entry))

    def _camera(self, entry: Entry, width: int, height: int) -> Camera | None:
        where = f"{self.tree.path.name}/{entry.scene}"
        for name, camera in _CAMERAS.items():
            if name in where and (camera.width, camera.height) == (width, height):
                return camera
        return None

    def _pose(self, entry: Entry) -> NDArray[np.float64] | None:
        name = f"{entry.scene}/groundtruth.txt".lstrip("/")
        if name not in self.tree:
            return None
        if name not in self._poses:
            rows = _timed(self.tree, name, words=8)
            self._poses[name] = ([time for time, _ in rows], np.array([list(map(float, w)) for _, w in rows]))
        times, rows_N7 = self._poses[name]
        time = self._times[entry.id]
        at = bisect_left(times, time)
        nearest = min(range(max(at - 1, 0), min(at + 1, len(times))), key=lambda k: abs(times[k] - time))
        if abs(times[nearest] - time) > 0.05:
            return None
        return from_quaternion(rows_N7[nearest, :3], rows_N7[nearest, 3:])


def _unit(stored: NDArray[np.integer]) -> str:
    known = stored[(stored > 0) & (stored < 65535)].astype(np.int64)
    if not known.size or float((known % 5 == 0).mean()) > 0.9:
        return "tum"
    median = float(np.median(known))
    return "tum" if median / 1000 > _FARTHEST_MEDIAN_M and median / 5000 > _NEAREST_M else "mm"


def _pairs(tree: Tree, name: str, max_difference_s: float) -> list[tuple[Entry, float]]:
    folder = name.rpartition("/")[0]
    lead = f"{folder}/" if folder else ""
    if name.endswith("associations.txt"):
        found = [(time, words[0], words[2]) for time, words in _timed(tree, name, words=4)]
    else:
        photos = sorted(_timed(tree, name, words=2))
        depths = sorted(_timed(tree, f"{lead}depth.txt", words=2))
        paired = associate([t for t, _ in photos], [t for t, _ in depths], max_difference_s=max_difference_s)
        found = [(photos[i][0], photos[i][1][0], depths[j][1][0]) for i, j in paired]
    return [
        (Entry(f"{lead}{re.sub('[.][^.]*$', '', photo)}", folder, files=(lead + photo, lead + depth)), time)
        for time, photo, depth in found
    ]


def _timed(tree: Tree, name: str, *, words: int) -> list[tuple[float, list[str]]]:
    """Lines that begin with a time and have a number of words."""
    rows = []
    for number, line in enumerate(tree.text(name).splitlines(), 1):
        parts = line.replace(",", " ").split()
        if not parts or parts[0].startswith("#"):
            continue
        try:
            if len(parts) != words:
                raise ValueError(f"{len(parts)} words, not {words}")
            rows.append((float(parts[0]), parts[1:]))
        except ValueError as error:
            raise DatasetError(
                f"{tree.called(name)!r}, line {number}: {line!r} is no line of TUM's form ({error})",
                hint="see 'leadline data info tum'",
            ) from error
    return rows
