"""NYU as DenseDepth's ``nyu_data.zip`` holds it: two lists, 8-bit training depth and 16-bit test depth.

Rows are ``data/nyu2_train/<scene>_out/1.jpg,data/nyu2_train/<scene>_out/1.png``. Training depth is 8-bit with 255 = 10 m,
inpainted; test depth is 16-bit millimetres (DenseDepth's issues 122 and 146), filled too: its code divides by it without a
mask. Of how many bits a file is, it says itself.
"""

from __future__ import annotations

import csv
import io
from typing import ClassVar

from leadline.core.errors import DatasetError
from leadline.core.sample import Entry, Sample
from leadline.datasets.frames import Frames, read_photo
from leadline.datasets.nyu_calibration import CAMERA
from leadline.io.encodings import as_metres, encoding_of
from leadline.io.rasters import decode_plane
from leadline.io.trees import Tree

__all__ = ["NyuDenseDepth"]

_LISTS = (("train", "nyu2_train.csv"), ("test", "nyu2_test.csv"))


class NyuDenseDepth(Frames):
    """DenseDepth's lists.

    Args:
        tree: The zip, or the folder it was unpacked to.

    Raises:
        DatasetError: A list names a file that is not there, or has a row that is no pair.
    """

    truths: ClassVar[tuple[str, ...]] = ("filled",)

    def __init__(self, tree: Tree) -> None:
        entries = []
        for split, name in _LISTS:
            listed = tree.first(name, f"data/{name}", f"**/{name}")
            if listed:
                entries += _rows(tree, listed, split)
        super().__init__(tree, entries)

    @staticmethod
    def recognise(tree: Tree) -> str:
        """Says why a place is of this layout, or nothing."""
        name = tree.first("**/nyu2_train.csv", "**/nyu2_test.csv")
        return f"{name}, DenseDepth's list" if name else ""

    def _sample(self, entry: Entry) -> Sample:
        photo, depth = entry.files
        image = read_photo(self.tree, photo, camera=CAMERA)
        stored = decode_plane(self.tree.read(depth), self.tree.called(depth))
        encoding = encoding_of("8bit-10m" if stored.dtype.itemsize == 1 else "mm")
        truth = as_metres(stored, encoding, camera=CAMERA, name=self.tree.called(depth))
        return Sample(entry.id, image, truth, entry.scene, entry.split)


def _rows(tree: Tree, listed: str, split: str) -> list[Entry]:
    base = listed.rpartition("/")[0]
    entries, missing = [], []
    for number, row in enumerate(csv.reader(io.StringIO(tree.text(listed))), 1):
        if not row:
            continue
        if len(row) != 2:
            raise DatasetError(
                f"{tree.called(listed)!r}, row {number}: {','.join(row)!r} is no photo and depth",
                hint="each row is PHOTO,DEPTH",
            )
        files = tuple(_resolved(tree, base, name.strip()) for name in row)
        missing += [name for name in files if name not in tree]
        folder, _, stem = files[0].rpartition("/")
        scene = folder.rpartition("/")[2].removesuffix("_out") if split == "train" else ""
        entries.append(
            Entry(f"{split}/{scene}/{stem[:-4]}".replace("//", "/"), scene=scene, split=split, files=files)
        )
    if missing:
        raise DatasetError(
            f"{tree.called(listed)!r} names {len(missing):,} files that are not there, such as {missing[0]!r}",
            hint="unpack nyu_data.zip again",
        )
    return entries


def _resolved(tree: Tree, base: str, name: str) -> str:
    """Lists say ``data/…`` from beside the folder ``data``; they may lie in it."""
    inside = f"{base}/{name.removeprefix('data/')}".strip("/")
    return inside if inside in tree else name
