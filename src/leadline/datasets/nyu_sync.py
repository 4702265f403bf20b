"""NYU video frames synchronised and registered: ``rgb_00000.jpg`` with ``sync_depth_00000.png`` (16-bit millimetres).

As BTS and AdaBins circulate it: one folder a scene, both files in it; or ``rgb/`` and ``depth/`` folders. Depth is raw: BTS
writes its test frames from the labelled set's ``rawDepths`` and its training frames from projected Kinect frames, and fills
neither.
"""

from __future__ import annotations

from typing import ClassVar

from leadline.core.errors import DatasetError
from leadline.core.sample import Entry, Sample
from leadline.datasets.frames import Frames, read_photo
from leadline.datasets.nyu_calibration import CAMERA
from leadline.io.encodings import as_metres, encoding_of
from leadline.io.rasters import decode_plane
from leadline.io.trees import Tree

__all__ = ["NyuSync"]


class NyuSync(Frames):
    """Frames with ``sync_depth`` PNGs.

    Args:
        tree: Folder or archive that holds them at any depth.

    Raises:
        DatasetError: A depth file has no photo.
    """

    truths: ClassVar[tuple[str, ...]] = ("raw",)

    def __init__(self, tree: Tree) -> None:
        super().__init__(tree, [self._entry(tree, depth) for depth in tree.match("**/sync_depth_*.png")])

    @staticmethod
    def recognise(tree: Tree) -> str:
        """Says why a place is of this layout, or nothing."""
        if any(name.endswith((".json", ".csv")) for name in tree.names if "/" not in name):
            return ""
        return "rgb_*.jpg beside sync_depth_*.png" if tree.first("**/sync_depth_*.png") else ""

    @staticmethod
    def _entry(tree: Tree, depth: str) -> Entry:
        folder, _, file = depth.rpartition("/")
        number = file.removeprefix("sync_depth_").removesuffix(".png")
        beside = f"{folder}/" if folder else ""
        above = beside.removesuffix("depth/") if beside.endswith("depth/") else beside
        for photo in (f"{beside}rgb_{number}.jpg", f"{above}rgb/rgb_{number}.jpg"):
            if photo in tree:
                scene = above.strip("/")
                return Entry(f"{scene}/{number}" if scene else number, scene=scene, files=(photo, depth))
        raise DatasetError(
            f"{tree.called(depth)!r} has no rgb_{number}.jpg beside it", hint="copy the folder again"
        )

    def _sample(self, entry: Entry) -> Sample:
        photo, depth = entry.files
        image = read_photo(self.tree, photo, camera=CAMERA)
        stored = decode_plane(self.tree.read(depth), self.tree.called(depth))
        truth = as_metres(stored, encoding_of("mm"), camera=CAMERA, name=self.tree.called(depth))
        return Sample(entry.id, image, truth, entry.scene, entry.split)
