"""One clear line for everything that can be wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import leadline
from leadline.core.errors import EngineError, InputError, MissingExtra, WeightsError
from leadline.core.image import Image
from leadline.plugins.specs import Stated
from leadline.testing.scenes import noise_photo
from leadline_depth_anything_3.reference import recognise, resolve
from leadline_depth_anything_3.spec import METRIC_LARGE, METRIC_TINY, TINY

RES = {"process_res": 112}


def test_without_its_network_the_line_to_type_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadline.plugins.need.has", lambda package: package != "depth_anything_3")
    with pytest.raises(MissingExtra) as caught:
        leadline.open_model(METRIC_LARGE)
    assert str(caught.value) == (
        "model 'depth-anything-3-metric-large' needs 'depth_anything_3': pip install --no-deps depth-anything-3==0.1.1"
    )


def test_nothing_is_printed(tiny: Callable[[str], Path], capfd: pytest.CaptureFixture[str]) -> None:
    with leadline.open_model(str(tiny("anyview")), inputs=RES) as model:
        model.predict(noise_photo(20, 30))
    assert capfd.readouterr() == ("", "")


def test_a_folder_is_known_by_what_it_says(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    folder = tiny("metric")
    assert recognise(folder)
    assert resolve(str(folder), stated=Stated()).kind == METRIC_TINY.kind
    assert not recognise(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "dpt"}')
    assert not recognise(tmp_path)
    with leadline.open_model(f"da3:{folder}", inputs=RES) as model:
        assert model.spec.name == METRIC_TINY.name


def test_another_kind_cannot_be_stated(tiny: Callable[[str], Path]) -> None:
    with pytest.raises(
        InputError, match="predicts metric-depth; it cannot be told to be scale-invariant-depth"
    ):
        leadline.open_model(str(tiny("metric")), kind="scale-invariant-depth")


def test_a_network_that_is_not_offered(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_name": "da3-giant"}')
    with pytest.raises(InputError, match="is a 'da3-giant'; those that are offered: da3metric-large"):
        leadline.open_model(f"da3:{tmp_path}")


@pytest.mark.parametrize("text", ['{"no": "name"}', "[]", '{"model_name": 3}'])
def test_a_configuration_that_names_no_network(text: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(EngineError, match="names no network of Depth Anything 3"):
        leadline.open_model(f"da3:{tmp_path}")


def test_a_configuration_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(
        WeightsError, match=r"config.json' cannot be read .*fetch or copy the checkpoint again"
    ):
        leadline.open_model(f"da3:{tmp_path}")
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(WeightsError, match=r"config.json' cannot be read"):
        leadline.open_model(f"da3:{tmp_path}")


def test_a_checkpoint_of_another_network(tiny: Callable[[str], Path]) -> None:
    from leadline_depth_anything_3.net import metric

    with pytest.raises(EngineError, match="is a 'da3mono-tiny', not one of da3metric-large, da3metric-tiny"):
        metric(tiny("mono"))


def test_a_network_that_its_package_has_not(networks: None) -> None:
    from leadline_depth_anything_3.checkpoint import published_network

    with pytest.raises(EngineError, match="depth-anything-3 has no network 'da9'; it has da3-base"):
        published_network("da9")


@pytest.mark.parametrize("damage", ["absent", "cut", "garbage"])
def test_weights_that_are_damaged(damage: str, tiny: Callable[[str], Path]) -> None:
    folder = tiny("anyview")
    path = folder / "model.safetensors"
    if damage == "absent":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1000] if damage == "cut" else b"garbage")
    with pytest.raises(WeightsError, match=r"model.safetensors' are absent, damaged or cut short"):
        leadline.open_model(str(folder))


def test_weights_of_other_shapes(tiny: Callable[[str], Path]) -> None:
    from safetensors.torch import load_file, save_file

    path = tiny("metric") / "model.safetensors"
    held = load_file(path)
    name = "model.head.projects.0.weight"
    held[name] = held[name][:, :-1].contiguous()
    save_file(held, path)
    with pytest.raises(
        WeightsError,
        match=rf"'{name}' in .* has the shape \(8, 23, 1, 1\), and the network wants \(8, 24, 1, 1\)",
    ):
        leadline.open_model(str(path.parent))


def test_weights_that_are_missing(tiny: Callable[[str], Path]) -> None:
    from safetensors.torch import load_file, save_file

    path = tiny("anyview") / "model.safetensors"
    held = load_file(path)
    del held["model.cam_dec.fc_fov.0.bias"]
    save_file(held, path)
    with pytest.raises(
        WeightsError, match=r"lacks 1 of the network's weights, such as 'model.cam_dec.fc_fov.0.bias'"
    ):
        leadline.open_model(str(path.parent))


def test_numbers_that_are_none(tiny: Callable[[str], Path]) -> None:
    from safetensors.torch import load_file, save_file

    path = tiny("metric") / "model.safetensors"
    held = load_file(path)
    held["model.head.scratch.output_conv2.2.bias"].fill_(float("nan"))
    held["model.head.scratch.sky_output_conv2.2.bias"].fill_(-1e3)
    save_file(held, path)
    with (
        leadline.open_model(str(path.parent), inputs=RES) as model,
        pytest.raises(EngineError, match="gave no finite number for a photo of 30x20"),
    ):
        model.predict(noise_photo(20, 30))


def test_a_network_that_is_shown_too_little(networks: None) -> None:
    with pytest.raises(InputError, match="process_res = 100 is too small for the network; give at least 112"):
        leadline.open_model(TINY, inputs={"process_res": 100})


@pytest.mark.parametrize("focal_px", [0.0, 1e-3, 1e6])
def test_a_lens_that_there_is_not(focal_px: float, tiny: Callable[[str], Path]) -> None:
    import torch

    from leadline_depth_anything_3.net import anyview

    photo: Image = noise_photo(84, 112)
    net = anyview(tiny("anyview"), process_res=112)
    outputs = {"depth": torch.ones(1, 84, 112), "intrinsics": torch.eye(3)[None] * focal_px}
    with pytest.raises(
        EngineError, match=r"° across a photo of 112x84, which no lens shows; say the lens: --fov"
    ):
        net.restore(outputs, [photo])
    given = noise_photo(84, 112, f_px=100.0)
    assert net.restore(outputs, [given])[0].camera is None


def test_the_form_of_a_tiny_checkpoint_is_that_of_a_published_one(tiny: Callable[[str], Path]) -> None:
    folder = tiny("anyview")
    assert json.loads((folder / "config.json").read_text()) == {"model_name": "da3-tiny"}
    assert sorted(file.name for file in folder.iterdir()) == ["config.json", "model.safetensors"]
