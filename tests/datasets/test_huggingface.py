"""Hugging Face datasets: saved, as Parquet, with arrays, and what cannot be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from leadline.core.errors import DatasetError
from leadline.datasets.huggingface import _encoded
from leadline.flows.data.opening import open_dataset
from leadline.testing.layouts import huggingface as layout
from leadline.testing.layouts.pairs import pairs

datasets = pytest.importorskip("datasets")


@pytest.fixture(autouse=True)
def quiet_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_OFFLINE", True)
    datasets.disable_progress_bars()


@pytest.mark.parametrize("write", [layout.write, layout.write_parquet])
def test_the_public_schema(write: object, tmp_path: Path) -> None:
    place, _ = write(tmp_path / "set")  # type: ignore[operator]
    opened = open_dataset(place)
    assert opened.spec.name == "huggingface"
    for sample, (rgb, depth) in zip(opened, pairs(layout.CAMERA), strict=False):
        assert np.array_equal(sample.image.rgb_HW3, rgb)
        assert np.array_equal(sample.truth.values, depth.values)
    if write is layout.write_parquet:
        assert [entry.split for entry in opened.entries] == ["train"] * 3 + ["val"] * 3
        assert len(open_dataset(place, options={"split": "validation"})) == 3
        with pytest.raises(DatasetError, match="has no split 'test'; it has train, validation"):
            open_dataset(place, options={"split": "test"})


def saved(folder: Path, **columns: list[object]) -> Path:
    datasets.Dataset.from_dict(columns).save_to_disk(str(folder / "made"))
    return folder / "made"


def photos() -> list[object]:
    return [cell["bytes"] for cell in layout.rows()["image"]]


def test_depth_as_lists_and_units(tmp_path: Path) -> None:
    cells = layout.rows()["image"]
    part = datasets.Dataset.from_dict(
        {"rgb": cells, "gt": [[[1500, 0], [2000, 3000]]] * 3},
        features=datasets.Features(
            {"rgb": datasets.Image(), "gt": datasets.Sequence(datasets.Sequence(datasets.Value("uint16")))}
        ),
    )
    part.save_to_disk(str(tmp_path / "made"))
    with pytest.raises(
        DatasetError,
        match=r"no column of .* looks like the depth; say --option depth=NAME; there are rgb, gt",
    ):
        open_dataset(tmp_path / "made")
    with pytest.raises(DatasetError, match="has no column 'depht'"):
        open_dataset(tmp_path / "made", options={"depth": "depht"})
    opened = open_dataset(tmp_path / "made", options={"depth": "gt", "encoding": "mm"})
    assert opened[0].truth.values[1].tolist() == [2.0, 3.0]
    assert not opened[0].truth.valid[0, 1]
    with pytest.raises(DatasetError, match="numbers whose unit is not said; say --option encoding=mm"):
        open_dataset(tmp_path / "made", options={"depth": "gt"})[0]


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = saved(tmp_path, image=[1, 2], depth=[[[1.0]], [[2.0]]])
    with pytest.raises(DatasetError, match=r"#train/0 \(image\)' holds no picture"):
        open_dataset(path)[0]
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd/train-00000-of-00001.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(DatasetError, match="is no dataset that can be loaded"):
        open_dataset(tmp_path / "odd", name="huggingface")
    with pytest.raises(
        DatasetError,
        match=r"'nobody/nothing' is no dataset that can be loaded .*check the name and the network",
    ):
        open_dataset("huggingface:nobody/nothing")
    with pytest.raises(DatasetError, match="'a' cannot be read"):
        _encoded({"bytes": None, "path": str(tmp_path / "gone.png")}, "a")
    (tmp_path / "there.png").write_bytes(b"abc")
    assert _encoded({"bytes": None, "path": str(tmp_path / "there.png")}, "a") == b"abc"
    rows = layout.rows()
    part = datasets.Dataset.from_dict({"image": rows["image"], "depth": ["x"] * 3})
    part.save_to_disk(str(tmp_path / "words"))
    with pytest.raises(DatasetError, match="is no plane of numbers"):
        open_dataset(tmp_path / "words")[0]
