"""Datasets as Hugging Face has them, and fed the way their guide does it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as PilImage

import datasets
from leadline.augment.pipeline import Augmentation
from leadline.augment.recipe import Recipe
from leadline.bridges.huggingface import on_the_fly, to_hf
from leadline.bridges.tensors import Form
from leadline.bridges.torch import loader
from leadline.core.errors import DatasetError, InputError, KindError, UnknownName
from leadline.core.kind import Kind
from leadline.datasets.frames import Frames
from leadline.io.trees import open_tree


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


def test_rows_are_the_samples(album: Any, tmp_path: Path) -> None:
    made = to_hf(album(4), cache=tmp_path)
    assert isinstance(made, datasets.Dataset)
    assert made.features["image"] == datasets.Image(mode="RGB")
    assert made.features["depth_map"] == datasets.Image(mode="F")
    row, sample = made[2], album(4)[2]
    assert np.array_equal(np.asarray(row["image"]), sample.image.rgb_HW3)
    assert np.array_equal(np.asarray(row["depth_map"]), sample.truth.values, equal_nan=True)
    assert row["camera"] == sample.image.camera.to_dict()
    assert [row[name] for name in ("id", "scene", "split", "kind", "encoding")] == ["frame 2", "hall", "train", "metric-depth", ""]  # fmt: skip


def test_millimetres_are_those_of_published_sets(album: Any, tmp_path: Path) -> None:
    row = to_hf(album(1), depth="16bit-mm", cache=tmp_path)[0]
    stored = np.asarray(row["depth_map"])
    assert row["depth_map"].mode == "I;16"
    assert stored[0, :5].tolist() == [0, 0, 0, 0, 5000]
    assert stored[3, 3] == 65534  # 100 m, beyond what 16 bits hold
    with pytest.raises(KindError, match="cannot be stored in millimetres"):
        to_hf(album(1, kind=Kind.parse("disparity")), depth="16bit-mm")
    with pytest.raises(InputError, match="depth = 'png'"):
        to_hf(album(1), depth="png")  # type: ignore[arg-type]


def test_a_broken_frame_is_told_as_what_it_is(album: Any, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"depth/1.png' is cut short; copy it again"):
        to_hf(album(3, frozenset({1})), cache=tmp_path)


class _Files(Frames):
    """Photos in a folder, with depth that is their red channel."""

    def _sample(self, entry: Any) -> Any:
        from leadline.core.depth_map import DepthMap
        from leadline.core.sample import Sample
        from leadline.datasets.frames import read_photo

        photo = read_photo(self.tree, entry.files[0], camera=None)
        return Sample(entry.id, photo, DepthMap(photo.rgb_HW3[..., 0] + 1.0, Kind()))


def test_what_was_written_is_used_again_until_a_file_changes(tmp_path: Path) -> None:
    from leadline.core.sample import Entry

    folder, cache = tmp_path / "photos", tmp_path / "cache"
    folder.mkdir()
    PilImage.new("RGB", (4, 3), (7, 0, 0)).save(folder / "a.png")
    opened = _Files(open_tree(folder), [Entry("a", files=("a.png",))])
    first, again = to_hf(opened, cache=cache), to_hf(opened, cache=cache)
    assert first.cache_files == again.cache_files
    PilImage.new("RGB", (4, 3), (99, 10, 20)).save(folder / "a.png")
    changed = to_hf(opened, cache=cache)
    assert np.asarray(changed[0]["depth_map"])[0, 0] == 100
    assert np.asarray(first[0]["depth_map"])[0, 0] == 8


def test_on_the_fly_equals_the_loader(album: Any, tmp_path: Path) -> None:
    """The guide's way and ours give the same tensors for the same seed and epoch."""
    augmentation = Augmentation(Recipe(rows=20, columns=28), seed=3)
    made = to_hf(album(5), cache=tmp_path)
    transform = on_the_fly(augmentation=augmentation, columns="tensors", form=Form(unknown="nan"))
    made.set_transform(transform)
    feed = loader(album(5), batch_size=2, shuffle=False, augmentation=augmentation, form=Form(unknown="nan"))
    for epoch in (0, 1):
        transform.epoch = epoch
        for one, other in zip(torch.utils.data.DataLoader(made, batch_size=2), feed, strict=True):
            assert one["id"] == other["id"]
            assert torch.equal(one["pixel_values"], other["pixel_values"])
            assert torch.equal(one["labels"].nan_to_num(), other["labels"].nan_to_num())
            assert torch.equal(one["valid"], other["valid"])


def test_other_peoples_columns_are_read_as_they_say() -> None:
    """An 8-bit grey photo and 16-bit millimetres under other names, no id and no camera."""
    mm = np.array([[0, 1500], [65535, 4321]], np.uint16)
    rows = datasets.Dataset.from_dict(
        {
            "rgb": [PilImage.fromarray(np.full((2, 2), 51, np.uint8))] * 2,
            "z": [PilImage.fromarray(mm)] * 2,
            "tag": [1, 2],
        },
        features=datasets.Features(
            {"rgb": datasets.Image(), "z": datasets.Image(), "tag": datasets.Value("int32")}
        ),
    )
    rows.set_transform(on_the_fly(image="rgb", depth="z", encoding="mm"))
    row = rows[0]
    assert set(row) == {"rgb", "z", "tag", "pixel_values", "labels", "valid", "id"}
    assert row["labels"].tolist() == [[0, 1.5], [0, np.float32(4.321)]]
    assert row["pixel_values"].shape == (3, 2, 2)
    assert row["pixel_values"].max() == np.float32(0.2)
    assert rows[0]["id"] == rows[1]["id"]
    rows.set_transform(on_the_fly(image="rgb", depth="z", kind="affine-inverse"))
    assert rows[0]["labels"].tolist() == [[0, 1500], [65535, 4321]]


def test_wrong_columns_and_words_are_told() -> None:
    rows = {"image": ["text"], "depth_map": ["text"]}
    with pytest.raises(DatasetError, match="there is no column 'depth'; name one of image, depth_map"):
        on_the_fly(depth="depth")(rows)
    with pytest.raises(DatasetError, match="column 'image' holds str, not images"):
        on_the_fly()(rows)
    with pytest.raises(InputError, match="columns = 'some'"):
        on_the_fly(columns="some")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="'metres' is not a kind"):
        on_the_fly(kind="metres")
    with pytest.raises(UnknownName, match="no depth encoding is called 'inches'"):
        on_the_fly(encoding="inches")
