"""Checkpoints by reference: what their configuration settles, what must be said, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from leadline.core.errors import InputError, UnknownName, WeightsError
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.flows.naming import resolve_model
from leadline.plugins.specs import Stated

INVERSE_AFFINE = Kind(Quantity.INVERSE, Freedom.AFFINE)


def checkpoint(folder: Path, **config: Any) -> str:
    (folder / "config.json").write_text(json.dumps(config))
    return str(folder)


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({"model_type": "glpn"}, Kind()),
        ({"model_type": "zoedepth"}, Kind()),
        ({"model_type": "depth_pro"}, Kind()),
        ({"model_type": "tipsv2_dpt"}, Kind()),
        ({"model_type": "depth_anything"}, INVERSE_AFFINE),
        ({"model_type": "depth_anything", "depth_estimation_type": "relative"}, INVERSE_AFFINE),
        ({"model_type": "depth_anything", "depth_estimation_type": "metric", "max_depth": 20}, Kind()),
    ],
)
def test_a_configuration_that_settles_the_kind(tmp_path: Path, config: dict[str, Any], kind: Kind) -> None:
    spec = resolve_model(checkpoint(tmp_path, **config))
    assert spec.kind == kind
    assert spec.network == f"leadline.models.{config['model_type']}.net:network"
    assert spec.licence == "unknown: see its page"
    with pytest.raises(InputError, match=r"its configuration says so\); it cannot be told to be"):
        resolve_model(
            str(tmp_path), stated=Stated(kind=kind.coarsened(Freedom.AFFINE) if kind == Kind() else Kind())
        )


def test_a_dpt_may_be_either_and_must_be_told(tmp_path: Path) -> None:
    place = checkpoint(tmp_path, model_type="dpt")
    with pytest.raises(InputError, match=r"nothing in it says which; say it: --kind"):
        resolve_model(place)
    assert resolve_model(place, stated=Stated(kind=INVERSE_AFFINE)).kind == INVERSE_AFFINE
    assert resolve_model(f"hf:{place}", stated=Stated(kind=Kind())).kind == Kind()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model_type": "chmv2"}, "height of trees above the ground, which is no depth; use a depth model"),
        (
            {"model_type": "bert"},
            "of architecture 'bert', which is no depth model that is known; known: dpt, glpn",
        ),
        ({}, "of architecture 'none'"),
    ],
)
def test_what_is_no_depth_model_is_refused(tmp_path: Path, config: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        resolve_model(checkpoint(tmp_path, **config))


def test_a_configuration_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(WeightsError, match="is no configuration of a model"):
        resolve_model(str(tmp_path))
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(WeightsError, match="it is no object"):
        resolve_model(str(tmp_path))
    (tmp_path / "config.json").unlink()
    with pytest.raises(WeightsError, match="name a folder that save_pretrained wrote"):
        resolve_model(f"hf:{tmp_path}")


def test_a_listed_checkpoint_has_its_own_record() -> None:
    spec = resolve_model("hf:depth-anything/Depth-Anything-V2-Large-hf@abc123")
    assert spec.name == "depth-anything-v2-large"
    assert spec.weights.revision == "abc123"
    with pytest.raises(InputError, match="leadline lists it as 'depth-anything-v2-large'"):
        resolve_model("hf:depth-anything/Depth-Anything-V2-Large-hf", stated=Stated(kind=Kind()))


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("hf:", InputError, r"'hf:' names no model; give hf:ORG/NAME"),
        ("hf:one two", InputError, "is no ORG/NAME of the Hugging Face hub"),
        ("some/where", InputError, r"is no model's name, no folder with a config.json .*; check the path, or use one of hf:"),
        ("depth-anythng-small", UnknownName, "did you mean 'depth-anything-small'"),
    ],
)  # fmt: skip
def test_names_that_name_nothing(name: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        resolve_model(name)


def test_a_listed_model_cannot_be_told_to_be_another() -> None:
    with pytest.raises(InputError, match="predicts metric-depth; it cannot be told to be"):
        resolve_model("leadline-indoor-small", stated=Stated(kind=INVERSE_AFFINE))
