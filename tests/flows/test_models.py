from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import leadline
from leadline.core.errors import InputError, UnknownName
from leadline.flows.models import list_models, measure, model_rows, pull_model, register_model
from leadline.plugins.registry import MODELS
from leadline.plugins.specs import Commercial, ModelSpec, Weights


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEADLINE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_random_weights_are_not_listed_unless_asked_for(known: ModelSpec) -> None:
    names = [spec.name for spec in list_models()]
    assert names[0] == "leadline-indoor-small"
    assert "brightness-test" in names
    assert "leadline-indoor-tiny" not in names
    assert "leadline-indoor-tiny" in {row.spec.name for row in model_rows(random_too=True)}


def test_commercial_ok_leaves_out_what_is_unclear(known: ModelSpec) -> None:
    MODELS.add("no", replace(known, name="no", commercial=Commercial.NO))
    names = [spec.name for spec in list_models(commercial_ok=True)]
    assert names[-1] == "brightness-test"
    assert {"no", "leadline-indoor-small", "depth-pro", "depth-anything-v2-large"}.isdisjoint(names)
    assert "depth-anything-v2-small" in names


def test_a_row_says_where_weights_are_and_what_is_missing(known: ModelSpec, cache: Path) -> None:
    far = Weights("https://127.0.0.1:9/far.onnx", "a" * 64, 5)
    MODELS.add("far", replace(known, name="far", weights=far, packages=("nopackage",), extra="torch"))
    row = next(row for row in model_rows() if row.spec.name == "far")
    assert (row.here, row.missing, row.speed, row.origin) == (False, ("nopackage",), None, "leadline")
    path = cache / "weights" / "far" / f"{'a' * 16}.onnx"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"12345")
    assert next(row for row in model_rows() if row.spec.name == "far").here
    assert pull_model("far") == path


def test_register_makes_a_model_known_by_its_name(known: ModelSpec) -> None:
    assert MODELS.origin(known.name) == "this program"
    with pytest.raises(InputError, match="'brightness-test' of this program is taken by this program"):
        register_model(known)
    assert leadline.open_model("brightness-test").spec == known


def test_a_measured_speed_is_remembered(known: ModelSpec, cache: Path) -> None:
    speed = measure("brightness-test", threads=1, times=3)
    assert 0 < speed.time_ms < 5000
    assert (speed.engine, speed.threads, speed.version) == ("onnxruntime (CPU)", 1, "1")
    row = next(row for row in model_rows() if row.spec.name == "brightness-test")
    assert row.speed == speed
    assert row.to_dict()["speed"]["time_ms"] == speed.time_ms
    json.dumps([row.to_dict() for row in model_rows(random_too=True)])


@pytest.mark.parametrize("text", ["not json", "[1]", '{"brightness-test 1 2": {"odd": 1}}'])
def test_a_speed_file_of_another_kind_is_as_if_nothing_was_measured(
    known: ModelSpec, cache: Path, text: str
) -> None:
    cache.mkdir()
    (cache / "speeds.json").write_text(text)
    assert all(row.speed is None for row in model_rows())


def test_measuring_refuses_nonsense(known: ModelSpec) -> None:
    with pytest.raises(InputError, match="times = 0"):
        measure("brightness-test", times=0)
    with pytest.raises(UnknownName):
        measure("brightnes-test")
