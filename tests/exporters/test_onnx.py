"""The exported file: what it holds, what it does not, and what cannot be written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

import leadline
from leadline.core.errors import MissingExtra, OutputError
from leadline.exporters.onnx import export_network
from leadline.plugins import need as need_module
from leadline.testing.tiny import indoor_net

RECORD = {"name": "test", "version": "3", "licence": "Apache-2.0"}


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "new" / "net.onnx"
    export_network(indoor_net().folded(), path, record=RECORD)
    return path


def test_inputs_and_output_are_the_agreed_ones(exported: Path) -> None:
    graph = onnx.load(exported).graph
    said = {
        value.name: (
            value.type.tensor_type.elem_type,
            [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim],
        )
        for value in (*graph.input, *graph.output)
    }
    assert said["image"] == (onnx.TensorProto.UINT8, ["N", "H", "W", 3])
    assert said["focal_px"] == (onnx.TensorProto.FLOAT, ["N"])
    assert said["depth"] == (onnx.TensorProto.FLOAT, ["N", "H", "W"])
    assert len(said) == 3


def test_weights_are_half_precision_under_the_networks_names(exported: Path) -> None:
    state = indoor_net().folded().state_dict()
    stored = {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(exported).graph.initializer}
    assert set(state) <= set(stored)
    for name, tensor in state.items():
        expected = tensor.numpy().astype(np.float16) if tensor.ndim > 1 else tensor.numpy()
        assert np.array_equal(stored[name], expected), name
        assert stored[name].dtype == expected.dtype


def test_the_record_is_in_the_file_and_the_machine_is_not(exported: Path) -> None:
    model = onnx.load(exported)
    assert {p.key: p.value for p in model.metadata_props} == {"unit": "m", **RECORD}
    content = exported.read_bytes()
    for trace in (str(Path(leadline.__file__).parents[2]), "site-packages", ".py"):
        assert trace.encode() not in content


def test_a_folder_that_cannot_be_made_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"net\.onnx"):
        export_network(indoor_net().folded(), tmp_path / "file" / "net.onnx", record=RECORD)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_disk_that_fails_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Path, content: bytes) -> int:
        self.open("wb").close()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(OutputError, match="full"):
        export_network(indoor_net().folded(), tmp_path / "net.onnx", record=RECORD)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_a_missing_package_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, package: str
) -> None:
    there = need_module.has
    monkeypatch.setattr(need_module, "has", lambda name: name != package and there(name))
    with pytest.raises(MissingExtra, match=rf"'{package}': pip install 'leadline\[train\]'"):
        export_network(indoor_net(), tmp_path / "net.onnx", record=RECORD)
