"""Bring your own ONNX file: what it says itself, what must be said, and two published networks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PilImage

from leadline.core.errors import EngineError, InputError
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.flows.model import open_model
from leadline.flows.naming import resolve_model
from leadline.plugins.specs import Commercial, Stated
from leadline.testing.graphs import write_brightness

onnx = pytest.importorskip("onnx")
METRIC = Stated(kind=Kind(), unit="m")
NO_UNIT = Stated(kind=Kind())
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def network(path: Path, shape: list[Any], *, inputs: int = 1, number: int = 1) -> Path:
    """Depth is the mean of the channels."""
    make = onnx.helper
    names = [f"rgb{k}" for k in range(inputs)]
    axis = 3 if shape[-1] == 3 else 1
    nodes = [
        make.make_node("ReduceMean", [names[0], "axes"], ["depth"], keepdims=1),
    ]
    graph = make.make_graph(
        nodes,
        "mean",
        [make.make_tensor_value_info(name, number, shape) for name in names],
        [make.make_tensor_value_info("depth", number, None)],
        [onnx.numpy_helper.from_array(np.array([axis], np.int64), "axes")],
    )
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 18)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    return path


def test_what_the_shape_says_need_not_be_said(tmp_path: Path) -> None:
    spec = resolve_model(f"onnx:{network(tmp_path / 'a.onnx', ['N', 3, 8, 10])}", stated=METRIC)
    assert spec.processing is not None
    assert (spec.processing.height, spec.processing.width, spec.processing.layout) == (8, 10, "NCHW")
    spec = resolve_model(str(network(tmp_path / "b.onnx", [1, 6, 7, 3])), stated=METRIC)
    assert spec.processing is not None
    assert (spec.processing.height, spec.processing.width, spec.processing.layout) == (6, 7, "NHWC")


@pytest.mark.parametrize("shape", [[1, 3, 8, 10], [1, 8, 10, 3]])
def test_the_numbers(tmp_path: Path, shape: list[int]) -> None:
    stated = Stated(kind=Kind(), unit="cm", mean=(0.1, 0.1, 0.1), std=(0.5, 0.5, 0.5))
    with open_model(str(network(tmp_path / "a.onnx", shape)), stated=stated) as model:
        depth = model.predict(np.full((16, 20, 3), 255, np.uint8)).depth
    assert np.allclose(depth.values, 0.9 / 0.5 * 0.01)


def test_a_toml_beside_it_speaks_and_the_user_has_the_last_word(tmp_path: Path) -> None:
    path = network(tmp_path / "a.onnx", ["N", 3, "H", "W"])
    (tmp_path / "a.toml").write_text(
        'kind = "affine-invariant-inverse-depth"\ninput_size = [12, 16]\nmean = [0.5, 0.5, 0.5]\n'
        'licence = "MIT"\ncommercial = "yes"\n'
    )
    spec = resolve_model(str(path))
    assert spec.kind == Kind(Quantity.INVERSE, Freedom.AFFINE)
    assert (spec.licence, spec.commercial) == ("MIT", Commercial.YES)
    assert spec.processing is not None
    assert (spec.processing.height, spec.processing.mean) == (12, (0.5, 0.5, 0.5))
    assert resolve_model(str(path), stated=METRIC).kind == Kind()


def test_a_whole_graph_says_what_it_takes(tmp_path: Path) -> None:
    path = write_brightness(tmp_path / "brightness.onnx")
    spec = resolve_model(str(path), stated=METRIC)
    assert spec.processing is None
    assert spec.scale_needs_focal
    model = onnx.load(path)
    onnx.helper.set_model_props(model, {"kind": "metric-depth", "version": "7"})
    onnx.save(model, path)
    assert (resolve_model(str(path)).kind, resolve_model(str(path)).version) == (Kind(), "7")


BROKEN: list[tuple[Callable[[Path], Any], Stated, str]] = [
    (lambda p: p / "none.onnx", METRIC, "there is no ONNX file"),
    (lambda p: network(p / "a.onnx", [1, 3, 8, 8]), Stated(), "nothing says what 'a.onnx' predicts; say it: --kind"),
    (lambda p: network(p / "a.onnx", ["N", 3, "H", "W"]), METRIC, "say --input-size HEIGHTxWIDTH"),
    (lambda p: network(p / "a.onnx", [1, 3, 8, 8], inputs=2), METRIC, r"takes 2 inputs \(rgb0, rgb1\)"),
    (lambda p: network(p / "a.onnx", ["N", "C", 8, 8]), METRIC, "say --layout NCHW or --layout NHWC"),
    (
        lambda p: network(p / "a.onnx", [1, 3, 8, 8]), Stated(kind=Kind(), unit="m", layout="NHWC"),
        r"takes an input of \[1, 3, 8, 8\], NCHW, not NHWC; leave --layout out",
    ),
    (
        lambda p: network(p / "a.onnx", [1, 1, 8, 8]), Stated(kind=Kind(), unit="m", layout="NCHW"),
        "without three colours, not NCHW; export it",
    ),
    (lambda p: network(p / "a.onnx", [1, 3, 8]), METRIC, "not float photos of four axes"),
    (lambda p: network(p / "a.onnx", [1, 3, 8, 8]), Stated(kind=Kind(), unit="m", height=9, width=9), "takes 8x8 only, not 9x9"),
    (lambda p: network(p / "a.onnx", [1, 3, 8, 8]), Stated(kind=Kind(), unit="ft"), "unit 'ft' is not one of m, cm, mm"),
    (
        lambda p: network(p / "a.onnx", [1, 3, 8, 8]),
        Stated(kind=Kind(Quantity.INVERSE, Freedom.AFFINE), unit="cm"),
        "only metric depth is in cm",
    ),
    (
        lambda p: network(p / "a.onnx", [1, 3, 8, 8]), NO_UNIT,
        "in which unit 'a.onnx' gives its metric-depth; say --unit m, --unit cm or --unit mm, or write unit = \"m\"",
    ),
    (
        lambda p: network(p / "a.onnx", [1, 3, 8, 8]), Stated(kind=Kind(Quantity.INVERSE)),
        "in which unit 'a.onnx' gives its metric-inverse-depth; say --unit m, for values in 1/m",
    ),
    (lambda p: write_brightness(p / "a.onnx"), NO_UNIT, "nothing says in which unit"),
    (lambda p: write_brightness(p / "a.onnx"), Stated(kind=Kind(), unit="cm"), "and then gives metres, not cm"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "stated", "message"), BROKEN)
def test_what_is_missing_or_wrong_is_said(
    tmp_path: Path, make: Callable[[Path], Path], stated: Stated, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        resolve_model(f"onnx:{make(tmp_path)}", stated=stated)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind = ", "cannot be read"),
        ('kin = "metric-depth"', "unknown key 'kin'; did you mean 'kind'"),
        ("zzz = 1", "unknown key 'zzz'; known: commercial"),
        ("input_size = [1]", r"input_size = \[1\] is not a list of 2 numbers"),
        ("kind = 3", "kind = 3 is not of that type"),
        ('commercial = "maybe"', "commercial = 'maybe' is not yes, no or unclear"),
        ('way_back = "bus"', "way_back = 'bus' is not antialiased, linear or cubic"),
        ('keeps_range = "yes"', "keeps_range = 'yes' is not of that type"),
    ],
)
def test_a_toml_that_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    path = network(tmp_path / "a.onnx", [1, 3, 8, 8])
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(InputError, match=message):
        resolve_model(str(path), stated=METRIC)


def test_a_file_that_is_no_network(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(b"no network at all")
    with pytest.raises(EngineError, match=r"a\.onnx' is no ONNX file that can be read"):
        resolve_model(str(path), stated=METRIC)


def test_the_two_published_networks(shared_peers: Path, shared_data: Path) -> None:
    """Against the same files run by ONNX Runtime and Pillow alone."""
    import onnxruntime

    rgb = np.asarray(PilImage.open(shared_data / "redwood/RGBD/color/00000.jpg"))
    meter = shared_peers / "meter_xxs_nyu/meter_xxs_nyu_reexport.onnx"
    fast = shared_peers / "fastdepth_nyu/fastdepth_dequantised_fp32.onnx"
    for path, size, stated, scale in (
        (meter, (256, 192), Stated(kind=Kind(), unit="cm", mean=IMAGENET[0], std=IMAGENET[1]), 0.01),
        (fast, (224, 224), METRIC, 1.0),
    ):
        small = (
            np.asarray(PilImage.fromarray(rgb).resize(size, PilImage.Resampling.BILINEAR), np.float32) / 255
        )
        if stated.mean:
            small = (small - np.array(stated.mean, np.float32)) / np.array(stated.std, np.float32)
        session = onnxruntime.InferenceSession(str(path))
        name = session.get_inputs()[0].name
        output = session.run(None, {name: small.transpose(2, 0, 1)[None].astype(np.float32)})[0].squeeze()
        reference = (
            np.asarray(PilImage.fromarray(output).resize((640, 480), PilImage.Resampling.BILINEAR)) * scale
        )
        with open_model(str(path), stated=stated) as model:
            ours = model.predict(rgb).depth.values
        assert np.abs(ours - reference).max() <= 1e-4 * reference.max()


def test_from_the_command_line(command: Callable[..., Any], photo: Path, tmp_path: Path) -> None:
    path = network(tmp_path / "a.onnx", ["N", 3, "H", "W"])
    said = (
        "--kind",
        "metric-depth",
        "--unit",
        "m",
        "--input-size",
        "48x64",
        "--mean",
        "-1,-1,-1",
        "--std",
        "1,1,1",
    )
    ended = command("predict", photo, "-m", path, *said, "-o", tmp_path / "out", "-f", "npz")
    assert ended.status == 0, ended.err
    assert list((tmp_path / "out").glob("*.npz"))
    assert command("predict", photo, "-m", path, "-o", tmp_path / "out").status == 3
    unsaid = command("predict", photo, "-m", path, *said[:2], *said[4:], "-o", tmp_path / "out")
    assert (unsaid.status, unsaid.err.count("\n")) == (3, 1)
    assert "--unit m, --unit cm or --unit mm" in unsaid.err
    assert command("predict", photo, "-m", path, "--input-size", "big").status == 3
    assert command("predict", photo, "-m", path, "--mean", "1,2").status == 3


def test_how_photos_are_resized_may_be_said_beside_it(tmp_path: Path) -> None:
    path = network(tmp_path / "a.onnx", [1, 3, 8, 10])
    path.with_suffix(".toml").write_text(
        'kind = "metric"\nunit = "m"\nresample = "bicubic"\nway_back = "cubic"\nkeeps_range = true\nversion = "7"\n'
    )
    spec = resolve_model(str(path))
    assert spec.processing is not None
    assert (spec.processing.resample, spec.processing.way_back, spec.processing.keeps_range) == (
        "bicubic",
        "cubic",
        True,
    )
    assert spec.version == "7"


@pytest.fixture
def openvino_file(tmp_path: Path) -> Path:
    openvino = pytest.importorskip("openvino")
    graph = openvino.Core().read_model(network(tmp_path / "a.onnx", ["N", 3, 8, 10]))
    openvino.save_model(graph, tmp_path / "b.xml", compress_to_fp16=False)
    return tmp_path / "b.xml"


@pytest.mark.parametrize("form", ["{}", "openvino:{}"])
def test_a_file_of_openvino_is_a_model_too(openvino_file: Path, form: str) -> None:
    stated = Stated(kind=Kind(), unit="cm")
    with open_model(form.format(openvino_file), stated=stated) as model:
        assert (model.record.name, model.record.engine) == ("b", "openvino (CPU)")
        depth = model.predict(np.full((16, 20, 3), 51, np.uint8)).depth
    np.testing.assert_allclose(depth.values, 0.2 * 0.01, rtol=1e-6)


def test_a_file_of_openvino_is_known_by_its_weights_too(openvino_file: Path) -> None:
    from leadline.io.weights import fingerprint

    before = fingerprint(openvino_file)
    beside = openvino_file.with_suffix(".bin")
    beside.write_bytes(beside.read_bytes() + b"\0")
    assert fingerprint(openvino_file) != before
    beside.unlink()
    with pytest.raises(InputError, match=r"there is no OpenVINO file '.*b\.bin'; it takes both"):
        resolve_model(f"openvino:{openvino_file}", stated=METRIC)


def test_half_a_file_of_openvino_is_refused(openvino_file: Path) -> None:
    openvino_file.write_text(openvino_file.read_text()[:200])
    with pytest.raises(EngineError, match="cannot load 'b'"):
        resolve_model(str(openvino_file), stated=METRIC)
