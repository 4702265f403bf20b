from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper
from PIL import Image as PilImage

from leadline.core.camera import Camera
from leadline.core.errors import EngineError, WeightsError
from leadline.core.image import Image
from leadline.engines.onnxruntime import OnnxRuntimeEngine, OnnxRuntimeSession
from leadline.engines.threads import physical_cores
from leadline.ops.processing import Processing
from leadline.plugins.ports import Engine, EngineOptions, Session
from leadline.plugins.specs import ModelSpec
from leadline.testing.graphs import brightness_depth

CPU = EngineOptions()


def _path(spec: ModelSpec) -> Path:
    return Path(spec.weights.source.removeprefix("file:"))


def _open(spec: ModelSpec, options: EngineOptions = CPU) -> OnnxRuntimeSession:
    return OnnxRuntimeEngine().open(spec, weights=_path(spec), options=options)


def _photo(height: int, width: int, *, seed: int = 0, f_px: float | None = None) -> Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    camera = None if f_px is None else Camera.centred(f_px, width, height)
    return Image.from_array(pixels, camera=camera)


def _network(
    path: Path,
    spec: ModelSpec,
    *,
    shape: tuple[int | str, ...],
    op: str = "ReduceMean",
    **more: NDArray[np.int64],
) -> ModelSpec:
    """A network that averages the three channels of a normalised image; ``shape`` is its input's."""
    inputs = [helper.make_tensor_value_info("rgb", TensorProto.FLOAT, shape)]
    outputs = [helper.make_tensor_value_info("grey", TensorProto.FLOAT, None)]
    constants = [onnx.numpy_helper.from_array(array, name) for name, array in more.items()]
    node = helper.make_node(op, ["rgb", *more], ["grey"], **({"keepdims": 1} if op == "ReduceMean" else {}))
    graph = helper.make_graph([node], "grey", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    return replace(spec, weights=replace(spec.weights, source=f"file:{path}"))


CHANNELS = {"axes": np.array([1], np.int64)}


def test_it_is_an_engine_and_its_session_a_session(brightness: ModelSpec) -> None:
    assert isinstance(OnnxRuntimeEngine(), Engine)
    session = _open(brightness)
    assert isinstance(session, Session)
    assert session.description == "onnxruntime (CPU)"


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (400, 1), (37, 53)])
def test_whole_graph_answers_in_closed_form_at_any_size(brightness: ModelSpec, size: tuple[int, int]) -> None:
    photo = _photo(*size, f_px=321.0)
    depth = _open(brightness).run([photo])[0].values
    assert depth.dtype == np.float32
    np.testing.assert_allclose(depth, brightness_depth(photo), rtol=1e-6)


def test_focal_length_is_the_geometric_mean(brightness: ModelSpec) -> None:
    camera = Camera(fx=400.0, fy=900.0, cx=3.0, cy=2.0, width=8, height=6)
    photo = Image.from_array(np.zeros((6, 8, 3), np.uint8), camera=camera)
    np.testing.assert_allclose(_open(brightness).run([photo])[0].values, 600.0 / 500.0, rtol=1e-6)


def test_a_graph_without_focal_input_is_not_given_one(brightness: ModelSpec, tmp_path: Path) -> None:
    model = onnx.load(_path(brightness))
    (focal,) = [node for node in model.graph.input if node.name == "focal_px"]
    model.graph.input.remove(focal)
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([250.0], np.float32), "focal_px"))
    path = tmp_path / "fixed.onnx"
    onnx.save(model, path)
    session = OnnxRuntimeEngine().open(brightness, weights=path, options=CPU)
    depth = session.run([_photo(2, 3, f_px=77.0)])[0].values
    np.testing.assert_allclose(depth, brightness_depth(_photo(2, 3, f_px=250.0)), rtol=1e-6)


def test_batches_of_mixed_sizes_keep_their_order(brightness: ModelSpec) -> None:
    sizes = [(5, 7), (5, 7), (7, 5), (5, 7), (1, 1)]
    photos = [_photo(*size, seed=k, f_px=100.0 + k) for k, size in enumerate(sizes)]
    for photo, answer in zip(photos, _open(brightness).run(photos), strict=True):
        depth = answer.values
        np.testing.assert_allclose(depth, brightness_depth(photo), rtol=1e-6)
    assert _open(brightness).run([]) == []


def test_photos_of_one_size_go_through_together(
    brightness: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = _open(brightness)
    fed: list[int] = []
    call = session._call
    monkeypatch.setattr(
        session, "_call", lambda output, feed: (fed.append(len(feed["image"])), call(output, feed))[1]
    )
    session.run([_photo(4, 4), _photo(4, 4), _photo(4, 5), _photo(4, 4)])
    assert fed == [2, 1, 1]


def test_the_default_is_one_thread_a_physical_core(brightness: ModelSpec) -> None:
    for asked, used in ((0, physical_cores()), (1, 1), (3, 3)):
        inner = _open(brightness, EngineOptions(threads=asked))._session
        assert inner is not None
        assert inner.get_session_options().intra_op_num_threads == used


def test_threads_can_share_a_session(brightness: ModelSpec) -> None:
    session = _open(brightness)
    photos = [_photo(20, 30, seed=k) for k in range(8)]
    answers: dict[int, NDArray[np.float32]] = {}

    def work(k: int) -> None:
        answers[k] = session.run([photos[k]])[0].values

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k, photo in enumerate(photos):
        np.testing.assert_allclose(answers[k], brightness_depth(photo), rtol=1e-6)


def test_devices_are_those_of_the_installed_build(monkeypatch: pytest.MonkeyPatch) -> None:
    assert OnnxRuntimeEngine().devices()[-1] == "cpu"
    monkeypatch.setattr(
        onnxruntime,
        "get_available_providers",
        lambda: ["CUDAExecutionProvider", "AzureExecutionProvider", "CPUExecutionProvider"],
    )
    assert OnnxRuntimeEngine().devices() == ("cuda", "cpu")


def test_a_device_that_is_not_there_is_refused(brightness: ModelSpec) -> None:
    with pytest.raises(EngineError, match=r"no device 'tpu' here; it has .*cpu"):
        _open(brightness, EngineOptions(device="tpu"))


def test_a_device_that_does_not_start_is_no_silent_fall_back_to_the_cpu(
    brightness: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OnlyCpu:
        def __init__(self, *_: object, **__: object) -> None:
            pass

        def get_providers(self) -> list[str]:
            return ["CPUExecutionProvider"]

    names = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: names)
    monkeypatch.setattr(onnxruntime, "InferenceSession", OnlyCpu)
    with pytest.raises(EngineError, match="offers 'cuda' but could not start it"):
        _open(brightness, EngineOptions(device="cuda"))


@pytest.mark.parametrize("content", [b"", b"hello", None])
def test_a_file_that_is_no_model_is_refused(
    brightness: ModelSpec, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "model.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EngineError, match="cannot load 'brightness-test' from"):
        OnnxRuntimeEngine().open(brightness, weights=path, options=CPU)


def test_a_network_without_processing_is_no_whole_graph(brightness: ModelSpec, tmp_path: Path) -> None:
    spec = _network(tmp_path / "net.onnx", brightness, shape=(1, 3, 4, 4), **CHANNELS)
    with pytest.raises(EngineError, match=r"takes \(rgb tensor\(float\)\).*declare a Processing"):
        _open(spec)


def test_a_whole_graph_with_processing_is_refused(brightness: ModelSpec) -> None:
    with pytest.raises(EngineError, match="a Processing feeds one float input"):
        _open(replace(brightness, processing=Processing(4, 4)))


def test_a_graph_of_another_size_is_refused(brightness: ModelSpec, tmp_path: Path) -> None:
    model = onnx.load(_path(brightness))
    model.graph.output[0].name = "deep"
    model.graph.node[-1].output[0] = "deep"
    pads = onnx.numpy_helper.from_array(np.array([0, 1, 0, 0, 0, 0], np.int64), "pads")
    model.graph.initializer.append(pads)
    model.graph.node.append(helper.make_node("Pad", ["deep", "pads"], ["depth"]))
    model.graph.output[0].name = "depth"
    path = tmp_path / "padded.onnx"
    onnx.save(model, path)
    session = OnnxRuntimeEngine().open(brightness, weights=path, options=CPU)
    with pytest.raises(EngineError, match=r"answered \(1, 3, 2\) where \(1, 2, 2\) was due"):
        session.run([_photo(2, 2)])


def test_declared_processing_is_applied_in_closed_form(brightness: ModelSpec, tmp_path: Path) -> None:
    processing = Processing(4, 6, mean=(0.5,) * 3, std=(0.25,) * 3, output_scale=2.0, output_offset=3.0)
    spec = replace(
        _network(tmp_path / "net.onnx", brightness, shape=(1, 3, 4, 6), **CHANNELS), processing=processing
    )
    session = _open(spec)
    dark, bright = (
        Image.from_array(np.zeros((8, 9, 3), np.uint8)),
        Image.from_array(np.full((3, 3, 3), 255, np.uint8)),
    )
    shadow, light = (answer.values for answer in session.run([dark, bright]))
    assert (shadow.shape, light.shape) == ((8, 9), (3, 3))
    np.testing.assert_allclose(shadow, (0.0 - 0.5) / 0.25 * 2 + 3, rtol=1e-6)
    np.testing.assert_allclose(light, (1.0 - 0.5) / 0.25 * 2 + 3, rtol=1e-6)


def test_numbers_that_are_none_become_unknown_pixels_but_not_all_of_them(
    brightness: ModelSpec, tmp_path: Path
) -> None:
    """The logarithm of black is minus infinity, which is no sky either."""
    spec = _network(tmp_path / "log.onnx", brightness, shape=(1, 3, 4, 6), op="ReduceLogSum", **CHANNELS)
    session = _open(replace(spec, processing=Processing(4, 6)))
    rgb = np.zeros((4, 6, 3), np.uint8)
    with pytest.raises(EngineError, match="gave no finite number for a photo of 6x4"):
        session.run([Image.from_array(rgb)])
    rgb[:, 3:] = 255
    (answer,) = session.run([Image.from_array(rgb.copy())])
    assert np.isnan(answer.values[:, :3]).all()
    np.testing.assert_allclose(answer.values[:, 3:], np.log(3), rtol=1e-6)


@pytest.mark.parametrize(("batch", "calls"), [(1, [1, 1, 1]), (2, [2, 1]), ("N", [3])])
def test_networks_of_fixed_batch_get_that_batch_at_most(
    brightness: ModelSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int | str, calls: list[int]
) -> None:
    spec = _network(
        tmp_path / "net.onnx", brightness, shape=(batch if batch != 2 else "N", 3, 4, 6), **CHANNELS
    )
    session = _open(replace(spec, processing=Processing(4, 6)))
    if batch == 2:
        session._largest_batch = 2
    fed: list[int] = []
    call = session._call
    monkeypatch.setattr(
        session, "_call", lambda output, feed: (fed.append(len(feed["rgb"])), call(output, feed))[1]
    )
    photos = [_photo(5, 5, seed=1), _photo(6, 9, seed=2), _photo(5, 5, seed=3)]
    together = session.run(photos)
    assert fed == calls
    for photo, answer in zip(photos, together, strict=True):
        np.testing.assert_allclose(answer.values, session.run([photo])[0].values, rtol=1e-6)


def test_a_network_that_answers_three_maps_is_refused(brightness: ModelSpec, tmp_path: Path) -> None:
    spec = _network(tmp_path / "net.onnx", brightness, shape=(1, 3, 4, 4), op="Identity")
    with pytest.raises(EngineError, match="not one depth map"):
        _open(replace(spec, processing=Processing(4, 4))).run([_photo(2, 2)])


def test_a_network_that_loses_photos_is_refused(brightness: ModelSpec, tmp_path: Path) -> None:
    spec = _network(
        tmp_path / "net.onnx",
        brightness,
        shape=("N", 3, 4, 4),
        op="Reshape",
        shape_=np.array([1, -1], np.int64),
    )
    with pytest.raises(EngineError, match=r"answered \(1, 96\) for a batch of 2"):
        _open(replace(spec, processing=Processing(4, 4))).run([_photo(2, 2), _photo(2, 2)])


def test_what_onnxruntime_raises_is_translated(brightness: ModelSpec, tmp_path: Path) -> None:
    spec = _network(tmp_path / "net.onnx", brightness, shape=(1, 3, 4, 4), **CHANNELS)
    session = _open(replace(spec, processing=Processing(5, 5)))
    with pytest.raises(EngineError, match=r"onnxruntime failed in 'brightness-test' on rgb \(1, 3, 5, 5\)"):
        session.run([_photo(2, 2)])


def test_a_closed_session_says_so(brightness: ModelSpec) -> None:
    session = _open(brightness)
    session.close()
    with pytest.raises(EngineError, match="is closed"):
        session.run([_photo(2, 2)])


IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
PEERS = {
    "meter_xxs_nyu/meter_xxs_nyu_reexport.onnx": Processing(192, 256, **IMAGENET, output_scale=0.01),
    "fastdepth_nyu/fastdepth_dequantised_fp32.onnx": Processing(224, 224),
}


@pytest.mark.parametrize("file", PEERS)
def test_published_networks_run_and_agree_with_a_room_scan(
    brightness: ModelSpec, shared_peers: Path, shared_data: Path, file: str
) -> None:
    spec = replace(brightness, name="peer", processing=PEERS[file])
    session = OnnxRuntimeEngine().open(spec, weights=shared_peers / file, options=CPU)
    folder = shared_data / "redwood" / "RGBD"
    rgb = np.asarray(PilImage.open(folder / "color" / "00000.jpg"))
    truth_m = np.asarray(PilImage.open(folder / "depth" / "00000.png")) / 1000
    depth = session.run([Image.from_array(rgb)])[0].values
    seen = truth_m > 0
    ratio = depth[seen] / truth_m[seen]
    assert depth.shape == truth_m.shape
    # Trained on other rooms and another camera: metres roughly right, near and far in the right order.
    assert 0.5 < np.median(ratio) < 2
    assert np.corrcoef(depth[seen], truth_m[seen])[0, 1] > 0.5


def test_weights_that_are_not_there_are_told_before_the_engine_starts(brightness: ModelSpec) -> None:
    from leadline.flows.model import open_model

    with pytest.raises(WeightsError, match=r"nowhere\.onnx"):
        open_model(replace(brightness, weights=replace(brightness.weights, source="file:nowhere.onnx")))


class _Small:
    """A session of ONNX Runtime's on a machine with memory for so many pixels."""

    def __init__(self, session: Any, pixels: int) -> None:
        self._session, self._pixels = session, pixels

    def run(self, outputs: Any, feed: Any) -> Any:
        if max(array.size for array in feed.values()) > 3 * self._pixels:
            raise onnxruntime.capi.onnxruntime_pybind11_state.RuntimeException(
                "Non-zero status code returned while running Conv node. Name:'c' Status Message: std::bad_alloc"
            )
        return self._session.run(outputs, feed)


@pytest.mark.parametrize(
    ("pixels", "count", "hint"),
    [
        (100 * 60, 1, "a photo of 96x54 fits; --tile auto takes a larger one in parts"),
        (1, 1, "nor does a photo of 48x27 fit: use a smaller model, or close other programs"),
        (400 * 220, 4, "give fewer photos at once: --batch 2"),
    ],
)
def test_where_there_is_no_memory_the_next_size_that_fits_is_named(
    brightness: ModelSpec, pixels: int, count: int, hint: str
) -> None:
    session = _open(brightness)
    session._session = _Small(session._session, pixels)
    with pytest.raises(EngineError, match=f"no memory for {brightness.name!r} on cpu") as refused:
        session.run([_photo(216, 384)] * count)
    assert refused.value.hint == hint


def test_where_no_smaller_photo_needs_less_memory_it_says_so(brightness: ModelSpec, tmp_path: Path) -> None:
    spec = _network(tmp_path / "net.onnx", brightness, shape=(1, 3, 4, 6), **CHANNELS)
    session = _open(replace(spec, processing=Processing(4, 6)))
    session._session = _Small(session._session, 1)
    with pytest.raises(EngineError) as refused:
        session.run([_photo(216, 384)])
    assert (refused.value.hint or "").startswith("its network takes a photo of any size as 6x4")


def test_another_failure_is_no_lack_of_memory(brightness: ModelSpec) -> None:
    class Broken:
        def run(self, outputs: Any, feed: Any) -> Any:
            raise RuntimeError("no such operator")

    session = _open(brightness)
    session._session = Broken()
    with pytest.raises(EngineError, match="no such operator"):
        session.run([_photo(20, 30)])
