"""The labelled NYU set as published: ``nyu_depth_v2_labeled.mat``, 1449 frames with filled and raw depth.

A MATLAB 7.3 file is HDF5 with every axis turned round: ``images`` (N, 3, W, H), ``depths`` and ``rawDepths`` (N, W, H) in
metres, ``scenes`` and ``rawRgbFilenames`` as references to arrays of characters. The official split has 795 training and
654 test frames; it ships here as data and is read from ``splits.mat``'s equivalent only in that form.
"""

from __future__ import annotations

import threading
from importlib import resources
from typing import Any, ClassVar

import numpy as np

from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.core.sample import Entry, Sample
from leadline.datasets.frames import Frames
from leadline.datasets.nyu_calibration import CAMERA
from leadline.io.trees import Tree
from leadline.plugins.need import need

__all__ = ["NyuMat", "official_training_frames"]

_FRAMES = 1449
_DAMAGED = (OSError, KeyError, ValueError, RuntimeError)


def official_training_frames() -> frozenset[int]:
    """The 795 official training frames, as 0-based positions in the labelled set.

    Example:
        >>> len(official_training_frames())
        795
    """
    text = resources.files("leadline.data.splits").joinpath("nyu_labelled_train.txt").read_text("utf-8")
    words = " ".join(line for line in text.splitlines() if not line.startswith("#")).split()
    runs = [[int(end) for end in word.split("-")] for word in words]
    return frozenset(number for run in runs for number in range(run[0], run[-1] + 1))


class NyuMat(Frames):
    """The labelled .mat file.

    Args:
        tree: The file, or the folder or archive it lies in.
        truth: ``"filled"`` for ``depths``, ``"raw"`` for ``rawDepths``.

    Raises:
        DatasetError: There is no such file, or it is damaged.
        MissingExtra: h5py is not installed.
    """

    truths: ClassVar[tuple[str, ...]] = ("filled", "raw")

    def __init__(self, tree: Tree, *, truth: str = "filled") -> None:
        self.name = tree.focus or tree.first("**/*labeled*.mat")
        if not self.name:
            raise DatasetError(f"{tree!r} holds no nyu_depth_v2_labeled.mat", hint="name the file")
        self.depth_name = {"filled": "depths", "raw": "rawDepths"}[truth]
        self._lock, self._file = threading.Lock(), None
        self.tree = tree
        with self._lock:
            scenes = self._scenes()
        train = official_training_frames()
        official = len(scenes) == _FRAMES
        super().__init__(
            tree,
            [
                Entry(
                    f"{k:04}",
                    scene=scene,
                    split=("train" if k in train else "test") if official else "",
                    files=(self.name,),
                )
                for k, scene in enumerate(scenes)
            ],
        )

    @staticmethod
    def recognise(tree: Tree) -> str:
        """Says why a place is of this layout, or nothing."""
        if tree.focus:
            labelled = tree.focus.lower().endswith(".mat") and "label" in tree.focus.lower()
            return f"{tree.focus}, the labelled set" if labelled else ""
        name = tree.first("**/*labeled*.mat")
        return f"{name}, the labelled set" if name else ""

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_lock": None, "_file": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())

    def _open(self) -> Any:
        if self._file is None:
            h5py = need("h5py", who="NYU's labelled .mat", extra="data")
            path = self.tree.local(self.name)
            try:
                self._file = h5py.File(path, "r")
            except OSError as error:
                raise DatasetError(
                    f"{str(path)!r} is no MATLAB 7.3 file, or is cut short after {path.stat().st_size:,} bytes ({error})",
                    hint="fetch nyu_depth_v2_labeled.mat again (2.8 GB)",
                ) from error
        return self._file

    def _scenes(self) -> list[str]:
        file = self._open()
        try:
            count = int(file["images"].shape[0])
            if file[self.depth_name].shape[0] != count:
                raise ValueError(f"{count} images, {file[self.depth_name].shape[0]} depths")
            if "scenes" not in file:
                return [""] * count
            return ["".join(map(chr, np.ravel(file[reference]))) for reference in np.ravel(file["scenes"])]
        except _DAMAGED as error:
            raise DatasetError(
                f"{self.tree.called(self.name)!r} does not hold images, {self.depth_name} and scenes as the labelled set does ({error})",
                hint="fetch nyu_depth_v2_labeled.mat again (2.8 GB)",
            ) from error

    def _sample(self, entry: Entry) -> Sample:
        number = int(entry.id)
        try:
            with self._lock:
                file = self._open()
                rgb_3WH = np.asarray(file["images"][number])
                depth_WH = np.asarray(file[self.depth_name][number], np.float32)
        except _DAMAGED as error:
            if isinstance(error, DatasetError):
                raise
            raise DatasetError(
                f"{self.tree.called(self.name)!r}, frame {number}: cannot be read ({error})",
                hint="fetch the file again",
            ) from error
        depth = np.ascontiguousarray(depth_WH.T)
        camera = CAMERA.resized(depth.shape[1], depth.shape[0])
        image = Image(
            np.ascontiguousarray(rgb_3WH.transpose(2, 1, 0)),
            camera,
            f"{self.tree.called(self.name)}#{number}",
        )
        return Sample(entry.id, image, DepthMap(depth, Kind(), camera=camera), entry.scene, entry.split)
