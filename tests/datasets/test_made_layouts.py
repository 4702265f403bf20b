"""Sets of the same closed-form wall in every public layout: metres, cameras, scenes, splits and poses come out right."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leadline.core.camera import Camera
from leadline.core.errors import DatasetError
from leadline.core.kind import Freedom, Kind
from leadline.flows.data.opening import open_dataset
from leadline.testing.layouts.pairs import pairs

STEP_M = {"mm": 0.00051, "tum": 0.00011, "float": 2e-6}
SETS: dict[str, tuple[float, list[str], list[str]]] = {
    "tum": (STEP_M["tum"], ["", "", ""], ["", "", ""]),
    "scannet": (STEP_M["mm"], ["scene0000"] * 2 + ["scene0001"], ["", "", "val"]),
    "redwood": (STEP_M["mm"], ["livingroom1"] * 3, ["", "", ""]),
    "posed": (STEP_M["mm"], ["", "", ""], ["", "", ""]),
    "middlebury": (2e-5, ["Adirondack", "Piano", "Pipes"], ["", "", ""]),
    "eth3d": (2e-5, ["delivery_area_1l", "forest_1s", "terrains_1l"], ["", "", ""]),
    "arkitscenes": (STEP_M["mm"], ["41069021"] * 3, ["val"] * 3),
    "diode": (STEP_M["float"], ["scene_00019", "scene_00020", "scene_00022"], ["val"] * 3),
    "hypersim": (STEP_M["float"], ["ai_001_001"] * 2 + ["ai_002_003"], ["train", "train", "test"]),
    "sintel": (STEP_M["float"], ["alley_1"] * 2 + ["market_2"], ["", "", ""]),
}


def made(name: str, folder: Path, **options: Any) -> Any:
    place, _ = import_module(f"leadline.testing.layouts.{name}").write(folder)
    return open_dataset(place, options=options)


@pytest.mark.parametrize("name", SETS)
def test_depth_scenes_splits_and_cameras(name: str, tmp_path: Path) -> None:
    tolerance_m, scenes, splits = SETS[name]
    opened = made(name, tmp_path)
    assert opened.spec.name == name
    assert [entry.scene for entry in opened.entries] == scenes
    assert [entry.split for entry in opened.entries] == splits
    camera: Camera = import_module(f"leadline.testing.layouts.{name}").CAMERA if name != "eth3d" else import_module("leadline.testing.layouts.middlebury").CAMERA  # fmt: skip
    seen = camera.resized(64, 48) if name == "scannet" else camera
    for k, (_, depth) in enumerate(pairs(seen)):
        truth, image = opened[k].truth, opened[k].image
        assert np.abs(truth.values - depth.values)[truth.valid].max() <= tolerance_m
        assert truth.valid.mean() > 0.9
        if not (name == "sintel" and k == 2):
            for field in ("fx", "fy", "cx", "cy"):
                assert getattr(image.camera, field) == pytest.approx(getattr(camera, field), abs=1e-6)
        assert opened.kind == (Kind(freedom=Freedom.SCALE) if name == "sintel" else Kind())


PLACES = {
    "tum": [0.0, 1.0, 2.0],
    "scannet": [0.5, None, 0.5],
    "redwood": [0.0, 1.0, 2.0],
    "posed": [0.0, 1.0, 2.0],
    "sintel": [-2.0, -3.0, None],
}


@pytest.mark.parametrize("name", PLACES)
def test_poses_are_from_camera_to_world(name: str, tmp_path: Path) -> None:
    poses = [sample.T_world_camera for sample in made(name, tmp_path)]
    assert [None if pose is None else pytest.approx(pose[0, 3]) for pose in poses] == PLACES[name]


def test_a_quaternion_turns_as_it_says(tmp_path: Path) -> None:
    pose = made("tum", tmp_path)[1].T_world_camera
    assert np.allclose(pose @ [1, 0, 0, 1], [1, 3, 3, 1])


def test_an_axis_and_angle_are_turned_round(tmp_path: Path) -> None:
    """The file holds the world seen from the camera: a quarter turn about z, then (1, 0, k)."""
    pose = made("arkitscenes", tmp_path)[2].T_world_camera
    assert np.allclose(pose @ [1, 1, 2, 1], [1, 0, 0, 1])


def test_sevenscenes_is_registered_unless_told_otherwise(tmp_path: Path) -> None:
    opened = made("sevenscenes", tmp_path)
    assert opened.spec.name == "sevenscenes"
    assert [(e.scene, e.split) for e in opened.entries] == [("chess", "train")] * 2 + [("chess", "test")]
    left = made("sevenscenes", tmp_path, registration="none")
    depth_camera = import_module("leadline.testing.layouts.sevenscenes").DEPTH_CAMERA
    lean, distance = 0.1, 2.0
    assert not left[0].truth.valid[:5].any()
    # A wall n·X = d of the depth camera is n·X = d + n·t in the colour camera, t = -2.5 cm along x.
    camera = opened[0].image.camera
    u, v = np.meshgrid(np.arange(640), np.arange(480))
    x, _ = (u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy
    expected = (distance - 0.025 * np.sin(lean)) / (np.sin(lean) * x + np.cos(lean))
    truth = opened[0].truth
    assert truth.camera == camera
    assert truth.valid[100:380, 100:540].all()
    assert np.abs(truth.values - expected)[truth.valid].max() < 0.003
    assert left[0].truth.camera == depth_camera
    assert opened[2].T_world_camera is None
    assert opened[0].T_world_camera[0, 3] == pytest.approx(0.525)
    assert left[0].T_world_camera[0, 3] == pytest.approx(0.5)


def test_the_mask_of_both_cameras(tmp_path: Path) -> None:
    assert made("eth3d", tmp_path)[0].truth.valid[:, :10].any()
    assert not made("eth3d", tmp_path, mask="nocc")[0].truth.valid[:, :10].any()


def test_parts_and_renders(tmp_path: Path) -> None:
    assert len(made("diode", tmp_path / "a", part="indoors")) == 2
    assert len(made("diode", tmp_path / "a", part="outdoor")) == 1
    assert "clean" in made("sintel", tmp_path / "b", render="clean").entries[0].files[0]


def cut(name: str) -> Callable[[Path], None]:
    def harm(folder: Path) -> None:
        path = folder / name
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return harm


def gone(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def text(name: str, words: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text(words) and None


TUM = "rgbd_dataset_freiburg3_made"
DIODE = "val/indoors/scene_00019/scan_00183/00019_00183_indoors_000_010"
HARMS: list[tuple[str, Callable[[Path], None], str]] = [
    ("tum", gone(f"{TUM}/depth/1.110000.png"), r"name 1 files that are not there, such as 'depth/1\.110000\.png'"),
    ("tum", text(f"{TUM}/rgb.txt", "0.1\n"), r"rgb\.txt', line 1: '0\.1' is no line of TUM's form"),
    ("tum", cut(f"{TUM}/rgb/0.100000.png"), r"0\.100000\.png' is damaged or cut short"),
    ("sevenscenes", cut("chess/seq-01/frame-000000.depth.png"), "damaged or cut short"),
    ("sevenscenes", text("chess/seq-01/frame-000000.pose.txt", "1 2 3"), "holds no 4x4 matrices"),
    ("sevenscenes", text("chess/seq-01/frame-000000.pose.txt", "1 " * 32), "holds 2 matrices, not one"),
    ("scannet", gone("scans/scene0000_00/depth/0.png"), r"1 of 3 photos .* such as .*depth/0\.png"),
    ("scannet", text("scans/scene0000_00/intrinsic/intrinsic_color.txt", "1 2\n3 4\n"), "is no camera matrix"),
    ("redwood", gone("livingroom1/depth/00001.png"), "holds 3 photos and 2 depths"),
    ("redwood", text("livingroom1/camera_intrinsic.json", "{}"), "holds no pinhole intrinsics"),
    ("redwood", text("livingroom1/trajectory.log", "0 0 1\n1 2\n"), "holds no 4x4 matrices"),
    ("posed", gone("depth/00004.png"), r"00004\.png' has no 'depth/00004\.png'"),
    ("posed", text("poses.txt", "1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1\n"), "has 1 poses for 3 photos"),
    ("middlebury", cut("Piano/disp0.pfm"), r"disp0\.pfm' is cut short"),
    ("middlebury", text("Piano/calib.txt", "cam0=[60 0 31; 0 60 22; 0 0 1]\n"), "is no calibration of a stereo pair"),
    ("arkitscenes", text("Validation/41069021/lowres_wide_intrinsics/41069021_300.377.pincam", "64.5 48 1 1 1 1"), "no whole size"),
    ("diode", gone(f"{DIODE}_depth.npy"), r"_depth\.npy' is not there"),
    ("diode", cut(f"{DIODE}_depth.npy"), "is no NumPy file, or is damaged"),
    ("hypersim", gone("ai_001_001/images/scene_cam_00_geometry_hdf5/frame.0000.depth_meters.hdf5"), "has no 'ai_001_001"),
    ("hypersim", cut("ai_001_001/images/scene_cam_00_geometry_hdf5/frame.0000.depth_meters.hdf5"), "is no Hypersim depth"),
    ("hypersim", text("metadata_images_split_scene_v1.csv", "a,b\n1,2\n"), "is not Hypersim's split"),
    ("sintel", gone("training/final/alley_1/frame_0001.png"), r"frame_0001\.dpt' has no"),
    ("sintel", cut("training/depth/alley_1/frame_0001.dpt"), "is cut short or damaged: 102x43"),
    ("sintel", text("training/depth/alley_1/frame_0001.dpt", "no"), "does not begin like a .dpt"),
    ("sintel", cut("training/camdata_left/alley_1/frame_0001.cam"), "is no .cam file"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "harm", "message"), HARMS)
def test_damage_is_named(name: str, harm: Callable[[Path], None], message: str, tmp_path: Path) -> None:
    place, _ = import_module(f"leadline.testing.layouts.{name}").write(tmp_path)
    harm(tmp_path)
    with pytest.raises(DatasetError, match=message):
        list(open_dataset(place, name=name))


def test_missing_files_of_lists_can_be_left_out(tmp_path: Path) -> None:
    import_module("leadline.testing.layouts.tum").write(tmp_path)
    gone(f"{TUM}/depth/1.110000.png")(tmp_path)
    assert len(open_dataset(tmp_path / TUM, options={"missing": "skip"})) == 2
