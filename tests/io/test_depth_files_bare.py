"""Depth files without a record, as others write them, and real ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pil

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.io.depth_files import read_depth, write_depth

FORMATS = [".png", ".tiff", ".tif", ".npz", ".pfm", ".exr"]
Bare = Callable[[Path, NDArray[Any]], Path]


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_bare_file_is_refused_unless_its_kind_is_said(tmp_path: Path, bare: Bare, suffix: str) -> None:
    array = np.array([[1000, 2000], [0, 4000]], np.uint16 if suffix == ".png" else np.float32)
    path = bare(tmp_path / f"a{suffix}", array)
    with pytest.raises(
        KindError,
        match=r"does not say what its numbers mean; say it: kind=\"metric-depth\", scale=0.001 \(--kind metric-depth",
    ):
        read_depth(path)
    depth, record = read_depth(path, kind="metric-depth", scale=0.001, camera=Camera.assumed(2, 2))
    np.testing.assert_allclose(depth.values, [[1, 2], [np.nan, 4]], rtol=1e-6)
    assert depth.kind == Kind()
    assert depth.camera == record.camera == Camera.assumed(2, 2)
    assert record.model is None


def test_bare_integers_need_their_unit(tmp_path: Path, bare: Bare) -> None:
    path = bare(tmp_path / "a.png", np.array([[1, 65535, 0]], np.uint16))
    with pytest.raises(
        InputError, match=r"holds integers, and their unit is not said; say scale=0.001 \(--scale\)"
    ):
        read_depth(path, kind="metric-depth")
    with pytest.raises(InputError, match="scale -1 is not positive"):
        read_depth(path, kind="metric-depth", scale=-1)
    with pytest.raises(InputError, match="scale nan is not positive"):
        read_depth(path, kind="metric-depth", scale=float("nan"))
    with pytest.raises(InputError, match="'meters' is not a kind of depth"):
        read_depth(path, kind="meters")
    depth, _ = read_depth(path, kind=Kind(Quantity.INVERSE, Freedom.SCALE))
    np.testing.assert_array_equal(depth.values, [[1, 65535, np.nan]])
    both, _ = read_depth(path, kind="metric-depth", scale=0.001, invalid=(0, 65535))
    np.testing.assert_array_equal(both.valid, [[True, False, False]])
    every, _ = read_depth(path, kind="affine-depth", scale=0.5, offset=3.0, invalid=())
    np.testing.assert_array_equal(every.values, [[3.5, 32770.5, 3.0]])


def test_infinity_in_a_bare_file_is_unknown_and_never_sky(tmp_path: Path, bare: Bare) -> None:
    path = bare(tmp_path / "a.pfm", np.array([[1.0, np.inf], [np.nan, -np.inf]], np.float32))
    depth, _ = read_depth(path, kind="disparity")
    np.testing.assert_array_equal(depth.valid, [[True, False], [False, False]])
    assert not depth.infinite.any()


def test_a_float_zero_is_a_value_where_the_shift_is_unknown(tmp_path: Path, bare: Bare) -> None:
    path = bare(tmp_path / "a.tiff", np.array([[0.0, -2.0]], np.float32))
    assert read_depth(path, kind="affine-depth")[0].valid.all()
    assert not read_depth(path, kind="metric-depth")[0].valid.any()


@pytest.mark.parametrize(
    "said",
    [
        {"kind": "affine-depth"},
        {"scale": 0.001},
        {"offset": 0.0},
        {"invalid": ()},
        {"camera": Camera.assumed(2, 2)},
    ],
)
def test_a_record_is_not_overruled(tmp_path: Path, said: dict[str, Any]) -> None:
    write_depth(tmp_path / "a.png", DepthMap(np.ones((2, 2)), Kind()))
    with pytest.raises(
        KindError, match=r"carries its own record .*; leave kind, scale, offset, invalid and camera out"
    ):
        read_depth(tmp_path / "a.png", **said)
    assert read_depth(tmp_path / "a.png", kind="metric")[0].kind == Kind()


def test_archives_and_channels_with_several_arrays(tmp_path: Path) -> None:
    plane = np.ones((2, 3), np.float32)
    np.savez(tmp_path / "a.npz", near=plane, far=plane * 2, words=np.array("x"))
    with pytest.raises(
        InputError, match=r"holds 2 arrays that could be depth \(near \(2, 3\), .*\); name one with array="
    ):
        read_depth(tmp_path / "a.npz", kind="metric")
    with pytest.raises(InputError, match="holds no array 'depth'; it holds near, far, words"):
        read_depth(tmp_path / "a.npz", kind="metric", array="depth")
    assert read_depth(tmp_path / "a.npz", kind="metric", array="far")[0].range() == (2, 2)
    with pytest.raises(InputError, match="holds 0 arrays that could be depth"):
        read_depth(tmp_path / "a.npz", kind="metric", array="words")
    import OpenEXR

    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, {"near": plane, "far": plane * 2}) as file:
        file.write(str(tmp_path / "a.exr"))
    with pytest.raises(
        InputError, match=r"no channel 'Z' of plain numbers; it has far, near: name one with array="
    ):
        read_depth(tmp_path / "a.exr", kind="metric")
    assert read_depth(tmp_path / "a.exr", kind="metric", array="far")[0].range() == (2, 2)


def test_pictures_are_not_depth(tmp_path: Path) -> None:
    Pil.new("RGB", (4, 4)).save(tmp_path / "rgb.png")
    with pytest.raises(InputError, match="is a picture in RGB, not one channel of depth"):
        read_depth(tmp_path / "rgb.png", kind="metric", scale=1)
    pages = [Pil.new("F", (4, 4), 1.0)] * 3
    pages[0].save(tmp_path / "pages.tiff", save_all=True, append_images=pages[1:])
    with pytest.raises(InputError, match="has 3 pages; save the depth page"):
        read_depth(tmp_path / "pages.tiff", kind="metric")
    (tmp_path / "colour.pfm").write_bytes(b"PF\n1 1\n-1.0\n" + b"\0" * 12)
    with pytest.raises(InputError, match="PFM file in colour"):
        read_depth(tmp_path / "colour.pfm", kind="metric")


def expected_of(shared_data: Path, folder: str, name: str) -> dict[str, Any]:
    with open(shared_data / "expected.json", encoding="utf-8") as stream:
        entry: dict[str, Any] = json.load(stream)[folder][name]
    return entry


def assert_as_expected(depth: DepthMap, expected: dict[str, Any]) -> None:
    assert [depth.width, depth.height] == expected["size"]
    assert float(depth.valid.mean()) == pytest.approx(expected["valid"], abs=6e-5)
    assert float(np.median(depth.values[depth.valid])) == pytest.approx(expected["median_m"], abs=6e-4)


@pytest.mark.parametrize(
    ("folder", "name", "pattern", "scale"),
    [
        ("redwood", "redwood_0", "*depth/00000.png", 1 / 1000),
        ("single_frames", "o3d_TUM", "*TUM_depth.png", 1 / 5000),
        ("kitti_and_nyu_png", "m3d_nyu_00000", "nyu_demo/depth/sync_depth_00000.png", 1 / 1000),
        ("kitti_and_nyu_png", "m3d_kitti_0000000050", "kitti_demo/depth/0000000050.png", 1 / 256),
        ("hololens_video", "holo_00003", "depth/00003.png", 1 / 1000),
        ("iphone_arkit", "promptda", "*depth*.png", 1 / 1000),
        ("arkitscenes", "arkitscenes", "gt.png", 1 / 1000),
    ],
)
def test_real_16_bit_pngs(shared_data: Path, folder: str, name: str, pattern: str, scale: float) -> None:
    path = next((shared_data / folder).rglob(pattern))
    with pytest.raises(KindError):
        read_depth(path)
    depth, _ = read_depth(path, kind="metric-depth", scale=scale)
    assert_as_expected(depth, expected_of(shared_data, folder, name))


@pytest.mark.parametrize("scene", ["playground", "terrace"])
def test_real_pfm_disparity(shared_data: Path, scene: str) -> None:
    folder = shared_data / "eth3d_two_view" / scene
    calib = dict(line.split("=") for line in (folder / "calib.txt").read_text().split("\n") if "=" in line)
    disparity, _ = read_depth(folder / "disp0.pfm", kind="disparity")
    assert disparity.kind == Kind(Quantity.INVERSE, Freedom.SCALE)
    f_px = float(calib["cam0"].strip("[]").split()[0])
    z_m = f_px * float(calib["baseline"]) / 1000 / (disparity.values + float(calib.get("doffs", 0)))
    metres = DepthMap(z_m, Kind(), disparity.valid)
    assert_as_expected(metres, expected_of(shared_data, "eth3d_two_view", f"eth3d_{scene}"))


def test_real_npz(shared_data: Path) -> None:
    path = next((shared_data / "middlebury_motorcycle").rglob("*.npz"))
    disparity, _ = read_depth(path, kind="disparity")
    metres = DepthMap(994.978 * 0.193001 / (disparity.values + 31.086), Kind(), disparity.valid)
    assert_as_expected(metres, expected_of(shared_data, "middlebury_motorcycle", "motorcycle"))
    lidar = sorted((shared_data / "kitti_raw").rglob("*.npz"))
    expected = expected_of(shared_data, "kitti_raw", "kt_image_02_0")
    depths = [read_depth(path, kind="metric-depth", array="velodyne_depth")[0] for path in lidar]
    medians = [float(np.median(depth.values[depth.valid])) for depth in depths]
    assert any(median == pytest.approx(expected["median_m"], abs=6e-4) for median in medians)
