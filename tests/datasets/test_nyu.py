"""NYU in all its layouts: made ones of exactly that form, and real frames decoded by hand."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image as PilImage

from leadline.core.errors import DatasetError
from leadline.core.kind import Kind
from leadline.datasets.nyu import CAMERA, EIGEN_CROP, Nyu, recognise
from leadline.datasets.nyu_calibration import DEPTH_CAMERA
from leadline.datasets.nyu_mat import NyuMat, official_training_frames
from leadline.flows.data.opening import open_dataset
from leadline.io.trees import open_tree
from leadline.testing.layouts import nyu as layouts
from leadline.testing.layouts.pairs import pairs

MADE = list(pairs(CAMERA))
WRITERS = {
    "mat": (layouts.write, 1e-6),
    "h5": (layouts.write_h5, 1e-6),
    "sync": (layouts.write_sync, 0.00051),
    "mirrored": (layouts.write_mirrored, 0.0197),
    "densedepth": (layouts.write_densedepth, 0.0197),
}


@pytest.mark.parametrize("name", WRITERS)
def test_depth_is_the_closed_form_in_metres(name: str, tmp_path: Path) -> None:
    write, tolerance_m = WRITERS[name]
    place, _ = write(tmp_path)
    opened = open_dataset(place, name="nyu")
    assert opened.dataset.layout == name  # type: ignore[attr-defined]
    samples = list(opened)
    order = {"sync": [1, 2, 0]}.get(name, [0, 1, 2])
    for k, position in enumerate(order):
        truth = samples[position].truth
        assert truth.kind == Kind()
        assert truth.camera == samples[position].image.camera == CAMERA
        assert np.allclose(truth.values, MADE[k][1].values, atol=tolerance_m), (name, k)
        exact = name in ("mat", "h5")
        error = np.abs(samples[position].image.rgb_HW3.astype(int) - MADE[k][0]).mean()
        assert error == 0 if exact else error < 4


@pytest.mark.parametrize("name", [*WRITERS, "raw"])
def test_every_layout_is_recognised(name: str, tmp_path: Path) -> None:
    place, _ = WRITERS[name][0](tmp_path) if name in WRITERS else layouts.write_raw(tmp_path)
    assert recognise(open_tree(place))


def test_scenes_and_splits_come_from_the_layout(tmp_path: Path) -> None:
    place, _ = layouts.write(tmp_path)
    assert [entry.scene for entry in open_dataset(place).entries] == list(layouts.SCENES)
    (tmp_path / "h5").mkdir()
    place, _ = layouts.write_h5(tmp_path / "h5")
    assert [(e.scene, e.split) for e in open_dataset(place).entries] == [
        ("kitchen_0001", "train"),
        ("kitchen_0001", "train"),
        ("", "test"),
    ]
    (tmp_path / "zip").mkdir()
    place, _ = layouts.write_densedepth(tmp_path / "zip")
    archive = shutil.make_archive(str(tmp_path / "nyu_data"), "zip", place)
    opened = open_dataset(archive)
    assert [(e.scene, e.split) for e in opened.entries] == [("kitchen_0001", "train")] * 2 + [("", "test")]
    assert opened[0].truth.values[240, 320] == pytest.approx(MADE[0][1].values[240, 320], abs=0.02)


def test_raw_truth_has_the_holes_that_filled_truth_has_not(tmp_path: Path) -> None:
    place, _ = layouts.write(tmp_path)
    raw = open_dataset(place, options={"truth": "raw"})[1].truth
    assert not raw.valid[50:80, 100:120].any()
    assert raw.valid.sum() == 480 * 640 - 30 * 20
    assert open_dataset(place)[1].truth.valid.all()


@pytest.mark.parametrize(
    ("name", "truth"),
    [("h5", "filled"), ("sync", "raw"), ("mirrored", "filled"), ("densedepth", "filled"), ("raw", "raw")],
)
def test_every_layout_says_which_truth_it_holds(name: str, truth: str, tmp_path: Path) -> None:
    place, _ = WRITERS[name][0](tmp_path) if name in WRITERS else layouts.write_raw(tmp_path)
    assert open_dataset(place, name="nyu").holds == {"truth": truth}
    assert open_dataset(place, name="nyu", options={"truth": truth}).holds == {"truth": truth}
    other = {"raw": "filled", "filled": "raw"}[truth]
    with pytest.raises(DatasetError, match=f"layout '{name}' of NYU holds {truth} depth only"):
        open_dataset(place, name="nyu", options={"truth": other})


def test_the_labelled_file_holds_both_truths(tmp_path: Path) -> None:
    place, _ = layouts.write(tmp_path)
    held = [
        open_dataset(place, options={"truth": truth}).holds["truth"] for truth in ("auto", "filled", "raw")
    ]
    assert held == ["filled", "filled", "raw"]


def test_the_window_of_the_benchmark(tmp_path: Path) -> None:
    place, _ = layouts.write_mirrored(tmp_path)
    valid = open_dataset(place, options={"window": "eigen"})[0].truth.valid
    assert valid[EIGEN_CROP].all()
    assert valid.sum() == (471 - 45) * (601 - 41)
    assert open_dataset(place)[0].truth.valid.all()


def test_the_official_split_is_that_of_the_published_frames(shared_data: Path) -> None:
    names = {int(path.stem) for path in (shared_data / "nyu_train795/image").glob("*.jpg")}
    assert official_training_frames() == names
    assert len(set(range(1449)) - names) == 654


def test_a_whole_labelled_file_gets_the_official_split(tmp_path: Path) -> None:
    path = tmp_path / "nyu_depth_v2_labeled.mat"
    with h5py.File(path, "w") as file:
        file["images"] = np.zeros((1449, 3, 4, 3), np.uint8)
        file["depths"] = np.ones((1449, 4, 3), np.float32)
    entries = NyuMat(open_tree(path)).entries
    assert sum(entry.split == "train" for entry in entries) == 795
    assert sum(entry.split == "test" for entry in entries) == 654
    # The first frame is a test frame and the third a training frame in splits.mat (trainNdxs begins with 3).
    assert [entry.split for entry in entries[:3]] == ["test", "test", "train"]


def test_real_mirrored_frames_are_turned_back(shared_data: Path) -> None:
    folder = open_dataset(shared_data / "nyu_train795")
    assert folder.spec.name == "nyu"
    assert len(folder) == 795
    sample = folder[400]
    stored = np.asarray(
        PilImage.open(shared_data / "nyu_train795" / "depth" / f"{sample.id}.png"), np.float64
    )
    photo = np.asarray(PilImage.open(shared_data / "nyu_train795" / "image" / f"{sample.id}.jpg"))
    assert np.allclose(sample.truth.values, (stored[:, ::-1] + 0.5) * 9.99547 / 255, rtol=1e-6)
    assert np.array_equal(sample.image.rgb_HW3, photo[:, ::-1])


def test_raw_frames_are_paired_by_time_and_brought_to_the_colour_camera(tmp_path: Path) -> None:
    place, _ = layouts.write_raw(tmp_path)
    left = open_dataset(place, name="nyu", options={"registration": "none"})
    assert [entry.files[1].rpartition("/")[2] for entry in left.entries] == [
        f"d-{1300000000 + k}.520000-{k}.pgm" for k in range(3)
    ]
    assert left[0].truth.camera == DEPTH_CAMERA
    brought = open_dataset(place, name="nyu")[0].truth
    assert brought.camera == CAMERA
    # The depth camera sees a narrower field, so the colour camera's border is unknown.
    assert not brought.valid[:, :10].any()
    assert brought.valid[200:280, 280:360].all()


def test_the_calibration_brings_real_edges_together(shared_data: Path) -> None:
    """Depth edges lie on photo edges after registration, and hardly before it."""

    def agreement(registration: str) -> float:
        options = {"layout": "raw", "registration": registration}
        sample = open_dataset(shared_data / "single_frames", name="nyu", options=options)[0]
        grey = sample.image.rgb_HW3.astype(float).mean(-1)
        photo = np.minimum(np.hypot(*np.gradient(grey)), 30)
        steps = np.hypot(*np.gradient(1 / np.where(sample.truth.valid, sample.truth.values, np.nan)))
        return float(photo[steps > 0.02].mean() - photo[np.isfinite(steps)].mean())

    assert agreement("calibrated") > 2 * agreement("none") > 0


def spoil(folder: Path, name: str, data: bytes) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


Spoil = Callable[[Path], None]


@pytest.mark.parametrize(
    ("write", "harm", "message"),
    [
        (layouts.write_mirrored, lambda f: (f / "depth/0001.png").unlink(), "1 of 3 frames .* such as '0001'"),
        (layouts.write_mirrored, lambda f: spoil(f, "image/0000.jpg", b""), r"0000\.jpg' is empty"),
        (
            layouts.write_mirrored,
            lambda f: PilImage.new("L", (640, 480)).save(f / "image/0000.jpg") or PilImage.new("I;16", (64, 48)).save(f / "depth/0000.png"),
            r"0000\.png' has shape \(48, 64\) and type uint16",
        ),
        (layouts.write_sync, lambda f: (f / "bedroom_0004/rgb_00002.jpg").unlink(), "has no rgb_00002.jpg beside"),
        (layouts.write_h5, lambda f: spoil(f, "train/kitchen_0001/00001.h5", b"no"), r"00001\.h5' is no .h5 frame"),
        (
            layouts.write_densedepth,
            lambda f: (f / "data/nyu2_train/kitchen_0001_out/2.png").unlink(),
            r"names 1 files that are not there, such as 'data/nyu2_train/kitchen_0001_out/2\.png'",
        ),
        (
            layouts.write_densedepth,
            lambda f: spoil(f, "data/nyu2_test.csv", b"only-one\n"),
            r"nyu2_test\.csv', row 1: 'only-one' is no photo and depth",
        ),
        (layouts.write, lambda f: spoil(f, "nyu_depth_v2_labeled.mat", b"no"), "is no MATLAB 7.3 file, or is cut short"),
        (layouts.write_raw, lambda f: spoil(f, "kitchen_0001/d-x.pgm", b"no"), r"d-x\.pgm' bears no time"),
    ],
)  # fmt: skip
def test_damage_is_named(
    write: Callable[[Path], layouts.Place], harm: Spoil, message: str, tmp_path: Path
) -> None:
    place, options = write(tmp_path)
    harm(tmp_path)
    with pytest.raises(DatasetError, match=message):
        list(open_dataset(place, name="nyu", options=options))


def test_h5_frames_of_another_layout_and_lonely_raw_depth_are_named(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["rgb"], file["depth"] = np.zeros((4, 5, 3), np.uint8), np.ones((4, 5), np.float32)
    with pytest.raises(DatasetError, match=r"rgb uint8 \(4, 5, 3\) and depth \(4, 5\)"):
        open_dataset(tmp_path, name="nyu", options={"layout": "h5"})[0]
    spoil(tmp_path, "raw/NYU_depth.pgm", b"P5 1 1 255\n\x01")
    with pytest.raises(DatasetError, match=r"has no 'NYU_color\.ppm' beside it"):
        open_dataset(tmp_path / "raw", name="nyu", options={"layout": "raw"})


def test_what_is_none_of_them_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="has none of NYU's layouts; 'leadline data info nyu' draws them"):
        Nyu(open_tree(tmp_path))
    with pytest.raises(DatasetError, match=r"holds no nyu_depth_v2_labeled\.mat"):
        Nyu(open_tree(tmp_path), layout="mat")
    with pytest.raises(DatasetError, match="holds raw depth only, so truth=filled cannot be had"):
        Nyu(open_tree(tmp_path), layout="sync", truth="filled")
    with pytest.raises(DatasetError, match=r"holds no image/\*\.jpg"):
        Nyu(open_tree(tmp_path), layout="mirrored")
    (tmp_path / "nyu_depth_v2_labeled.mat").write_bytes(b"")
    with h5py.File(tmp_path / "nyu_depth_v2_labeled.mat", "w") as file:
        file["images"] = np.zeros((2, 3, 4, 3), np.uint8)
    with pytest.raises(DatasetError, match="does not hold images, depths and scenes"):
        Nyu(open_tree(tmp_path), layout="mat")


def test_the_eigen_window_needs_whole_frames(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["rgb"], file["depth"] = np.zeros((3, 4, 5), np.uint8), np.ones((4, 5), np.float32)
    with pytest.raises(DatasetError, match="is 5x4; the Eigen crop is of 640x480"):
        open_dataset(tmp_path, name="nyu", options={"layout": "h5", "window": "eigen"})[0]
