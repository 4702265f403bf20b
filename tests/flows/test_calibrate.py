"""From measured distances to metric predictions of further frames, on models whose answers are known."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PilImage

import leadline
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError
from leadline.core.image import Image
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.flows.calibrate import CalibrateRequest, run
from leadline.flows.model import open_model
from leadline.flows.models import register_model
from leadline.flows.predict_request import PredictRequest
from leadline.io.calibrations import read_calibration
from leadline.io.depth_files import read_depth, write_depth
from leadline.ops.known_points import KnownPoints
from leadline.ops.metrics import score
from leadline.plugins.specs import ModelSpec

Command = Callable[..., Any]
RED = {(5, 4): 0, (30, 10): 100, (20, 25): 200}
"""Places and the red that the photo has around them."""


@pytest.fixture
def relative(known: ModelSpec) -> ModelSpec:
    """The closed-form network as a model of affine-invariant inverse depth: it says 1 + red / 255, whatever the lens."""
    spec = replace(known, name="relative-test", kind=Kind(Quantity.INVERSE, Freedom.AFFINE))
    register_model(spec)
    return spec


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    """Two photos: one with patches of known red, and another of the same camera."""
    folder = tmp_path / "frames"
    folder.mkdir()
    red = np.full((32, 40), 50, np.uint8)
    for (x, y), value in RED.items():
        red[y - 3 : y + 4, x - 3 : x + 4] = value
    for name, plane in (("a", red), ("b", red[:, ::-1])):
        PilImage.fromarray(np.stack([plane, plane // 2, plane // 3], -1)).save(folder / f"{name}.png")
    return folder


def said(red: int, focal_px: float = 500.0) -> float:
    return (1 + red / 255) * focal_px / 500


def metres(red: NDArray[np.uint8] | int) -> Any:
    """What is so: the inverse depth is 0.4 of what the network says, less 0.15."""
    return 1 / (0.4 * (1 + np.asarray(red, np.float64) / 255) - 0.15)


def measured() -> list[str]:
    return [f"{x},{y}={metres(red):.6f}m" for (x, y), red in RED.items()]


@pytest.mark.usefixtures("relative")
def test_an_affine_model_is_calibrated_and_used_on_another_frame(
    frames: Path, tmp_path: Path, command: Command
) -> None:
    points = [word for text in measured() for word in ("-p", text)]
    ended = command(
        *("calibrate", frames / "a.png", *points, "-m", "relative-test", "--focal", "500"),
        *("--along", "axis", "-o", tmp_path / "c.json"),
    )
    assert (ended.status, ended.err) == (0, "")
    assert "off by 0.0 % (root mean square), 0.0 % at most" in ended.out
    assert f"leadline predict FRAMES -m relative-test --calibration {tmp_path / 'c.json'}" in ended.out
    predicted = command(
        *("predict", frames / "b.png", "-m", "relative-test", "--calibration", tmp_path / "c.json"),
        *("-o", tmp_path / "out", "-f", "npz,ply,png16"),
    )
    assert (predicted.status, predicted.err) == (0, "")
    assert (tmp_path / "out/b_cloud.ply").is_file()
    depth, record = read_depth(tmp_path / "out/b_depth.npz")
    red = np.asarray(PilImage.open(frames / "b.png"))[..., 0]
    assert depth.kind == Kind()
    np.testing.assert_allclose(depth.values, metres(red), rtol=1e-4)
    assert record.model is not None
    assert record.model.calibrated.startswith("inverse depth = 0.4")
    assert record.camera is not None
    assert record.camera.fx == 500  # the frame did not know its lens; the calibration did
    told = command("info", tmp_path / "out/b_depth.npz")
    assert f"calibrated: {record.model.calibrated}" in told.out


def test_a_metric_model_gets_a_factor_for_its_lens(known: ModelSpec, frames: Path, tmp_path: Path) -> None:
    """The network's metres go with the focal length: a frame that does not know its lens must get the calibrated one."""
    points = tuple(f"{x},{y}={1.25 * said(red, 800):.6f}m" for (x, y), red in RED.items())
    report = run(
        CalibrateRequest(
            str(frames / "a.png"),
            points,
            model=known.name,
            focal_px=800.0,
            along="axis",
            out=tmp_path / "c.json",
        )
    )
    assert report.calibration.alignment.scale == pytest.approx(1.25, rel=1e-5)
    red = np.asarray(PilImage.open(frames / "b.png"))[..., 0]
    with open_model(known, calibration=tmp_path / "c.json") as model:
        assert repr(model) == "Model 'brightness-test', metres (calibrated), on onnxruntime (CPU)"
        prediction = model.predict(frames / "b.png")
        depth = prediction.depth
        assert prediction.image.camera == depth.camera
        assert depth.camera is not None
        assert depth.camera.fx == 800
        np.testing.assert_allclose(depth.values, 1.25 * (1 + red / 255.0) * 1.6, rtol=1e-5)
        assert not depth.scale_uncertain
        with pytest.raises(InputError, match="a lens of"):
            model.predict(frames / "b.png", focal_px=500.0)
    with open_model(known, calibration=report.calibration, tta="flip") as model:
        looks = model.predict(frames / "b.png")
        assert looks.uncertainty is not None
        np.testing.assert_allclose(looks.uncertainty, 0, atol=1e-6)


@pytest.mark.usefixtures("known")
def test_a_lens_that_was_not_known_must_not_be_known_later(frames: Path, tmp_path: Path) -> None:
    run(
        CalibrateRequest(
            str(frames / "a.png"), ("5,4=1m",), model="brightness-test", along="axis", out=tmp_path / "c.json"
        )
    )
    with open_model("brightness-test", calibration=str(tmp_path / "c.json")) as model:
        assert model.predict(frames / "b.png").depth.values[4, 34] == pytest.approx(1, rel=1e-5)
        with pytest.raises(InputError, match="the lens is known here"):
            model.predict(frames / "b.png", focal_px=500.0)


def test_a_depth_file_does_instead_of_the_photo(
    relative: ModelSpec, frames: Path, tmp_path: Path, command: Command
) -> None:
    command("predict", frames / "a.png", "-m", relative.name, "--focal", "500", "-f", "npz", "-o", tmp_path)
    from_file = run(
        CalibrateRequest(points=tuple(measured()), depth=tmp_path / "a_depth.npz", out=tmp_path / "f.json")
    )
    from_photo = run(
        CalibrateRequest(
            str(frames / "a.png"),
            tuple(measured()),
            model=relative.name,
            focal_px=500.0,
            out=tmp_path / "p.json",
        )
    )
    assert from_file.calibration == replace(from_photo.calibration, source="a.png")
    assert read_calibration(tmp_path / "f.json") == from_file.calibration
    assert (
        read_calibration(tmp_path / "p.json") == from_file.calibration
    )  # no folder of anyone in a file that travels
    depth, _ = read_depth(tmp_path / "a_depth.npz")
    write_depth(tmp_path / "anon.npz", depth)
    with pytest.raises(InputError, match="does not say which model predicted it"):
        run(CalibrateRequest(points=tuple(measured()), depth=tmp_path / "anon.npz"))


def test_a_sparse_file_does_instead_of_points(relative: ModelSpec, frames: Path, tmp_path: Path) -> None:
    red = np.asarray(PilImage.open(frames / "a.png"))[..., 0]
    truth = np.where(np.random.default_rng(0).random(red.shape) < 0.2, metres(red) * 1000, 0)
    PilImage.fromarray(truth.round().astype(np.uint16)).save(tmp_path / "lidar.png")
    report = run(
        CalibrateRequest(
            str(frames / "a.png"),
            sparse=tmp_path / "lidar.png",
            sparse_scale=0.001,
            model=relative.name,
            focal_px=500.0,
            window=1,
            out=tmp_path / "c.json",
        )
    )
    line = report.calibration.alignment
    assert (line.scale, line.shift) == pytest.approx((0.4, -0.15), abs=1e-3)
    assert line.method == "robust"


@pytest.mark.usefixtures("relative", "known")
def test_another_model_camera_or_shape_is_refused(frames: Path, tmp_path: Path, command: Command) -> None:
    path = tmp_path / "c.json"
    command(
        "calibrate",
        frames / "a.png",
        *[f"-p{text}" for text in measured()],
        "-m",
        "relative-test",
        "-o",
        path,
    )
    PilImage.fromarray(np.zeros((40, 32, 3), np.uint8)).save(frames / "upright.png")
    for arguments, status, words in (
        (("-m", "leadline-indoor-small"), 3, "the calibration is for 'relative-test'"),
        (("-m", "brightness-test"), 4, "and 'brightness-test' predicts metric-depth"),
        (("-m", "relative-test,brightness-test"), 3, "a calibration is for one model"),
    ):
        ended = command("predict", frames, "-o", tmp_path / "out", "--calibration", path, *arguments)
        assert (ended.status, words in ended.err, "Traceback" in ended.err) == (status, True, False), (
            ended.err
        )
        assert not (tmp_path / "out").exists()
    ended = command("predict", frames, "-o", tmp_path / "out", "--calibration", path, "-m", "relative-test")
    assert ended.status == 1
    assert "2 photos done" in ended.out
    assert "for frames of 40x32, and this one is 32x40" in ended.err
    again = command("calibrate", "--depth", tmp_path / "out/a_depth.png", "-p", "5,4=2m", "-p", "20,25=1m")
    assert again.status == 3
    assert "the prediction was calibrated already" in again.err
    missing = command("predict", frames, "--calibration", tmp_path / "d.json", "-m", "relative-test")
    assert (missing.status, "did you mean" in missing.err) == (3, True)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"points": ("1,2=3m",)}, "no photo is given"),
        ({"photo": "a.png"}, "no known distance is given"),
        (
            {"photo": "a.png", "points": ("1,2=3m",), "sparse": Path("s.png")},
            "known distances are given twice",
        ),
        ({"photo": "a.png", "points": ("1,2=3m",), "depth": Path("d.npz")}, "a photo and a depth file"),
        ({"photo": "a.png", "points": ("1,2=3m",), "sparse_scale": 0.001}, "no --sparse"),
        ({"photo": "a.png", "points": ("1,2=3m",), "fov_deg": 60.0, "focal_px": 9.0}, "are both given"),
        ({"depth": Path("d.npz"), "points": ("1,2=3m",), "fov_deg": 60.0}, "the depth file says itself"),
        ({"photo": "a.png", "points": ("1,2=3m",), "along": "up"}, "along = 'up' is not one of"),
        ({"photo": "a.png", "points": ("1,2=3m",), "window": 0}, "window = 0 is out of range"),
    ],
)
def test_requests_make_sense(values: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        CalibrateRequest(**values)


@pytest.mark.usefixtures("relative")
def test_bad_points_on_the_command_line_are_one_line(frames: Path, tmp_path: Path, command: Command) -> None:
    for arguments, words in (
        (("-p", "5,4=2.4m"), "one point cannot fix both the scale and the shift"),
        (("-p", "5,4=2.4", "-p", "1,1=1m"), "does not say 2.4 of what"),
        (("-p", "5,400=2.4m", "-p", "1,1=1m"), "lies outside 40x32"),
        (("-p", "5,4=2.4m", "-p", "5,5=2.4m"), "all points are at the same predicted inverse-depth"),
        (("-p", "5,4=1m", "-p", "20,25=4m"), "not positive"),
        (("-p", "5,4=4m", "-p", "20,25=1m", "--window", "4"), "has no middle"),
    ):
        out = tmp_path / "c.json"
        ended = command("calibrate", frames / "a.png", "-m", "relative-test", "-o", out, *arguments)
        assert ended.status == 3, ended.err
        assert ended.err.startswith("leadline: ")
        assert words in ended.err
        assert ended.err.count("\n") == 1
        assert not out.exists()


@pytest.mark.usefixtures("relative")
def test_as_json_and_with_many_points(frames: Path, tmp_path: Path, command: Command) -> None:
    red = np.asarray(PilImage.open(frames / "a.png"))[..., 0]
    every = [(x, y) for y in range(1, 31, 4) for x in range(1, 39, 4)]
    lines = [f"{x},{y}={metres(int(red[y, x])):.5f}m" for x, y in every]
    (tmp_path / "points.txt").write_text("\n".join(lines))
    start = ("calibrate", frames / "a.png", "-m", "relative-test", "--focal", "500", "--window", "1")
    more = ("--along", "axis", "-p", f"@{tmp_path / 'points.txt'}", "-o", tmp_path / "c.json")
    ended = command(*start, *more)
    assert f"{len(every)} points: inverse depth = 0." in ended.out
    assert "the 20 points that are farthest off" in ended.out
    data = json.loads(command(*start, *more, "--json").out)
    assert data == json.loads((tmp_path / "c.json").read_text("utf-8"))
    assert data["scale"] == pytest.approx(0.4, abs=1e-4)


def _motorcycle() -> tuple[Image, DepthMap]:
    """A real photo with structured-light truth, from scikit-image's own files."""
    skimage = pytest.importorskip("skimage.data")
    left, _, disparity = skimage.stereo_motorcycle()
    camera = leadline.Camera(994.978, 994.978, 311.193, 254.877, 741, 500)
    z_m = 994.978 * 0.193001 / (disparity.astype(np.float64) + 31.086)
    return Image.from_array(left, camera=camera), DepthMap(
        np.where(np.isfinite(z_m), z_m, np.nan), Kind(), camera=camera
    )


def _truth_at(truth: DepthMap, places: list[tuple[int, int]]) -> KnownPoints:
    columns, rows = np.array(places).T
    return KnownPoints(rows, columns, truth.values[rows, columns].astype(np.float64))


def test_three_distances_bring_the_embedded_model_to_a_photo_it_is_bad_at() -> None:
    image, truth = _motorcycle()
    with leadline.open_model("leadline-indoor-small") as model:
        said_by_it = model.predict(image)
    found = leadline.calibrate(said_by_it, _truth_at(truth, [(370, 300), (600, 150), (120, 380)]))
    before, after = score(said_by_it.depth, truth), score(found.apply(said_by_it.depth), truth)
    assert before.abs_rel > 0.4
    assert after.abs_rel < 0.25
    assert after.silog == pytest.approx(before.silog, rel=1e-4)  # a factor changes nothing else


def test_a_held_out_room_is_never_made_worse_by_its_own_truth(shared_data: Path) -> None:
    """The best factor by all pixels of a real frame cannot be beaten by the model's own, by the measure it minimises."""
    with leadline.open_model("leadline-indoor-small") as model:
        for sample in leadline.open_dataset(shared_data / "redwood").spread(2):
            prediction = model.predict(sample.image)
            rows, columns = np.nonzero(sample.truth.valid)
            pick = np.random.default_rng(0).choice(len(rows), 500, replace=False)
            known = KnownPoints(
                rows[pick], columns[pick], sample.truth.values[rows[pick], columns[pick]].astype(np.float64)
            )
            found = leadline.calibrate(prediction, known)
            before, after = (
                score(prediction.depth, sample.truth),
                score(found.apply(prediction.depth), sample.truth),
            )
            assert after.abs_rel <= before.abs_rel * 1.02


def test_a_real_transformers_model_is_calibrated_exactly_where_the_truth_is_its_own(photo: Path) -> None:
    """Random weights say nothing of the world, but their kind is real: affine-invariant inverse depth."""
    pytest.importorskip("transformers")
    with leadline.open_model("depth-anything-tiny") as model:
        prediction = model.predict(photo)
    values = prediction.depth.values.astype(np.float64)
    low, high = np.percentile(values, (1, 99))
    truth = 1 / (0.2 + 0.8 * (values.clip(low, high) - low) / (high - low))
    rows, columns = (np.random.default_rng(3).integers(0, n, 12) for n in values.shape)
    found = leadline.calibrate(prediction, KnownPoints(rows, columns, truth[rows, columns]), window=1)
    inside = (values > low) & (values < high)
    np.testing.assert_allclose(found.apply(prediction.depth).values[inside], truth[inside], rtol=0.02)
    with pytest.raises(KindError, match="has no shape in space"):
        leadline.unproject(prediction.depth)
    assert leadline.unproject(found.apply(prediction.depth)).unit == "m"


def test_an_onnx_file_is_calibrated_with_what_it_does_not_say_itself(
    frames: Path, tmp_path: Path, command: Command
) -> None:
    """``--kind``, ``--input-size``, ``--mean``, ``--std`` and ``--layout`` are those of ``leadline predict``."""
    predict = PredictRequest.__dataclass_fields__
    stated = ("kind", "unit", "input_size", "mean", "std", "layout", "inputs")
    shared = (*stated, "engine", "device", "threads", "fov_deg", "focal_px", "max_pixels")
    for name in shared:
        mine = CalibrateRequest.__dataclass_fields__[name]
        assert (mine.default, mine.metadata) == (predict[name].default, predict[name].metadata)
    helper = pytest.importorskip("onnx").helper
    axes = pytest.importorskip("onnx").numpy_helper.from_array(np.array([1], np.int64), "axes")
    ends = [
        helper.make_tensor_value_info("rgb", 1, ["N", 3, "H", "W"]),
        helper.make_tensor_value_info("depth", 1, None),
    ]
    mean = helper.make_node("ReduceMean", ["rgb", "axes"], ["depth"], keepdims=1)
    graph = helper.make_graph([mean], "mean", ends[:1], ends[1:], [axes])
    path = tmp_path / "net.onnx"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    line = ["calibrate", frames / "a.png", "-p", "20,25=3m", "--along", "axis", "-m", path]
    silent = command(*line, "-o", tmp_path / "c.json")
    assert silent.status == InputError.exit_status
    assert "--kind" in silent.err
    said_so = ("--kind", "scale-invariant-depth", "--input-size", "32x40")
    normal = ("--mean", "0.1,0.1,0.1", "--std", "0.5,0.5,0.5")
    ended = command(*line, *said_so, *normal, "-o", tmp_path / "c.json")
    assert ended.status == 0, ended.err
    said_there = ((200 + 100 + 66) / 3 / 255 - 0.1) / 0.5
    assert read_calibration(tmp_path / "c.json").alignment.scale == pytest.approx(3 / said_there, rel=1e-5)
