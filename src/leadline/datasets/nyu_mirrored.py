"""Labelled NYU frames as 8-bit folders: ``image/NNNN.jpg`` and ``depth/NNNN.png``, NNNN the index in the labelled set.

Photo and depth are both stored mirrored and are turned back. Depth is filled, metres = (v + 0.5) · 9.99547 / 255, so a
step is 4 cm. Around the benchmark's window lies a white border in the photo, and depth that was made up near it: for
training, open it with ``window=eigen``.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.core.sample import Entry, Sample
from leadline.datasets.frames import Frames
from leadline.datasets.nyu_calibration import CAMERA
from leadline.io.rasters import decode_plane, decode_rgb
from leadline.io.trees import Tree

__all__ = ["MAX_M", "NyuMirrored"]

MAX_M = 9.99547
"""Depth of level 255.5."""

_SHAPE = (CAMERA.height, CAMERA.width)


class NyuMirrored(Frames):
    """Mirrored 8-bit frames.

    Args:
        tree: Folder or archive that holds ``image`` and ``depth``.

    Raises:
        DatasetError: There are no such frames, or a photo lacks its depth.
    """

    truths: ClassVar[tuple[str, ...]] = ("filled",)

    def __init__(self, tree: Tree) -> None:
        photos = {name[6:-4] for name in tree.match("image/*.jpg")}
        depths = {name[6:-4] for name in tree.match("depth/*.png")}
        if not photos:
            raise DatasetError(
                f"{str(tree.path)!r} holds no image/*.jpg",
                hint="name the folder that holds image/ and depth/",
            )
        alone = sorted(photos ^ depths)
        if alone:
            raise DatasetError(
                f"{len(alone)} of {len(photos | depths)} frames in {str(tree.path)!r} lack photo or depth, such as {alone[0]!r}",
                hint="copy the folder again",
            )
        super().__init__(
            tree,
            [Entry(n, split="train", files=(f"image/{n}.jpg", f"depth/{n}.png")) for n in sorted(photos)],
        )

    @staticmethod
    def recognise(tree: Tree) -> str:
        """Says why a place is of this layout, or nothing."""
        photos = tree.match("image/[0-9][0-9][0-9][0-9].jpg")
        pairs = bool(photos) and f"depth/{photos[0][6:-4]}.png" in tree
        others = any(
            name.split("/")[0] not in ("image", "depth") for name in tree.names[:3] + tree.names[-3:]
        )
        return "image/NNNN.jpg beside depth/NNNN.png, four digits" if pairs and not others else ""

    def _sample(self, entry: Entry) -> Sample:
        photo, depth = entry.files
        rgb = decode_rgb(self.tree.read(photo), self.tree.called(photo))
        stored = decode_plane(self.tree.read(depth), self.tree.called(depth))
        self._check(rgb, photo, (*_SHAPE, 3))
        self._check(stored, depth, _SHAPE)
        metres = (_turned(stored).astype(np.float32) + np.float32(0.5)) * np.float32(MAX_M / 255)
        metres.flags.writeable = False
        image = Image(_turned(rgb), CAMERA, self.tree.called(photo))
        return Sample(entry.id, image, DepthMap(metres, Kind(), camera=CAMERA), split=entry.split)

    def _check(self, array: NDArray[np.generic], name: str, shape: tuple[int, ...]) -> None:
        if array.shape != shape or array.dtype != np.uint8:
            raise DatasetError(
                f"{self.tree.called(name)!r} has shape {array.shape} and type {array.dtype}, not uint8 {shape}",
                hint="this is not NYU's mirrored layout; 'leadline data doctor' says what it looks like",
            )


def _turned(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    turned = np.ascontiguousarray(array[:, ::-1])
    turned.flags.writeable = False
    return turned
