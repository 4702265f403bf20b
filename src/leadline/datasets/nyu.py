"""NYU Depth V2 (Silberman, Hoiem, Kohli & Fergus, ECCV 2012): photos of rooms with Kinect depth.

The layout read here is a folder with ``image/NNNN.jpg`` and ``depth/NNNN.png``, where NNNN is the frame's index in the
labelled set. Both are stored mirrored and are turned back. Depth is 8-bit: metres = (v + 0.5) · 9.99547 / 255, filled, so a
step is 4 cm. Only the window that the benchmark scores (the Eigen crop, Eigen, Puhrsch & Fergus, NeurIPS 2014) is marked
valid; around it lies a white border, and depth that was made up near it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.core.sample import Sample
from leadline.plugins.specs import DatasetSpec

__all__ = ["CAMERA", "EIGEN_CROP", "SPEC", "NyuFolder"]

CAMERA = Camera(518.8579, 519.4696, 325.5824, 253.7362, 640, 480)
"""The dataset's own calibration of its colour camera."""

EIGEN_CROP = (slice(45, 471), slice(41, 601))
"""Rows and columns that every NYU table scores."""

MAX_M = 9.99547

SPEC = DatasetSpec(
    name="nyu",
    adapter="leadline.datasets.nyu:NyuFolder",
    summary="NYU Depth V2, labelled frames as mirrored 8-bit image/ and depth/ folders",
    licence="research use; no commercial terms are published",
)


class NyuFolder:
    """A folder of NYU frames.

    Args:
        path: Folder that holds ``image`` and ``depth``.

    Raises:
        DatasetError: There are no such frames, or a photo lacks its depth.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        photos = {p.stem for p in path.glob("image/*.jpg")}
        depths = {p.stem for p in path.glob("depth/*.png")}
        if not photos:
            raise DatasetError(
                f"{str(path)!r} holds no image/*.jpg", hint="name the folder that holds image/ and depth/"
            )
        alone = sorted(photos ^ depths)
        if alone:
            raise DatasetError(
                f"{len(alone)} of {len(photos | depths)} frames in {str(path)!r} lack photo or depth, such as {alone[0]!r}",
                hint="copy the folder again",
            )
        self.ids = sorted(photos)

    @property
    def kind(self) -> Kind:
        """Metres along the axis."""
        return Kind()

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Sample:
        """One frame, turned back.

        Args:
            index: Position in the order of ids.

        Returns:
            The sample; its split is ``train``, its scene is not known.

        Raises:
            DatasetError: A file cannot be read, or has another size or number of channels.
        """
        name = self.ids[index]
        photo = self.path / "image" / f"{name}.jpg"
        rgb = self._read(photo, channels=3)
        stored = self._read(self.path / "depth" / f"{name}.png", channels=1)
        metres = (stored.astype(np.float32) + np.float32(0.5)) * np.float32(MAX_M / 255)
        valid = np.zeros(stored.shape, bool)
        valid[EIGEN_CROP] = True
        image = Image(rgb, replace(CAMERA), str(photo))
        return Sample(name, image, DepthMap(metres, self.kind, valid=valid, camera=CAMERA), split="train")

    def _read(self, path: Path, *, channels: int) -> NDArray[np.uint8]:
        from PIL import Image as PilImage

        try:
            with PilImage.open(path) as picture:
                array = np.asarray(picture)
        except (OSError, SyntaxError) as error:
            raise DatasetError(
                f"{str(path)!r} cannot be read: {error}", hint="copy the file again"
            ) from error
        expected = (CAMERA.height, CAMERA.width) + ((channels,) if channels > 1 else ())
        if array.shape != expected or array.dtype != np.uint8:
            raise DatasetError(
                f"{str(path)!r} has shape {array.shape} and type {array.dtype}, not uint8 {expected}",
                hint="this is not the layout that leadline.datasets.nyu describes",
            )
        return np.ascontiguousarray(array[:, ::-1])
