"""KITTI: points of a closed-form wall projected, the benchmark's forms, lists, real frames and damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from leadline.core.errors import DatasetError
from leadline.flows.data.opening import open_dataset
from leadline.testing.layouts import kitti as layout
from leadline.testing.layouts.pairs import pairs, save_text

WALLS = [depth.values for _, depth in pairs(layout.CAMERA)]


def test_points_become_the_wall_they_lie_on(tmp_path: Path) -> None:
    place, _ = layout.write(tmp_path)
    opened = open_dataset(place)
    assert opened.spec.name == "kitti"
    assert [entry.id for entry in opened.entries] == [f"{layout.DRIVE}/image_02/{k:010}" for k in range(3)]
    for sample, wall in zip(opened, WALLS, strict=True):
        assert sample.image.camera == layout.CAMERA
        assert sample.truth.valid.mean() > 0.999
        error = np.abs(sample.truth.values - wall)[sample.truth.valid]
        assert np.quantile(error, 0.999) < 1e-4


def test_annotated_depth_is_in_256ths_and_wins(tmp_path: Path) -> None:
    place, _ = layout.write_annotated(tmp_path)
    opened = open_dataset(place)
    assert [entry.split for entry in opened.entries] == ["train", "train"]
    assert np.allclose(opened[0].truth.values, WALLS[1], atol=1 / 500)
    layout.write(tmp_path)
    assert [entry.files[1].rsplit(".")[-1] for entry in open_dataset(place).entries] == ["bin", "png", "png"]
    assert opened.holds == {"truth": "annotated"}
    assert open_dataset(place).holds == {"truth": "annotated+velodyne"}
    only = open_dataset(place, options={"truth": "velodyne"})
    assert only.holds == {"truth": "velodyne"}
    assert {entry.files[1].rsplit(".")[-1] for entry in only.entries} == {"bin"}
    with pytest.raises(DatasetError, match="1 of 3 photos have no annotated depth"):
        open_dataset(place, options={"truth": "annotated", "missing": "raise"})


def test_depth_that_is_absent_is_said_and_what_is_there(tmp_path: Path) -> None:
    place, _ = layout.write(tmp_path)
    with pytest.raises(
        DatasetError,
        match="holds no annotated depth, and velodyne depth is there; say --option truth=velodyne",
    ):
        open_dataset(place, options={"truth": "annotated"})


def test_the_benchmarks_selection(tmp_path: Path) -> None:
    place, _ = layout.write_cropped(tmp_path)
    opened = open_dataset(place)
    assert len(opened) == 3
    assert opened.holds == {"truth": "annotated"}
    assert opened[2].image.camera == layout.CAMERA
    assert np.allclose(opened[2].truth.values, WALLS[2], atol=1 / 500)


def test_lists_of_either_form(tmp_path: Path) -> None:
    place, _ = layout.write(tmp_path / "kitti")
    bts, mono = tmp_path / "bts.txt", tmp_path / "mono.txt"
    save_text(
        bts,
        f"2011_09_26/{layout.DRIVE}/image_02/data/{2:010}.png {layout.DRIVE}/proj_depth/groundtruth/image_02/{2:010}.png 721.5377",
        f"2011_09_26/{layout.DRIVE}/image_02/data/{1:010}.png None 721.5377",
    )
    save_text(mono, f"2011_09_26/{layout.DRIVE} {1:010} l", "")
    assert [e.id[-1] for e in open_dataset(place, options={"list": str(bts)}).entries] == ["2"]
    assert [e.id[-1] for e in open_dataset(place, options={"list": str(mono)}).entries] == ["1"]
    for text, message in (
        (f"2011_09_26/{layout.DRIVE} 7 l", f"row 1: no photo {layout.DRIVE}/image_02/0000000007 is there"),
        ("what is this", "row 1: 'what is this' is in neither public form"),
    ):
        save_text(mono, text)
        with pytest.raises(DatasetError, match=message):
            open_dataset(place, options={"list": str(mono)})
    with pytest.raises(DatasetError, match=r"list .*none\.txt' cannot be read"):
        open_dataset(place, options={"list": str(tmp_path / "none.txt")})


def test_real_drives(shared_data: Path) -> None:
    both = open_dataset(shared_data / "kitti_raw", options={"camera": "both"})
    assert len(both) == 14
    assert len(open_dataset(shared_data / "kitti_raw")) == 7
    for position in (0, 13):
        sample, entry = both[position], both.entries[position]
        with np.load(shared_data / "kitti_raw" / entry.files[1]) as file:
            stored = file["velodyne_depth"]
        assert np.array_equal(sample.truth.valid, stored > 0)
        assert np.array_equal(sample.truth.values[stored > 0], stored[stored > 0])
        assert sample.image.camera.fx == pytest.approx(721.5377)
        assert sample.image.camera.cx == pytest.approx(609.5593)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        (
            f"2011_09_26/{layout.DRIVE}/velodyne_points/data/{0:010}.bin",
            b"12345",
            "no whole number of points",
        ),
        ("2011_09_26/calib_velo_to_cam.txt", None, "cannot be projected without calib_velo_to_cam"),
        ("2011_09_26/calib_cam_to_cam.txt", b"P_rect_02: 1 2\n", r"holds no 3x4 matrix P_rect_02"),
    ],
)
def test_damage_is_named(name: str, data: bytes | None, message: str, tmp_path: Path) -> None:
    place, _ = layout.write(tmp_path)
    if data is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(DatasetError, match=message):
        open_dataset(place)[0]


def test_photo_and_depth_of_different_sizes(tmp_path: Path) -> None:
    place, _ = layout.write_annotated(tmp_path)
    from leadline.testing.layouts.pairs import save_picture

    save_picture(
        tmp_path / f"train/{layout.DRIVE}/proj_depth/groundtruth/image_02/{1:010}.png",
        np.ones((4, 5), np.uint16),
    )
    with pytest.raises(DatasetError, match=r"does not fit depth|is 5x4, its photo"):
        open_dataset(place)[0]
