"""NYU folders: real frames against an independent reader's record, and made ones of the same layout."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PilImage

from leadline.core.errors import DatasetError
from leadline.core.kind import Kind
from leadline.datasets.nyu import CAMERA, EIGEN_CROP, NyuFolder
from leadline.plugins.ports import Dataset
from leadline.plugins.registry import DATASETS, load


def make(folder: Path, name: str, *, stored: np.ndarray | None = None) -> None:
    (folder / "image").mkdir(exist_ok=True)
    (folder / "depth").mkdir(exist_ok=True)
    column = np.arange(640, dtype=np.uint16)[None].repeat(480, 0)
    rgb = np.stack([column // 3, column // 3, column * 0], 2).astype(np.uint8)
    PilImage.fromarray(rgb).save(folder / "image" / f"{name}.jpg", quality=95)
    depth = (column // 4 + 1).astype(np.uint8) if stored is None else stored
    PilImage.fromarray(depth).save(folder / "depth" / f"{name}.png")


def test_photo_and_depth_are_turned_back_and_depth_is_in_metres(tmp_path: Path) -> None:
    make(tmp_path, "0007")
    (sample,) = NyuFolder(tmp_path)
    assert sample.id == "0007"
    assert sample.truth.kind == Kind()
    assert sample.image.rgb_HW3[240, 0, 0] > 200 > 20 > sample.image.rgb_HW3[240, 639, 0]
    # Column 100 was stored as column 539: level 539 // 4 + 1 = 135.
    assert sample.truth.values[100, 100] == pytest.approx(135.5 * 9.99547 / 255)
    assert sample.image.camera == sample.truth.camera == CAMERA


def test_only_the_benchmark_window_is_valid(tmp_path: Path) -> None:
    make(tmp_path, "0007")
    valid = NyuFolder(tmp_path)[0].truth.valid
    assert valid[EIGEN_CROP].all()
    assert valid.sum() == (471 - 45) * (601 - 41)


def test_real_frames_have_the_median_an_independent_reader_found(shared_data: Path) -> None:
    folder = NyuFolder(shared_data / "nyu_train795")
    assert len(folder) == 795
    expected = json.loads((shared_data / "expected.json").read_text())["nyu_train795"]
    assert expected
    for name, facts in expected.items():
        stored = folder[folder.ids.index(name.removeprefix("nyu_"))]
        everywhere = np.asarray(
            PilImage.open(shared_data / "nyu_train795" / "depth" / f"{stored.id}.png"), np.float64
        )
        assert np.median((everywhere + 0.5) * 9.99547 / 255) == pytest.approx(facts["median_m"], abs=0.002)
        inside = everywhere[:, ::-1][EIGEN_CROP]
        assert np.allclose(stored.truth.values[EIGEN_CROP], (inside + 0.5) * 9.99547 / 255, rtol=1e-6)
        assert [stored.image.width, stored.image.height] == facts["rgb_size"]


def test_it_is_a_dataset_and_the_index_knows_it(tmp_path: Path) -> None:
    make(tmp_path, "0001")
    spec = DATASETS.get("nyu")
    folder = load(spec.adapter)(tmp_path)
    assert isinstance(folder, Dataset)
    assert folder.kind == Kind()
    assert "research" in spec.licence


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"holds no image/\*\.jpg"):
        NyuFolder(tmp_path)


def test_a_photo_without_depth_is_named(tmp_path: Path) -> None:
    make(tmp_path, "0001")
    make(tmp_path, "0002")
    (tmp_path / "depth" / "0002.png").unlink()
    with pytest.raises(DatasetError, match=r"1 of 2 frames .* such as '0002'"):
        NyuFolder(tmp_path)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    make(tmp_path, "0001")
    (tmp_path / "depth" / "0001.png").write_bytes(b"\x89PNG nothing")
    with pytest.raises(DatasetError, match=r"0001\.png' cannot be read"):
        NyuFolder(tmp_path)[0]


@pytest.mark.parametrize("stored", [np.ones((48, 64), np.uint8), np.ones((480, 640), np.uint16)])
def test_another_layout_is_refused(tmp_path: Path, stored: np.ndarray) -> None:
    make(tmp_path, "0001", stored=stored)
    with pytest.raises(DatasetError, match="not uint8"):
        NyuFolder(tmp_path)[0]
