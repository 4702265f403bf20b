"""Plain folders: pairing, units as they are said, recorded files, real pairs, and damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PilImage

from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError, InputError, UnknownName
from leadline.core.kind import Kind
from leadline.datasets.folder import pair_by_name
from leadline.flows.data.opening import open_dataset
from leadline.io.depth_files import write_depth
from leadline.testing.layouts import folder as layout
from leadline.testing.layouts.pairs import pairs, save_picture


def test_pairs_with_unit_and_camera(tmp_path: Path) -> None:
    place, options = layout.write(tmp_path)
    opened = open_dataset(place, options=options)
    assert opened.spec.name == "folder"
    for sample, (rgb, depth) in zip(opened, pairs(layout.CAMERA), strict=True):
        assert np.allclose(sample.truth.values, depth.values, atol=0.00051)
        assert sample.image.camera == sample.truth.camera == layout.CAMERA
        assert np.array_equal(sample.image.rgb_HW3, rgb)


@pytest.mark.parametrize(
    ("photos", "depths", "expected"),
    [
        (["a.jpg", "b.jpg"], ["b_depth.png", "a_depth.png"], [("a.jpg", "a_depth.png"), ("b.jpg", "b_depth.png")]),
        (["rgb_00001.jpg"], ["sync_depth_00001.png"], [("rgb_00001.jpg", "sync_depth_00001.png")]),
        (["s1/color/0.jpg", "s2/color/0.jpg"], ["s1/depth/0.png", "s2/depth/0.png"], [("s1/color/0.jpg", "s1/depth/0.png"), ("s2/color/0.jpg", "s2/depth/0.png")]),
        (["TUM_color.png", "SUN_color.jpg"], ["SUN_depth.png", "TUM_depth.png"], [("TUM_color.png", "TUM_depth.png"), ("SUN_color.jpg", "SUN_depth.png")]),
        (["images/frame-7.png"], ["depth_maps/frame-8.png"], []),
    ],
)  # fmt: skip
def test_names_pair(photos: list[str], depths: list[str], expected: list[tuple[str, str]]) -> None:
    found, alone = pair_by_name(photos, depths)
    assert found == expected
    assert len(alone) == len(photos) + len(depths) - 2 * len(expected)


def test_a_unit_that_is_not_said_is_asked_for_with_what_each_would_be(tmp_path: Path) -> None:
    place, _ = layout.write(tmp_path)
    with pytest.raises(DatasetError, match=r"uint16 numbers whose unit is not said; .*mm \(median [12]\.\d+ m\), tum \(median 0\.\d+ m\)"):  # fmt: skip
        open_dataset(place)[0]
    by_step = open_dataset(place, options={"step": 0.001})[0]
    by_name = open_dataset(place, options={"encoding": "mm"})[0]
    assert np.allclose(by_step.truth.values, by_name.truth.values)


@pytest.mark.parametrize("form", ["npy", "npz", "pfm", "exr", "tiff"])
def test_float_files_are_metres(tmp_path: Path, form: str) -> None:
    (rgb, depth), *_ = pairs(layout.CAMERA, count=1)
    save_picture(tmp_path / "image/a.png", rgb)
    (tmp_path / "depth").mkdir()
    if form == "npy":
        np.save(tmp_path / "depth/a.npy", depth.values)
    else:
        write_depth(tmp_path / f"depth/a.{form}", depth)
    truth = open_dataset(tmp_path, name="folder")[0].truth
    assert np.allclose(truth.values, depth.values, atol=1e-6)


def test_a_record_in_the_file_wins(tmp_path: Path) -> None:
    (rgb, depth), *_ = pairs(layout.CAMERA, count=1)
    save_picture(tmp_path / "image/a.png", rgb)
    disparity = DepthMap(1 / depth.values, Kind.parse("affine-invariant-inverse-depth"))
    write_depth(tmp_path / "depth/a.png", disparity)
    opened = open_dataset(tmp_path, name="folder", options={"kind": "affine-invariant-inverse-depth"})
    assert opened.kind == opened[0].truth.kind == disparity.kind
    with pytest.raises(DatasetError, match=r"says that it holds .* open it with --option kind="):
        open_dataset(tmp_path, name="folder", options={"encoding": "mm"})[0]


def test_stated_kinds_of_bare_files(tmp_path: Path) -> None:
    place, _ = layout.write(tmp_path)
    opened = open_dataset(place, options={"kind": "affine-invariant-inverse-depth"})
    assert opened.kind == Kind.parse("affine-invariant-inverse-depth")
    stored = np.asarray(PilImage.open(tmp_path / "depth/room_0_depth.png"))
    assert np.array_equal(opened[0].truth.values, stored)


def test_what_stays_alone_is_named_or_left_out(tmp_path: Path) -> None:
    place, options = layout.write(tmp_path)
    (tmp_path / "depth/room_1_depth.png").unlink()
    with pytest.raises(
        DatasetError, match=r"1 files .* no other to pair with, such as 'rgb/room_1_color\.png'"
    ):
        open_dataset(place, options=options)
    assert len(open_dataset(place, options={**options, "missing": "skip"})) == 2
    with pytest.raises(DatasetError, match="holds 0 photos and 0 depths, and none pair"):
        open_dataset(place, name="folder", options={"photos": "x/*", "depths": "y/*"})


def test_options_are_checked_before_anything_is_read(tmp_path: Path) -> None:
    place, _ = layout.write(tmp_path)
    for options, message in (
        ({"encoding": "mm", "step": 0.1}, "are both said"),
        ({"encoding": "mm", "kind": "disparity"}, "is of metres, but the kind is"),
        ({"step": -1}, "is not positive"),
        ({"camera": "1,2"}, "is not fx,fy,cx,cy"),
    ):
        with pytest.raises(InputError, match=message):
            open_dataset(place, options=options)
    with pytest.raises(UnknownName, match="no depth encoding is called 'milli'"):
        open_dataset(place, options={"encoding": "milli"})


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("depth/room_0_depth.png", b"", r"room_0_depth\.png' is empty"),
        ("depth/room_0_depth.png", b"\x89PNG\r\n\x1a\nno", "damaged or cut short"),
        ("rgb/room_0_color.png", b"no", "is no picture"),
    ],
)
def test_damage_is_named(name: str, data: bytes, message: str, tmp_path: Path) -> None:
    place, options = layout.write(tmp_path)
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DatasetError, match=message):
        open_dataset(place, options=options)[0]


def test_arrays_that_are_no_plane_are_named(tmp_path: Path) -> None:
    save_picture(tmp_path / "image/a.png", np.zeros((4, 5, 3), np.uint8))
    (tmp_path / "depth").mkdir()
    np.save(tmp_path / "depth/a.npy", np.zeros((4, 5, 3)))
    with pytest.raises(DatasetError, match=r"float64 \(4, 5, 3\), not one plane"):
        open_dataset(tmp_path, name="folder")[0]
