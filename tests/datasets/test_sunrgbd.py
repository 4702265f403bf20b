"""SUN RGB-D: made frames, real ones decoded by hand, and damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PilImage

from leadline.core.errors import DatasetError
from leadline.flows.data.opening import open_dataset
from leadline.testing.layouts import sunrgbd as layout
from leadline.testing.layouts.pairs import pairs


def test_depth_scenes_and_cameras(tmp_path: Path) -> None:
    place, _ = layout.write(tmp_path)
    opened = open_dataset(place)
    assert opened.spec.name == "sunrgbd"
    assert [entry.id for entry in opened.entries] == list(layout.FRAMES)
    assert [entry.scene for entry in opened.entries] == [layout.FRAMES[0], *["brown_bm_1/brown_bm_1"] * 2]
    camera = opened[0].image.camera
    assert (camera.fx, camera.cy, camera.width) == (52.95, 26.5, 73)
    filled = open_dataset(place, options={"truth": "filled"})
    assert (opened.holds, filled.holds) == ({"truth": "raw"}, {"truth": "filled"})
    for k, (_, depth) in enumerate(pairs(camera)):
        assert np.allclose(filled[k].truth.values, depth.values, atol=0.00051)
        assert not opened[k].truth.valid[10:20, 10:20].any()
        assert opened[k].truth.valid.sum() == 73 * 53 - 100


def test_one_frame_alone_is_a_set(tmp_path: Path) -> None:
    layout.write(tmp_path)
    opened = open_dataset(tmp_path / layout.FRAMES[0])
    assert (opened.spec.name, len(opened), opened[0].id) == ("sunrgbd", 1, "frame")
    pose = opened[0].T_world_camera
    assert pose is not None
    assert pose[1, 2] == 0.199


@pytest.mark.parametrize("truth", ["raw", "filled"])
def test_real_frames_decode_as_the_formula_says(shared_data: Path, truth: str) -> None:
    opened = open_dataset(shared_data / "sunrgbd", options={"truth": truth})
    for sample, entry in zip(opened, opened.entries, strict=True):
        stored = np.asarray(PilImage.open(shared_data / "sunrgbd" / entry.files[1])).astype(np.int64)
        metres = ((stored >> 3) | (stored << 13 & 0xFFFF)) / 1000
        assert np.allclose(np.nan_to_num(sample.truth.values), metres, rtol=1e-6)
        assert sample.truth.camera == sample.image.camera


def test_faults(tmp_path: Path) -> None:
    place, _ = layout.write(tmp_path)
    first = tmp_path / layout.FRAMES[0]
    (first / "intrinsics.txt").write_text("0 0 0\n0 0 0\n0 0 1\n")
    with pytest.raises(DatasetError, match=r"intrinsics\.txt' is no 3x3 camera matrix"):
        open_dataset(place)[0]
    (first / "depth/0000103.png").unlink()
    with pytest.raises(DatasetError, match=r"1 of 3 frames .* lack depth/\*\.png .* such as .*resize"):
        open_dataset(place, name="sunrgbd")
    assert len(open_dataset(place, name="sunrgbd", options={"missing": "skip"})) == 2
    (first / "extrinsics/20140526.txt").write_text("1 2 3 4\n")
    assert open_dataset(place, name="sunrgbd", options={"truth": "filled"})[1].T_world_camera is not None
