"""NYU as .h5 files, one a frame: ``rgb`` uint8 (3, 480, 640) and ``depth`` float32 (480, 640) in metres.

As sparse-to-dense and FastDepth circulate it (Ma & Karaman, ICRA 2018): ``train/<scene>/00001.h5`` and
``val/official/00001.h5``, the latter the 654 labelled test frames with the labelled set's filled depth (users of the
files found them equal, NLSPN's issue 40). The training frames are brought to the colour camera and inpainted, as the paper
says (section IV-A); some holes are left in them all the same (NLSPN's issue 31).
"""

from __future__ import annotations

import io
from typing import ClassVar

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

__all__ = ["NyuH5"]

_SPLITS = {"train": "train", "val": "test", "test": "test"}


class NyuH5(Frames):
    """Frames in .h5 files.

    Args:
        tree: Folder or archive that holds ``train`` and ``val``.

    Raises:
        MissingExtra: h5py is not installed.
    """

    truths: ClassVar[tuple[str, ...]] = ("filled",)

    def __init__(self, tree: Tree) -> None:
        need("h5py", who="NYU's .h5 layout", extra="data")
        super().__init__(tree, [_entry(name) for name in tree.match("**/*.h5")])

    @staticmethod
    def recognise(tree: Tree) -> str:
        """Says why a place is of this layout, or nothing."""
        name = tree.first("train/*/[0-9]*.h5", "val/official/*.h5", "**/val/official/*.h5")
        return f"{name}, a frame as .h5" if name else ""

    def _sample(self, entry: Entry) -> Sample:
        h5py = need("h5py", who="NYU's .h5 layout", extra="data")
        name = self.tree.called(entry.files[0])
        try:
            with h5py.File(io.BytesIO(self.tree.read(entry.files[0])), "r") as file:
                rgb, depth = np.asarray(file["rgb"]), np.asarray(file["depth"], np.float32)
        except (OSError, KeyError, ValueError) as error:
            raise DatasetError(
                f"{name!r} is no .h5 frame with rgb and depth, or is damaged ({error})", hint="copy it again"
            ) from error
        if rgb.ndim != 3 or rgb.shape[0] != 3 or rgb.shape[1:] != depth.shape or rgb.dtype != np.uint8:
            raise DatasetError(
                f"{name!r} holds rgb {rgb.dtype} {rgb.shape} and depth {depth.shape}, not (3, H, W) and (H, W)",
                hint="this is not the layout of NYU's .h5 folders",
            )
        camera = CAMERA.resized(depth.shape[1], depth.shape[0])
        image = Image(np.ascontiguousarray(rgb.transpose(1, 2, 0)), camera, name)
        return Sample(entry.id, image, DepthMap(depth, Kind(), camera=camera), entry.scene, entry.split)


def _entry(name: str) -> Entry:
    folders = name.split("/")[:-1]
    split = next((_SPLITS[folder] for folder in folders if folder in _SPLITS), "")
    scene = folders[-1] if folders and folders[-1] not in (*_SPLITS, "official") else ""
    return Entry(name.removesuffix(".h5"), scene=scene, split=split, files=(name,))
