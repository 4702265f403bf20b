"""One item of a dataset: a photo and its true depth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.image import Image

__all__ = ["Entry", "Sample"]

_SPLITS = ("", "train", "val", "test")


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a sample before anything is decoded.

    Args:
        id: Unique within the dataset, stable between runs and machines.
        scene: The place it was taken in; splits keep scenes whole. Empty where unknown.
        split: ``"train"``, ``"val"``, ``"test"``, or empty where unknown.
        files: Names of the files it is read from, relative to the dataset's root: photo first, then depth, then others.

    Raises:
        InputError: The id is empty, or the split has another name.
    """

    id: str
    scene: str = ""
    split: str = ""
    files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check(self.id, self.split)


@dataclass(frozen=True, eq=False)
class Sample:
    """A photo with its true depth.

    Convention:
        Photo and truth see the same view. Where their sizes differ (a phone's LiDAR has fewer pixels than its photo),
        the truth's camera is the photo's, resized.

    Args:
        id: Unique within the dataset, stable between runs.
        image: The photo, upright, with the dataset's own camera.
        truth: Its depth, with the kind the dataset states.
        scene: The place it was taken in; splits keep scenes whole. Empty where unknown.
        split: ``"train"``, ``"val"``, ``"test"``, or empty where unknown.
        T_world_camera: Pose, float64 (4, 4), from the camera's OpenCV axes to the world, metres; None where unknown.

    Raises:
        InputError: The id is empty, the split has another name, or the pose is not a finite (4, 4) matrix.
    """

    id: str
    image: Image
    truth: DepthMap
    scene: str = ""
    split: str = ""
    T_world_camera: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        _check(self.id, self.split)
        pose = self.T_world_camera
        if pose is not None and (np.shape(pose) != (4, 4) or not bool(np.isfinite(pose).all())):
            raise InputError(
                f"the pose of sample {self.id!r} is not a finite 4x4 matrix",
                hint="leave it out where unknown",
            )

    def __repr__(self) -> str:
        return f"Sample {self.id!r}: {self.image!r}, {self.truth!r}"


def _check(id: str, split: str) -> None:
    if not id:
        raise InputError("a sample has an empty id", hint="give every sample a name of its own")
    if split not in _SPLITS:
        raise InputError(f"split {split!r} is not train, val or test", hint="leave it empty where unknown")
