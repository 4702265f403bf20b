from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from leadline.core.errors import EngineError
from leadline.core.image import Image
from leadline.engines.openvino.engine import OpenVinoEngine
from leadline.engines.openvino.session import OpenVinoSession
from leadline.engines.threads import physical_cores
from leadline.flows.model import open_model
from leadline.io.images import read_image
from leadline.ops.processing import Processing
from leadline.plugins.ports import EngineOptions
from leadline.plugins.registry import MODELS
from leadline.plugins.specs import ModelSpec
from leadline.testing.graphs import brightness_depth
from leadline.testing.scenes import noise_photo

SAME = 1e-3
"""Largest difference between engines in fp32, as a share of the largest value."""


def _path(spec: ModelSpec) -> Path:
    return Path(spec.weights.source.removeprefix("file:"))


def _open(spec: ModelSpec, **options: Any) -> OpenVinoSession:
    return OpenVinoEngine().open(spec, weights=_path(spec), options=EngineOptions(**options))


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).max() / np.abs(one).max())


def _written(
    path: Path, nodes: list[Any], spec: ModelSpec, *, shape: tuple[Any, ...], kind: int = TensorProto.FLOAT
) -> ModelSpec:
    inputs = [helper.make_tensor_value_info("rgb", kind, shape)]
    outputs = [helper.make_tensor_value_info("out", kind, None)]
    graph = helper.make_graph(nodes, "test", inputs, outputs, [])
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("acme", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    path.write_bytes(model.SerializeToString())
    return replace(spec, weights=replace(spec.weights, source=f"file:{path}"))


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (37, 53), (480, 640)])
def test_the_embedded_model_gives_onnxruntimes_numbers(size: tuple[int, int]) -> None:
    """Its file resizes with a filter as wide as the step, which OpenVINO's mode of that name leaves out."""
    photo = noise_photo(*size, f_px=300.0)
    with open_model() as there, open_model(engine="openvino") as here:
        assert here.record.engine == "openvino (CPU)"
        one, other = (model.predict(photo).depth.values for model in (there, here))
        assert _apart(one, other) <= SAME


def test_the_embedded_model_gives_onnxruntimes_numbers_on_a_real_photo(photo: Path) -> None:
    with open_model() as there, open_model(engine="openvino") as here:
        one, other = (model.predict(str(photo)).depth.values for model in (there, here))
        assert _apart(one, other) <= SAME


FAMILIES = [
    "depth-anything-tiny",
    "depth-anything-metric-tiny",
    "depth-pro-tiny",
    "dpt-beit-tiny",
    "dpt-hybrid-tiny",
    "dpt-tiny",
    "glpn-tiny",
    "tipsv2-dpt-tiny",
    "zoedepth-tiny",
]


@pytest.mark.parametrize("name", FAMILIES)
def test_families_give_torchs_numbers(name: str) -> None:
    photos = [noise_photo(48, 64, seed=1)]
    if name == "depth-anything-tiny":
        photos += [noise_photo(48, 64, seed=2), noise_photo(90, 200, seed=3)]
    with open_model(name, engine="torch") as there, open_model(name, engine="openvino") as here:
        wanted, found = (model.infer(photos)[0] for model in (there, here))
        for one, other in zip(wanted, found, strict=True):
            assert float(one.values.std() / np.abs(one.values).mean()) > 1e-3, (
                "it answers the same everywhere"
            )
            assert _apart(one.values, other.values) <= SAME


def test_every_family_of_random_weights_is_here_unless_its_network_rests_on_the_photo() -> None:
    tiny = {
        spec.name: spec.engines for spec in MODELS.sound() if spec.network and spec.weights.scheme == "code"
    }
    assert {name for name, engines in tiny.items() if "openvino" in engines} == set(FAMILIES)
    assert set(tiny) - set(FAMILIES) == {
        "dpt-swin-tiny",
        "zoedepth-two-tiny",
        "marigold-tiny",
        "prompt-depth-anything-tiny",
    }


def test_a_network_that_chooses_by_the_photo_is_refused_and_not_frozen() -> None:
    spec = replace(MODELS.get("zoedepth-two-tiny"), engines=("openvino",))
    with (
        open_model(spec) as model,
        pytest.raises(EngineError, match=r"cannot run 'zoedepth-two-tiny'.*--fallback torch"),
    ):
        model.predict(noise_photo(48, 64))


def test_batches_of_mixed_sizes_keep_their_order(brightness: ModelSpec) -> None:
    sizes = [(5, 7), (5, 7), (7, 5), (5, 7), (1, 1)]
    photos = [noise_photo(*size, seed=k, f_px=100.0 + k) for k, size in enumerate(sizes)]
    for photo, answer in zip(photos, _open(brightness).run(photos), strict=True):
        np.testing.assert_allclose(answer.values, brightness_depth(photo), rtol=1e-6)


def test_threads_can_share_a_session(brightness: ModelSpec) -> None:
    session = _open(brightness)
    photos = [noise_photo(20, 30, seed=k) for k in range(6)]
    answers: dict[int, Any] = {}

    def work(k: int) -> None:
        answers[k] = session.run([photos[k]])[0].values

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k, photo in enumerate(photos):
        np.testing.assert_allclose(answers[k], brightness_depth(photo), rtol=1e-6)


def test_one_photo_gets_all_threads_and_several_one_each(brightness: ModelSpec) -> None:
    for asked, used in ((0, physical_cores()), (2, 2)):
        session = _open(brightness, threads=asked)
        session.run([noise_photo(4, 4)])
        session.run([noise_photo(4, 4), noise_photo(4, 4)])
        alone, several = (session._programs._held["any", many] for many in (False, True))
        assert alone.get_property("INFERENCE_NUM_THREADS") == used
        assert (alone.get_property("NUM_STREAMS"), several.get_property("NUM_STREAMS")) == (1, used)
        assert "float32" in str(alone.get_property("INFERENCE_PRECISION_HINT"))


def test_bf16_is_offered_only_where_there_are_units_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from leadline.engines.openvino import engine

    class Core:
        def __init__(self, chosen: str) -> None:
            self.chosen = chosen

        def get_property(self, device: str, name: str) -> Any:
            return ["FP32", "BF16", "INT8"] if name == "OPTIMIZATION_CAPABILITIES" else self.chosen

    assert engine._precisions(Core("<Type: 'float32'>"), "CPU") == ("fp32", "int8")
    assert engine._precisions(Core("<Type: 'bfloat16'>"), "CPU") == ("fp32", "bf16", "int8")


def test_a_precision_that_is_not_there_is_named_with_those_that_are(brightness: ModelSpec) -> None:
    with pytest.raises(EngineError, match="'openvino' has no precision 'fp16' on CPU; it has fp32"):
        _open(brightness, precision="fp16")


def test_it_always_compiles(brightness: ModelSpec) -> None:
    _open(brightness, compile="yes")
    with pytest.raises(EngineError, match="always compiles"):
        _open(brightness, compile="no")


def test_a_device_that_is_not_there_is_refused(brightness: ModelSpec) -> None:
    with pytest.raises(EngineError, match=r"no device 'tpu' here; it has .*cpu"):
        _open(brightness, device="tpu")


def test_an_operator_that_it_lacks_is_named(brightness: ModelSpec, tmp_path: Path) -> None:
    odd = _written(
        tmp_path / "odd.onnx",
        [helper.make_node("Sprocket", ["rgb"], ["out"], domain="acme")],
        brightness,
        shape=("N", 3, 8, 8),
    )
    with pytest.raises(EngineError, match=r"(?s)Sprocket.*--fallback onnxruntime"):
        _open(replace(odd, processing=Processing(8, 8)))


def test_resizing_that_it_would_get_wrong_is_refused(brightness: ModelSpec, tmp_path: Path) -> None:
    sizes = helper.make_tensor("sizes", TensorProto.INT64, [4], [1, 3, 4, 4])
    nodes = [
        helper.make_node("Constant", [], ["sizes"], value=sizes),
        helper.make_node("Resize", ["rgb", "", "", "sizes"], ["out"], mode="cubic", antialias=1),
    ]
    odd = _written(tmp_path / "cubic.onnx", nodes, brightness, shape=(1, 3, 8, 8))
    with pytest.raises(EngineError, match="lacks antialiased resizing of mode 'cubic'"):
        _open(replace(odd, processing=Processing(8, 8)))


@pytest.mark.parametrize("way", ["sizes", "scales"])
@pytest.mark.parametrize(("shape", "size"), [((1, 3, 40, 60), (10, 12)), ((1, 40, 60, 3), (10, 12))])
def test_antialiased_resizing_is_pillows(
    brightness: ModelSpec, tmp_path: Path, way: str, shape: tuple[int, ...], size: tuple[int, int]
) -> None:
    """Against onnxruntime, in floats, for either order of axes, by sizes and by scales."""
    import onnxruntime

    from leadline.engines.openvino.graphs import read_graph
    from leadline.engines.openvino.runtime import core

    place = 2 if shape[1] == 3 else 1
    target = [*shape[:place], *size, *shape[place + 2 :]]
    given: Any = target if way == "sizes" else [b / a for a, b in zip(shape, target, strict=True)]
    kind = TensorProto.INT64 if way == "sizes" else TensorProto.FLOAT
    names = ["rgb", "", "", "to"] if way == "sizes" else ["rgb", "", "to"]
    nodes = [
        helper.make_node("Constant", [], ["to"], value=helper.make_tensor("to", kind, [4], given)),
        helper.make_node("Resize", names, ["out"], mode="linear", antialias=1, exclude_outside=1),
    ]
    path = _path(_written(tmp_path / "small.onnx", nodes, brightness, shape=shape))
    pixels = np.random.default_rng(0).random(shape, np.float32)
    (wanted,) = onnxruntime.InferenceSession(path).run(None, {"rgb": pixels})
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    made = core().compile_model(read_graph(core(), path, name="x"), "CPU", exact)([pixels])[0]
    np.testing.assert_allclose(made, wanted, atol=2e-6)


def test_a_file_that_is_no_model_is_refused(brightness: ModelSpec, tmp_path: Path) -> None:
    for content in (b"", b"hello"):
        path = tmp_path / "model.onnx"
        path.write_bytes(content)
        with pytest.raises(EngineError, match="cannot load 'brightness-test'"):
            OpenVinoEngine().open(brightness, weights=path, options=EngineOptions())


def test_graphs_that_are_not_the_agreed_ones_are_refused(brightness: ModelSpec, tmp_path: Path) -> None:
    same = [helper.make_node("Identity", ["rgb"], ["out"])]
    foreign = _written(tmp_path / "foreign.onnx", same, brightness, shape=("N", 3, 8, 8))
    with pytest.raises(EngineError, match="not a whole graph"):
        _open(foreign)
    flat = _written(tmp_path / "flat.onnx", same, brightness, shape=("N", 3))
    with pytest.raises(EngineError, match="one float input of four axes"):
        _open(replace(flat, processing=Processing(8, 8)))
    constant = helper.make_node(
        "Constant", [], ["to"], value=helper.make_tensor("to", TensorProto.INT64, [2], [1, 48])
    )
    fixed = [constant, helper.make_node("Reshape", ["rgb", "to"], ["out"])]
    small = _written(tmp_path / "small.onnx", fixed, brightness, shape=(1, 3, 4, 4))
    with pytest.raises(EngineError, match="does not take one photo of 8x8"):
        _open(replace(small, processing=Processing(8, 8))).run([noise_photo(8, 8)])
    with pytest.raises(EngineError, match="is not one depth map"):
        _open(replace(foreign, processing=Processing(8, 8))).run([noise_photo(8, 8)])
    whole = onnx.load(_path(brightness))
    whole.graph.node.extend([helper.make_node("Transpose", ["depth"], ["turned"], perm=[0, 2, 1])])
    whole.graph.output[0].name = "turned"
    for node in whole.graph.node:
        node.output[:] = [{"depth": "plain", "turned": "depth"}.get(name, name) for name in node.output]
        node.input[:] = ["plain" if name == "depth" else name for name in node.input]
    whole.graph.output[0].name = "depth"
    path = tmp_path / "turned.onnx"
    path.write_bytes(whole.SerializeToString())
    with pytest.raises(EngineError, match=r"answered \(1, 7, 5\) where \(1, 5, 7\) was due"):
        OpenVinoEngine().open(brightness, weights=path, options=EngineOptions()).run([noise_photo(5, 7)])


def test_a_model_that_is_neither_file_nor_network_is_refused(brightness: ModelSpec, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="no file of ONNX or OpenVINO"):
        OpenVinoEngine().open(replace(brightness, network=""), weights=tmp_path, options=EngineOptions())
    with pytest.raises(EngineError, match="cannot load 'brightness-test'"):
        OpenVinoEngine().open(brightness, weights=tmp_path, options=EngineOptions())


def test_numbers_that_are_none_are_told(brightness: ModelSpec, tmp_path: Path) -> None:
    root = [
        helper.make_node("ReduceMean", ["rgb"], ["grey"]),
        helper.make_node("Neg", ["grey"], ["less"]),
        helper.make_node("Log", ["less"], ["log"]),
        helper.make_node("Add", ["log", "rgb"], ["all"]),
        helper.make_node("ReduceSum", ["all"], ["out"], keepdims=1),
    ]
    odd = _written(tmp_path / "nan.onnx", root, brightness, shape=(1, 1, 1, 3))
    spec = replace(odd, processing=Processing(1, 1, layout="NHWC"))
    with pytest.raises(EngineError, match="gave no finite number"):
        _open(spec).run([Image.from_array(np.full((1, 1, 3), 200, np.uint8))])


@pytest.mark.parametrize(
    "file", ["meter_xxs_nyu/meter_xxs_nyu_reexport.onnx", "fastdepth_nyu/fastdepth_dequantised_fp32.onnx"]
)
def test_published_networks_give_onnxruntimes_numbers(
    brightness: ModelSpec, shared_peers: Path, photo: Path, file: str
) -> None:
    processing = Processing(192, 256, output_scale=0.01) if "meter" in file else Processing(224, 224)
    path = shared_peers / file
    spec = replace(
        brightness, processing=processing, weights=replace(brightness.weights, source=f"file:{path}")
    )
    image = read_image(str(photo))
    with open_model(spec, engine="onnxruntime") as there, open_model(spec, engine="openvino") as here:
        one, other = (model.infer([image])[0][0].values for model in (there, here))
    assert _apart(one, other) <= SAME


def test_numbers_that_are_not_torchs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A graph is held against the network when it is made: OpenVINO has got operators wrong."""
    from leadline.engines.openvino import tracing

    whole = tracing.converted

    def spoilt(module: Any, inputs: Any, *, name: str) -> Any:
        from openvino import opset8

        graph = whole(module, inputs, name=name)
        result = graph.get_results()[0]
        doubled = opset8.multiply(result.input_value(0), np.float32(1.05))
        result.input(0).replace_source_output(doubled.output(0))
        doubled.output(0).set_names({"predicted_depth"})
        return graph

    monkeypatch.setattr(tracing, "converted", spoilt)
    spec = replace(MODELS.get("tipsv2-dpt-tiny"), name="spoilt-tiny")
    with (
        open_model(spec, engine="openvino") as model,
        pytest.raises(EngineError, match="otherwise than torch"),
    ):
        model.predict(noise_photo(48, 64))


@pytest.mark.slow
def test_depth_anything_v2_small_gives_torchs_numbers(tmp_path: Path, photo: Path) -> None:
    """The published architecture at its own size, with random weights under which its answer varies."""
    from leadline.testing.full_size import depth_anything_v2_small

    checkpoint = str(depth_anything_v2_small(tmp_path))
    with (
        open_model(checkpoint, engine="torch") as there,
        open_model(checkpoint, engine="openvino") as here,
    ):
        one, other = (model.infer([read_image(str(photo))])[0][0].values for model in (there, here))
    assert float(one.std() / np.abs(one).mean()) > 0.1
    assert _apart(one, other) <= SAME


def test_where_there_is_no_memory_the_next_size_that_fits_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    infer = OpenVinoSession._infer

    def small(self: OpenVinoSession, program: Any, feeds: list[Any]) -> list[Any]:
        if max(array.size for feed in feeds for array in feed.values()) > 3 * 60 * 100:
            raise EngineError("openvino failed", hint="") from RuntimeError("std::bad_alloc")
        return infer(self, program, feeds)

    monkeypatch.setattr(OpenVinoSession, "_infer", small)
    with (
        open_model(engine="openvino") as model,
        pytest.raises(EngineError, match=r"no memory for 'leadline-indoor-small' .*a photo of 80x60 fits"),
    ):
        model.predict(np.zeros((240, 320, 3), np.uint8))


def test_where_no_smaller_photo_needs_less_memory_none_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """DPT sees every photo at one size."""
    tried: list[int] = []

    def none(self: OpenVinoSession, program: Any, feeds: list[Any]) -> list[Any]:
        tried.append(len(feeds))
        raise EngineError("openvino failed", hint="") from RuntimeError("std::bad_alloc")

    monkeypatch.setattr(OpenVinoSession, "_infer", none)
    with (
        open_model("dpt-tiny", engine="openvino") as model,
        pytest.raises(EngineError, match=r"no memory for 'dpt-tiny' on cpu .*of any size as 64x64"),
    ):
        model.predict(np.zeros((240, 320, 3), np.uint8))
    assert tried == [1]
