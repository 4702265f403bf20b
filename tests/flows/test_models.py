from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import leadline
from leadline.core.errors import InputError
from leadline.flows.engine_choice import versions_of
from leadline.flows.models import (
    list_models,
    model_row,
    model_rows,
    pull_model,
    register_model,
    told_of_model,
)
from leadline.io.machine import this_machine
from leadline.io.measurements import Measurement, keep, measurements_file
from leadline.plugins.registry import ENGINES, MODELS
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
    assert (row.here, row.missing, row.measured, row.origin) == (False, ("nopackage",), None, "leadline")
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


def test_a_row_shows_the_fastest_of_what_is_current(
    known: ModelSpec, measurement: Callable[..., Measurement]
) -> None:
    def of(**said: object) -> Measurement:
        versions = versions_of(known, ENGINES.get("onnxruntime"))
        return measurement(
            **{"source": known.weights.source, "machine": this_machine().key, "versions": versions, **said}
        )

    best = of(precision="int8", ms=4.0)
    keep([of(ms=9.0), best, of(batch=4, ms=1.0), of(size="1x1", ms=3.0, machine="another")])
    row = next(row for row in model_rows() if row.spec.name == "brightness-test")
    assert row.measured == best
    assert row.to_dict()["measured"]["ms"] == 4.0
    assert ("speed here", "4 ms for 640x480, onnxruntime (CPU), int8, 160 MB") in told_of_model(row)
    json.dumps([row.to_dict() for row in model_rows(random_too=True)])
    keep([of(ms=2.0, busy=True, memory_bytes=None)])
    told = dict(told_of_model(model_row("brightness-test")))["speed here"]
    assert told == "2 ms for 640x480, onnxruntime (CPU), fp32, measured while the machine had other work"


def test_a_damaged_store_is_as_if_nothing_was_measured(known: ModelSpec, cache: Path) -> None:
    cache.mkdir()
    measurements_file().write_text("not json")
    assert all(row.measured is None for row in model_rows())
