"""Every real set, as the loaders read it, against what an independent reader wrote down of its frames."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from leadline.core.sample import Entry
from leadline.flows.data.collection import Collection
from leadline.flows.data.opening import open_dataset


@dataclass(frozen=True)
class Set:
    """One set of the shared folder: how it is opened, and which entry an expected frame is."""

    place: str
    pick: Callable[[str, Entry], bool]
    options: Mapping[str, str | int | float] = field(default_factory=dict)


def _tail(key: str) -> str:
    return key.rsplit("_", 1)[1]


def _in_files(part: Callable[[str], str]) -> Callable[[str, Entry], bool]:
    return lambda key, entry: any(part(key) in name for name in entry.files[:1])


SETS = {
    "sunrgbd": [Set("sunrgbd:sunrgbd", _in_files(lambda key: key.removeprefix("sun_") + "/"))],
    "single_frames": [
        Set(
            "folder:single_frames",
            lambda key, entry: key == "o3d_TUM",
            {"photos": "TUM_color.png", "depths": "TUM_depth.png", "encoding": "tum"},
        ),
        Set(
            "folder:single_frames",
            lambda key, entry: key == "o3d_SUN",
            {"photos": "SUN_color.jpg", "depths": "SUN_depth.png", "encoding": "sun"},
        ),
        Set(
            "nyu:single_frames",
            lambda key, entry: key == "o3d_NYUraw_unregistered",
            {"layout": "raw", "registration": "none"},
        ),
    ],
    "kitti_and_nyu_png": [
        Set(
            "manifest:kitti_and_nyu_png/kitti_demo/test_annotations.json",
            lambda key, entry: "kitti" in key and _tail(key) in entry.files[0],
        ),
        Set(
            "manifest:kitti_and_nyu_png/nyu_demo/test_annotations.json",
            lambda key, entry: "nyu" in key and _tail(key) in entry.files[0],
        ),
    ],
    "kitti_raw": [
        Set(
            "kitti:kitti_raw",
            lambda key, entry: (
                key[3:11] in entry.files[0] and entry.files[0].endswith(f"{_tail(key):0>10}.png")
            ),
            {"camera": "both"},
        )
    ],
    "eth3d_two_view": [Set("eth3d:eth3d_two_view", _in_files(_tail))],
    "middlebury_motorcycle": [Set("middlebury:middlebury_motorcycle", lambda key, entry: True)],
    "redwood": [Set("redwood:redwood", lambda key, entry: f"{_tail(key):0>5}." in entry.files[0])],
    "iphone_arkit": [Set("folder:iphone_arkit", lambda key, entry: True, {"encoding": "mm"})],
    "arkitscenes": [Set("arkitscenes:arkitscenes", lambda key, entry: True)],
    "hololens_video": [Set("posed:hololens_video", _in_files(_tail))],
    "tum_style_lists": [Set("tum:tum_style_lists", _in_files(_tail), {"missing": "skip", "encoding": "mm"})],
    "nyu_train795": [Set("nyu:nyu_train795", _in_files(_tail))],
}


def _opened(shared: Path, part: Set) -> Collection:
    name, _, path = part.place.partition(":")
    return open_dataset(shared / path, name=name, options=part.options)


@pytest.mark.parametrize("name", SETS)
def test_frames_agree_with_an_independent_reader(name: str, shared_data: Path) -> None:
    expected = json.loads((shared_data / "expected.json").read_text())[name]
    found = set()
    for part in SETS[name]:
        collection = _opened(shared_data, part)
        for position, entry in enumerate(collection.entries):
            for key in (key for key in expected if part.pick(key, entry)):
                sample, facts = collection[position], expected[key]
                truth = sample.truth
                assert [truth.width, truth.height] == facts["size"], key
                assert [sample.image.width, sample.image.height] == facts["rgb_size"], key
                assert float(truth.valid.mean()) == pytest.approx(facts["valid"], abs=0.001), key
                median_m = float(np.median(truth.values[truth.valid].astype(np.float64)))
                assert median_m == pytest.approx(facts["median_m"], abs=0.002, rel=0.001), key
                found.add(key)
    assert found == set(expected)


def test_every_shared_set_is_looked_at(shared_data: Path) -> None:
    folders = {path.name for path in shared_data.iterdir() if path.is_dir()}
    assert folders == set(SETS) == set(json.loads((shared_data / "expected.json").read_text()))
