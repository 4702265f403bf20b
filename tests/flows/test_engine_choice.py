"""Which engine auto takes: what can run at all, what was measured, and else the order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from leadline.core.errors import EngineError, UnknownName
from leadline.flows import engine_choice
from leadline.flows.doctor import diagnose
from leadline.flows.engine_choice import Choice, asked_of, choose_engine, current, usable, versions_of
from leadline.flows.model import open_model
from leadline.io.machine import Machine, this_machine
from leadline.io.measurements import Measurement, keep, measurements_file
from leadline.plugins.ports import EngineOptions
from leadline.plugins.registry import ENGINES
from leadline.plugins.specs import EngineSpec, ModelSpec, Weights

Make = Callable[..., Measurement]
SHA = "b" * 64
PLAIN = "first of the model's order; not measured here against another"


class Cards:
    """An engine with a graphics processor."""

    def devices(self) -> tuple[str, ...]:
        return ("cuda", "cpu")


class Broken:
    def devices(self) -> tuple[str, ...]:
        raise EngineError("no driver")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADLINE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three engines that are here, one that is not, one with a card, one that is broken, one elsewhere."""
    specs = (
        EngineSpec("one", "x:X", "-"),
        EngineSpec("two", "x:X", "-", precisions=("fp32", "int8")),
        EngineSpec("three", "x:X", "-"),
        EngineSpec("absent", "x:X", "-", packages=("nopackage",)),
        EngineSpec("cards", f"{__name__}:Cards", "-"),
        EngineSpec("broken", f"{__name__}:Broken", "-"),
        EngineSpec("far", "x:X", "-", remote=True),
    )
    adapters = {f"{__name__}:Cards": Cards, f"{__name__}:Broken": Broken}
    real = engine_choice.load
    monkeypatch.setattr(engine_choice, "load", lambda target: adapters.get(target) or real(target))
    for spec in specs:
        monkeypatch.setitem(ENGINES._entries, spec.name, spec)
        monkeypatch.setitem(ENGINES._origins, spec.name, "this test")


@pytest.fixture
def model(known: ModelSpec, engines: None) -> ModelSpec:
    return replace(known, engines=("one", "two", "three"))


@pytest.fixture
def of(model: ModelSpec, measurement: Make) -> Make:
    """A measurement that is current."""

    def make(**said: Any) -> Measurement:
        precision, compiled, device, threads = asked_of(EngineOptions(), machine=this_machine())
        name = said.get("engine", "one")
        standard = {
            "engine": name,
            "model": model.name,
            "weights_sha256": SHA,
            "machine": this_machine().key,
            "versions": versions_of(model, ENGINES.get(name)),
            "precision": precision,
            "compile": compiled,
            "device": device,
            "threads": threads,
        }
        return measurement(**{**standard, **said})

    return make


def _choice(spec: ModelSpec, **options: Any) -> Choice:
    return choose_engine(spec, options=EngineOptions(**options), weights_sha256=lambda: SHA)


def test_without_figures_the_models_order_decides(model: ModelSpec) -> None:
    assert _choice(model) == Choice("one", PLAIN)
    assert _choice(replace(model, engines=("absent", "two", "one"))) == Choice("two", PLAIN)


def test_weights_are_not_hashed_where_figures_cannot_decide(model: ModelSpec, of: Make) -> None:
    def never() -> str:
        raise AssertionError("the weights were hashed")

    keep([of(engine="two")])
    for spec in (model, replace(model, engines=("one",))):
        assert choose_engine(spec, options=EngineOptions(), weights_sha256=never).engine == "one"


def test_the_fastest_that_was_measured_is_taken(model: ModelSpec, of: Make) -> None:
    keep([of(ms=30.0), of(engine="two", ms=20.0), of(engine="three", ms=10.0)])
    assert _choice(model) == Choice(
        "three", "the fastest that was measured: 10 ms a photo; one 30 ms, two 20 ms"
    )


def test_one_that_was_measured_alone_proves_nothing(model: ModelSpec, of: Make) -> None:
    keep([of(engine="three", ms=0.1), of(engine="three", ms=0.1, batch=4)])
    assert _choice(model) == Choice("one", PLAIN)


@pytest.mark.parametrize(("ms", "taken"), [(10.29, "one"), (10.31, "two")])
def test_what_differs_by_less_than_a_run_does_is_a_tie_and_the_order_decides(
    model: ModelSpec, of: Make, ms: float, taken: str
) -> None:
    keep([of(engine="three", ms=10.1), of(engine="two", ms=10.0), of(ms=ms)])
    choice = _choice(model)
    assert choice.engine == taken
    assert choice.why.startswith("as fast as any that was measured")


@pytest.mark.parametrize(
    "stale",
    [
        {"machine": "another"},
        {"versions": {"leadline": "0.0.1"}},
        {"weights_sha256": "c" * 64},
        {"precision": "bf16"},
        {"compile": "yes"},
        {"device": "cuda"},
        {"threads": 999},
        {"model": "another"},
    ],
)
def test_figures_of_another_machine_version_weight_or_option_are_not_used(
    model: ModelSpec, of: Make, stale: dict[str, Any]
) -> None:
    keep([of(ms=30.0), of(engine="two", ms=10.0)])
    assert _choice(model).engine == "two"
    measurements_file().unlink()
    keep([of(ms=30.0), of(engine="two", ms=10.0, **stale)])
    assert _choice(model) == Choice("one", PLAIN)


def test_only_photos_and_batches_of_one_size_are_compared(model: ModelSpec, of: Make) -> None:
    keep([of(ms=30.0), of(engine="two", ms=10.0, size="64x48"), of(engine="three", ms=5.0, batch=8)])
    assert _choice(model) == Choice("one", PLAIN)
    keep([of(ms=9.0, batch=8)])
    assert _choice(model).engine == "three"


def test_the_set_with_most_engines_decides_then_the_smallest_batch_then_the_newest(
    model: ModelSpec, of: Make
) -> None:
    keep([of(ms=1.0), of(engine="two", ms=2.0)])
    late = {"batch": 2, "measured": "2027-01-01T00:00:00+00:00"}
    keep([of(ms=2.0, **late), of(engine="two", ms=1.0, **late)])
    assert _choice(model).engine == "one"
    keep([of(engine="three", ms=9.0, batch=2)])
    assert _choice(model).engine == "two"
    measurements_file().unlink()
    keep([of(ms=1.0), of(engine="two", ms=2.0)])
    new = {"size": "64x48", "measured": "2027-01-01T00:00:00+00:00"}
    keep([of(ms=2.0, **new), of(engine="two", ms=1.0, **new)])
    assert _choice(model).engine == "two"


def test_engines_that_cannot_are_passed_over(model: ModelSpec, of: Make) -> None:
    keep([of(ms=30.0), of(engine="two", ms=10.0)])
    assert _choice(replace(model, engines=("absent", "two"))) == Choice("two", "the only one that can")
    assert _choice(model, precision="int8") == Choice("two", "the only one that can")
    assert usable(replace(model, engines=("one", "nowhere", "absent", "far")), EngineOptions()) == (
        "one",
        "far",
    )


def test_where_none_can_the_first_says_why(model: ModelSpec) -> None:
    assert _choice(model, precision="bf16").engine == "one"
    assert _choice(replace(model, engines=("absent",))).engine == "absent"


def test_a_device_that_is_named_must_be_there(model: ModelSpec) -> None:
    spec = replace(model, engines=("broken", "cards", "far"))
    assert usable(spec, EngineOptions(device="cuda:1")) == ("cards", "far")
    assert usable(spec, EngineOptions(device="mps")) == ("far",)
    assert usable(spec, EngineOptions(device="cpu")) == ("broken", "cards", "far")


def test_a_damaged_store_is_as_if_nothing_was_measured(model: ModelSpec, of: Make) -> None:
    keep([of(ms=30.0), of(engine="two", ms=10.0)])
    measurements_file().write_text("{")
    assert _choice(model) == Choice("one", PLAIN)


def test_auto_means_what_it_can_only_mean() -> None:
    plain = Machine("A", 2, 0, (), "Linux x86_64")
    cards = replace(plain, gpus=("NVIDIA H100",))
    assert asked_of(EngineOptions(threads=3), machine=plain) == ("fp32", "auto", "cpu", 3)
    assert asked_of(EngineOptions(threads=3), machine=cards) == ("auto", "auto", "auto", 3)
    assert asked_of(EngineOptions(device="cpu"), machine=cards)[:3] == ("fp32", "auto", "cpu")
    assert asked_of(EngineOptions(precision="bf16"), machine=plain)[0] == "bf16"
    assert asked_of(EngineOptions(), machine=plain)[3] >= 1


def test_weights_that_are_not_known_by_hash_are_known_by_their_place(model: ModelSpec, of: Make) -> None:
    here, there = of(source=model.weights.source), of(source="file:elsewhere.onnx")
    assert current([here, there], model, options=None, weights_sha256="") == [here]
    hashed = replace(model, weights=Weights("https://127.0.0.1:9/x.onnx", "d" * 64))
    assert current([here], hashed, options=None, weights_sha256="") == []


def test_versions_are_of_distributions_whatever_they_are_called(model: ModelSpec) -> None:
    engine = EngineSpec("e", "x:X", "-", packages=("PIL", "nopackage"))
    versions = versions_of(model, engine)
    assert versions["PIL"].split(".")[0].isdecimal()
    assert versions["nopackage"] == ""


def test_opening_takes_the_measured_engine_and_the_record_names_it(
    known: ModelSpec, measurement: Make
) -> None:
    pytest.importorskip("torch")
    with open_model(known) as model:
        assert model.record.engine == "onnxruntime (CPU)"
        sha = model.record.weights_sha256
    precision, compiled, device, threads = asked_of(EngineOptions(), machine=this_machine())
    standard = {
        "weights_sha256": sha,
        "machine": this_machine().key,
        "precision": precision,
        "compile": compiled,
        "device": device,
        "threads": threads,
    }
    keep(
        [
            measurement(engine=name, ms=ms, versions=versions_of(known, ENGINES.get(name)), **standard)
            for name, ms in (("onnxruntime", 9.0), ("torch", 3.0))
        ]
    )
    with open_model(known) as model:
        assert model.record.engine.startswith("torch")
    with open_model(known, engine="onnxruntime") as model:
        assert model.record.engine == "onnxruntime (CPU)"
    found = {choice.model: choice for choice in diagnose().auto}
    assert found["brightness-test"].engine == "torch"
    assert found["brightness-test"].why == "the fastest that was measured: 3 ms a photo; onnxruntime 9 ms"
    assert found["leadline-indoor-small"].engine == "onnxruntime"


def test_doctor_says_why_weights_cannot_be_looked_at(
    known: ModelSpec, measurement: Make, tmp_path: Path
) -> None:
    from leadline.plugins.registry import MODELS

    pytest.importorskip("torch")
    MODELS.add("lost", replace(known, name="lost", weights=Weights(f"file:{tmp_path / 'lost.onnx'}")))
    keep([measurement(model="lost", engine=name) for name in ("onnxruntime", "torch")])
    found = {choice.model: choice for choice in diagnose().auto}
    assert "lost.onnx" in found["lost"].why


def test_an_engine_nobody_knows_gets_near_names(known: ModelSpec) -> None:
    with pytest.raises(UnknownName, match="did you mean 'onnxruntime'"):
        open_model(known, engine="onnxrutime")
