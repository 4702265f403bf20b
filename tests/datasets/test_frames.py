"""What every dataset inherits: positions, ids, photos, tables of numbers, and faults told with their frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PilImage

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError
from leadline.core.kind import Kind
from leadline.core.sample import Entry, Sample
from leadline.datasets.frames import Frames, read_photo, rows_of_numbers
from leadline.io.trees import Tree, open_tree
from leadline.testing.scenes import noise_photo


class Made(Frames):
    """Three frames, of which the last has an impossible depth."""

    def __init__(self, tree: Tree, ids: tuple[str, ...] = ("a", "b", "bad")) -> None:
        super().__init__(tree, [Entry(name) for name in ids])

    def _sample(self, entry: Entry) -> Sample:
        values = np.full((2, 3), -1.0 if entry.id == "bad" else 2.0)
        truth = DepthMap(values, Kind(), valid=np.ones((2, 3), bool))
        return Sample(entry.id, noise_photo(2, 3), truth)


def test_frames_are_read_by_position(tmp_path: Path) -> None:
    frames = Made(open_tree(tmp_path))
    assert len(frames) == 3
    assert [frames[0].id, frames[-2].id, next(iter(frames)).id] == ["a", "b", "a"]
    with pytest.raises(IndexError):
        frames[3]


def test_a_fault_names_frame_and_place(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"frame 'bad' of Tree .*: valid pixel .* mark such pixels invalid"
    ):
        Made(open_tree(tmp_path))[2]


def test_nothing_and_twice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no frame of this layout"):
        Made(open_tree(tmp_path), ids=())
    with pytest.raises(DatasetError, match=r"two frames of .* have the id 'a'"):
        Made(open_tree(tmp_path), ids=("a", "b", "a"))


def test_photos_have_the_camera_they_were_made_for(tmp_path: Path) -> None:
    PilImage.fromarray(noise_photo(4, 6).rgb_HW3).save(tmp_path / "a.png")
    tree = open_tree(tmp_path)
    assert read_photo(tree, "a.png", camera=None).camera == Camera.assumed(6, 4)
    camera = Camera.centred(5, 6, 4)
    photo = read_photo(tree, "a.png", camera=camera)
    assert photo.camera == camera
    assert np.array_equal(photo.rgb_HW3, noise_photo(4, 6).rgb_HW3)
    with pytest.raises(DatasetError, match=r"a\.png' is 6x4, but its camera is of 7x4"):
        read_photo(tree, "a.png", camera=Camera.centred(5, 7, 4))


def test_tables_of_numbers(tmp_path: Path) -> None:
    (tmp_path / "k.txt").write_text("# intrinsics\n500 0, 320\n\n0 500 240\n")
    tree = open_tree(tmp_path)
    assert rows_of_numbers(tree, "k.txt", columns=3).tolist() == [[500, 0, 320], [0, 500, 240]]
    with pytest.raises(DatasetError, match=r"k\.txt' is no table of numbers with 4 columns"):
        rows_of_numbers(tree, "k.txt", columns=4)
    for text in ("1 2\n3\n", "1 x\n", ""):
        (tmp_path / "bad.txt").write_text(text)
        with pytest.raises(DatasetError, match=r"bad\.txt' is no table of numbers \("):
            rows_of_numbers(tree, "bad.txt")
