"""Models that cannot be had or cannot run: one line each, with the next step, from the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PilImage

from leadline.io.depth_files import read_depth
from leadline.io.weights import locate
from leadline.plugins import need
from leadline.plugins.registry import MODELS
from leadline.testing.hub import StandInHub, served

pytest.importorskip("transformers")
onnx = pytest.importorskip("onnx")

Predict = Callable[..., Any]


@pytest.fixture(scope="module")
def checkpoint() -> dict[str, bytes]:
    """A whole DPT checkpoint, very small."""
    folder = locate(MODELS.get("dpt-tiny").weights, name="dpt-tiny")
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.fixture
def hub(
    checkpoint: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[StandInHub]:
    made = StandInHub(dict(checkpoint))
    with served(made) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        monkeypatch.setenv("LEADLINE_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
        yield made


@pytest.fixture
def predict(command: Callable[..., Any], tmp_path: Path) -> Predict:
    """Predicts a photo with a checkpoint of the hub, or another model."""
    PilImage.fromarray(np.random.default_rng(1).integers(0, 256, (48, 64, 3), np.uint8)).save(
        tmp_path / "a.png"
    )

    def run(model: str = "hf:org/net", *more: str) -> Any:
        told = ("--kind", "affine-inverse") if model.startswith("hf:") else ()
        return command(
            "predict", tmp_path / "a.png", "-o", tmp_path / "out", "-f", "npz", "-m", model, *told, *more
        )

    return run


def line_of(ended: Any) -> str:
    """The one line that tells what is wrong; that weights are fetched may be said before it."""
    assert ended.status not in (0, 1)
    assert "Traceback" not in ended.err
    lines = [
        line
        for line in ended.err.splitlines()
        if line.startswith("leadline: ") and "stopped after" not in line
    ]
    assert len(lines) == 1, ended.err
    return str(lines[0])


def test_a_checkpoint_of_the_hub_from_first_to_last(
    hub: StandInHub, predict: Predict, tmp_path: Path
) -> None:
    assert predict().status == 0
    depth, record = read_depth(tmp_path / "out/a_depth.npz")
    assert depth.shape == (48, 64)
    assert record.model is not None
    assert record.model.version == "c" * 40
    asked = len(hub.asked)
    assert predict().status == 0
    assert len(hub.asked) == asked, "what is here is not asked for again"


def test_half_a_download(hub: StandInHub, predict: Predict) -> None:
    hub.stop_after, hub.stays_down = 50_000, True
    assert "cannot be fetched from" in line_of(predict())
    hub.status = 200
    hub.ranges.clear()
    assert predict().status == 0
    assert hub.ranges == ["bytes=50000-"]


def test_a_wrong_hash(hub: StandInHub, predict: Predict) -> None:
    hub.lie = "0" * 64
    line = line_of(predict())
    assert "are not what they should be" in line
    assert "expected" in line
    assert "run again" in line


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (404, "RevisionNotFound", "'org/net' has no revision 'v9'; leave it out, or look at its page"),
        (403, "GatedRepo", "is gated: its terms must be accepted first; accept them at https://huggingface.co/org/net, then set HF_TOKEN"),
        (401, "", "the hub wants a token for 'org/net', or another one (401); set HF_TOKEN"),
        (404, "RepoNotFound", "the hub has no 'org/net' that can be read without a token"),
        (500, "", "the hub answered 500 for 'org/net'; try again later"),
    ],
)  # fmt: skip
def test_what_the_hub_refuses(hub: StandInHub, predict: Predict, status: int, code: str, words: str) -> None:
    hub.status, hub.code = status, code
    assert words in line_of(predict("hf:org/net@v9"))


def test_no_network(hub: StandInHub, predict: Predict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert "hf download org/net --local-dir FOLDER, then --model FOLDER" in line_of(predict())


def test_a_missing_extra(predict: Predict, monkeypatch: pytest.MonkeyPatch) -> None:
    real = need.find_spec
    monkeypatch.setattr(need, "find_spec", lambda name: None if name == "transformers" else real(name))
    assert line_of(predict("dpt-tiny")) == (
        "leadline: model 'dpt-tiny' needs 'transformers': pip install 'leadline[transformers]'"
    )


def test_shapes_that_do_not_fit(hub: StandInHub, predict: Predict) -> None:
    hub.files["config.json"] = hub.files["config.json"].replace(
        b'"fusion_hidden_size": 16', b'"fusion_hidden_size": 24'
    )
    line = line_of(predict())
    assert "torch cannot load 'hf:org/net'" in line
    assert "check that this is a checkpoint of that architecture, or fetch it again" in line


def test_weights_that_say_nothing(
    hub: StandInHub, predict: Predict, checkpoint: dict[str, bytes], tmp_path: Path
) -> None:
    """Numbers that are none, all over the photo."""
    from safetensors.torch import load, save

    tensors = load(checkpoint["model.safetensors"])
    tensors["head.head.4.bias"].fill_(float("nan"))
    hub.files["model.safetensors"] = save(tensors, metadata={"format": "pt"})
    assert "gave no finite number for a photo of 64x48; its weights are damaged" in line_of(predict())
    assert not list((tmp_path / "out").rglob("*.npz"))


def test_an_onnx_file_with_other_inputs(predict: Predict, tmp_path: Path) -> None:
    helper = onnx.helper
    rgb = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 3, 8, 8])
        for name in ("left", "right")
    ]
    depth = helper.make_tensor_value_info("depth", onnx.TensorProto.FLOAT, [1, 3, 8, 8])
    graph = helper.make_graph([helper.make_node("Add", ["left", "right"], ["depth"])], "stereo", rgb, [depth])
    path = tmp_path / "stereo.onnx"
    onnx.save(helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 17)]), path)
    assert "takes 2 inputs (left, right)" in line_of(predict(str(path), "--kind", "metric-depth"))
