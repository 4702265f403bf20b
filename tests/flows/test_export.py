from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import Image as PilImage

from leadline.core.errors import EngineError, InputError, OutputError, UnknownName
from leadline.flows import export
from leadline.flows.export import MARK, ExportRequest, run
from leadline.flows.model import open_model
from leadline.plugins.registry import MODELS

pytest.importorskip("openvino", reason="the extra openvino is not installed")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def room(here: Path) -> Path:
    from leadline.datasets.synthetic import Synthetic

    path = here / "room.png"
    PilImage.fromarray(Synthetic(seed=2, width=160, height=112)[0].image.rgb_HW3).save(path)
    return path


def test_the_embedded_model_is_a_whole_file_already(here: Path) -> None:
    report = run(ExportRequest("leadline-indoor-small", shape="dynamic", verify=True))
    assert [file.name for file in report.files] == [
        "leadline-indoor-small.onnx",
        "leadline-indoor-small.toml",
    ]
    (check,) = report.checks
    assert (check.largest, check.mean, report.sound) == (0.0, 0.0, True)
    with open_model("leadline-indoor-small.onnx") as made, open_model() as shipped:
        assert made.spec.kind == MODELS.get("leadline-indoor-small").kind
        assert made.record.version == shipped.record.version != ""


@pytest.mark.parametrize("to", ["onnx", "openvino"])
def test_a_family_becomes_a_file_that_predicts_at_once(here: Path, room: Path, to: str) -> None:
    report = run(ExportRequest("tipsv2-dpt-tiny", to=to, verify=True, photos=(str(room),)))
    assert report.sound
    assert report.checks[0].largest < 1e-2
    assert report.against.startswith("torch (CPU")
    assert report.runs_on.startswith({"onnx": "onnxruntime", "openvino": "openvino"}[to])
    told = tomllib.loads(report.files[1].read_text())
    assert (told["kind"], told["input_size"]) == ("metric-depth", [56, 56])
    with open_model("tipsv2-dpt-tiny", engine="torch") as own, open_model(str(report.files[0])) as made:
        ours, theirs = (model.predict(str(room)).depth for model in (own, made))
        assert theirs.kind == ours.kind
        assert theirs.shape == ours.shape
        apart = np.abs(theirs.values - ours.values)
        assert np.nanmax(apart) / np.nanmax(ours.values) == pytest.approx(report.checks[0].largest)
        assert np.nanmean(apart) / np.nanmean(ours.values) == pytest.approx(report.checks[0].mean, rel=1e-4)


def test_a_network_of_no_fixed_size_is_for_photos_of_one_shape(here: Path, room: Path) -> None:
    report = run(ExportRequest("glpn-tiny", shape="112x160", verify=True, photos=(str(room),)))
    assert report.sound
    assert "for photos of the shape of 112x160, which go through the network at 96x160" in report.remarks[0]
    assert [d.dim_value for d in onnx.load("glpn-tiny.onnx").graph.input[0].type.tensor_type.shape.dim] == [
        1, 3, 96, 160,
    ]  # fmt: skip
    with pytest.raises(InputError, match=r"looks at photos of every shape in another size.*--shape"):
        run(ExportRequest("glpn-tiny", shape="dynamic"))


def test_photos_of_another_shape_are_verified_by_their_middle(here: Path) -> None:
    from leadline.core.image import Image

    wide = Image.from_array(np.arange(4 * 8 * 3, dtype=np.uint8).reshape(4, 8, 3))
    middle = export._sized(wide, (4, 4))
    np.testing.assert_array_equal(middle.rgb_HW3, wide.rgb_HW3[:, 2:6])
    assert export._sized(wide, (2, 4)).rgb_HW3.shape == (2, 4, 3)
    assert export._sized(wide, None) is wide


def test_what_is_too_far_off_fails(command: Callable[..., Any], here: Path, room: Path) -> None:
    done = command("export", "tipsv2-dpt-tiny", "--verify", "--photos", room, "--tolerance", 0)
    assert done.status == 1
    assert "too far off (0 at most is allowed" in done.out
    done = command("export", "tipsv2-dpt-tiny", "--verify", "--photos", room)
    assert done.status == 0
    assert f"{room}: off by" in done.out


def test_int8_goes_into_openvinos_file(here: Path, room: Path) -> None:
    from leadline.datasets.synthetic import Synthetic

    for place in range(4):
        photo = Synthetic(seed=7, width=160, height=112)[place].image
        (here / "rooms").mkdir(exist_ok=True)
        PilImage.fromarray(photo.rgb_HW3).save(here / "rooms" / f"{place}.png")
    asked = ExportRequest(
        "leadline-indoor-tiny", to="openvino", int8=True, int8_photos=("rooms",), verify=True, tolerance=0.2
    )
    report = run(asked)
    assert "FakeQuantize" in report.files[0].read_text()
    assert 0 < report.checks[0].mean < 0.2
    assert report.of_mean
    assert report.sound


@pytest.mark.parametrize("model", ["zoedepth-tiny", "depth-pro-tiny"])
def test_processing_that_no_file_can_declare_is_refused(here: Path, model: str) -> None:
    with pytest.raises(EngineError, match=r"more than a file can declare.*--engine openvino"):
        run(ExportRequest(model))
    assert list(here.iterdir()) == []


def test_a_network_that_declares_nothing_is_refused(here: Path) -> None:
    with pytest.raises(EngineError, match=r"'marigold-tiny' is more than a file can declare"):
        run(ExportRequest("marigold-tiny"))


def test_a_model_that_runs_elsewhere_is_refused(here: Path) -> None:
    with pytest.raises(EngineError, match="runs elsewhere"):
        run(ExportRequest("replicate-midas"))


def test_an_operator_that_onnx_lacks_is_told(here: Path, monkeypatch: pytest.MonkeyPatch, room: Path) -> None:
    import torch

    from leadline.exporters.onnx_network import export_middle

    class Odd(torch.nn.Module):
        def forward(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"predicted_depth": torch.linalg.eigvals(pixels[0]).real}

    with pytest.raises(EngineError, match=r"'odd' cannot be exported to ONNX: .*eig.*--to openvino"):
        export_middle(Odd(), {"pixels": torch.zeros(1, 3, 4, 4)}, here / "odd.onnx", name="odd", record={})
    with pytest.raises(EngineError, match="'odd' takes a, b, and a file that is given photos has one input"):
        export_middle(Odd(), {"a": 0, "b": 0}, here / "odd.onnx", name="odd", record={})
    monkeypatch.setattr("leadline.exporters.onnx_network._MOST_BYTES", 10)
    with pytest.raises(EngineError, match="more than the 2 GiB"):
        run(ExportRequest("tipsv2-dpt-tiny", photos=(str(room),)))
    assert not (here / "odd.onnx").exists()


def test_openvino_writes_no_onnx(here: Path, room: Path) -> None:
    run(ExportRequest("leadline-indoor-tiny", to="openvino"))
    with pytest.raises(EngineError, match="does not write ONNX"):
        run(ExportRequest("leadline-indoor-tiny.xml", out=Path("again.onnx")))


def test_a_file_that_is_not_ours_is_left_alone(here: Path) -> None:
    theirs = here / "leadline-indoor-small.toml"
    theirs.write_text("kind = 'mine'")
    with pytest.raises(
        InputError, match=r"leadline-indoor-small\.toml' is there already, and leadline did not export"
    ):
        run(ExportRequest("leadline-indoor-small"))
    theirs.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="did not export"):
        run(ExportRequest("leadline-indoor-small"))
    theirs.write_text(f"{MARK} of it\n")
    for _ in range(2):
        run(ExportRequest("leadline-indoor-small"))
    assert theirs.read_text().startswith(f"{MARK} of leadline-indoor-small")


def test_a_full_disk_is_told(here: Path, small_files: Callable[[], Any], room: Path) -> None:
    with small_files(), pytest.raises(OutputError, match="cannot be written"):
        run(ExportRequest("leadline-indoor-small"))
    with small_files(), pytest.raises(OutputError, match="cannot be written"):
        run(ExportRequest("leadline-indoor-small", to="openvino"))
    assert [file.name for file in here.iterdir()] == ["room.png"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"to": "abacus"}, "not one of onnx, openvino"),
        ({"shape": "big"}, "is not HEIGHTxWIDTH"),
        ({"int8": True, "to": "openvino"}, "--int8 and --int8-photos go together"),
        ({"int8_photos": ("a",), "to": "openvino"}, "--int8 and --int8-photos go together"),
        ({"int8": True, "int8_photos": ("a",)}, "add --to openvino"),
        ({"photos": ("a",), "shape": "8x8"}, "add --verify"),
        ({"tolerance": -1.0}, "out of range"),
    ],
)
def test_what_does_not_go_together_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        ExportRequest("m", **given)


def test_a_name_of_another_kind_of_file_is_refused(here: Path) -> None:
    with pytest.raises(InputError, match=r"'a\.txt' does not end in \.onnx"):
        run(ExportRequest("leadline-indoor-small", out=Path("a.txt")))


@pytest.mark.parametrize("model", ["leadline-indoor-small", "tipsv2-dpt-tiny"])
def test_a_choice_that_the_model_has_not_is_refused(here: Path, model: str) -> None:
    with pytest.raises(UnknownName, match=f"input of model '{model}' .*'stepps'"):
        run(ExportRequest(model, inputs=("stepps=4",)))
    assert not list(here.glob("*.onnx"))


def test_a_declared_file_keeps_its_declaration(here: Path, room: Path) -> None:
    first = run(ExportRequest("tipsv2-dpt-tiny", photos=(str(room),)))
    again = run(ExportRequest(str(first.files[0]), to="openvino", out=Path("again.xml"), verify=True))
    assert again.sound
    assert again.checks[0].largest < 1e-3
    assert "its network takes 56x56" in again.remarks[0]
    made = replace(MODELS.get("tipsv2-dpt-tiny"), name="x")
    assert tomllib.loads(Path("again.toml").read_text())["kind"] == str(made.kind)
