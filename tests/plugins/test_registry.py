from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from leadline.core.errors import InputError, UnknownName
from leadline.core.kind import Kind
from leadline.plugins import builtins, registry
from leadline.plugins.registry import DATASETS, ENGINES, EXPORTERS, MODELS, Registry, load
from leadline.plugins.specs import EngineSpec, ExporterSpec, ModelSpec, Weights

SPEC = ModelSpec("a-small", Kind(), "one", Weights("file:a.onnx"), "MIT")


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> Registry[ModelSpec]:
    """An empty registry that sees no entry points."""
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [])
    return Registry("model", ModelSpec, {})


def test_what_is_added_is_found(models: Registry[ModelSpec]) -> None:
    models.add("a-small", SPEC, origin="somebody")
    assert models.get("a-small") is SPEC
    assert models.origin("a-small") == "somebody"
    assert models.names() == ("a-small",)
    assert list(models) == [SPEC]


def test_a_taken_name_is_refused(models: Registry[ModelSpec]) -> None:
    models.add("a-small", SPEC, origin="first")
    with pytest.raises(InputError, match="model name 'a-small' of second is taken by first"):
        models.add("a-small", SPEC, origin="second")


def test_unknown_names_get_near_matches_and_no_fallback(models: Registry[ModelSpec]) -> None:
    models.add("depth-anything-v2-small", replace(SPEC, name="depth-anything-v2-small"))
    with pytest.raises(UnknownName, match="no model is called 'depth-anything-v2-smal'; did you mean"):
        models.get("depth-anything-v2-smal")
    with pytest.raises(UnknownName, match="known: depth-anything-v2-small"):
        models.get("xyz")
    with pytest.raises(UnknownName):
        models.origin("xyz")


@pytest.mark.parametrize(
    ("target", "match"),
    [
        ("leadline.plugins.specs:ModelSpec", "is a type, not a ModelSpec"),
        ("leadline.plugins.specs:Nothing", "names nothing"),
        ("leadline.plugins.specs", "is not MODULE:ATTRIBUTE"),
        ("leadline.engines.onnxruntime:SPEC", "is a EngineSpec, not a ModelSpec"),
    ],
)
def test_what_is_no_spec_is_refused(models: Registry[ModelSpec], target: str, match: str) -> None:
    models.add("odd", target)
    with pytest.raises(InputError, match=match):
        models.get("odd")


def test_a_spec_that_calls_itself_otherwise_is_refused() -> None:
    engines = Registry("engine", EngineSpec, {"other": "leadline.engines.onnxruntime:SPEC"})
    with pytest.raises(InputError, match="calls itself 'onnxruntime'"):
        engines.get("other")


def test_a_record_that_is_no_spec_of_that_name_is_refused_at_the_door(models: Registry[ModelSpec]) -> None:
    with pytest.raises(InputError, match="model 'b-small' of leadline calls itself 'a-small'"):
        models.add("b-small", SPEC)
    with pytest.raises(InputError, match="is a int, not a ModelSpec"):
        models.add("b-small", 3)  # type: ignore[arg-type]
    assert models.names() == ()


def test_strings_are_loaded_once_and_only_when_asked_for(models: Registry[ModelSpec]) -> None:
    models.add("missing", "no.such.module:SPEC")
    assert models.names() == ("missing",)
    with pytest.raises(
        InputError, match="of leadline cannot be loaded: ModuleNotFoundError: No module named"
    ):
        models.get("missing")
    engines = Registry("engine", EngineSpec, {"onnxruntime": "leadline.engines.onnxruntime:SPEC"})
    assert engines.get("onnxruntime") is engines.get("onnxruntime")


def test_one_broken_entry_takes_no_other_away(models: Registry[ModelSpec]) -> None:
    models.add("broken", "no.such.module:SPEC", origin="somebody")
    models.add("a-small", SPEC)
    assert list(models.sound()) == [SPEC]
    assert "cannot be loaded" in models.problems["somebody: broken"]
    with pytest.raises(InputError):
        list(models)


def _point(name: str, value: str, dist: str | None) -> SimpleNamespace:
    return SimpleNamespace(name=name, value=value, dist=None if dist is None else SimpleNamespace(name=dist))


def test_entry_points_enter_by_the_same_door(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def points(group: str) -> list[SimpleNamespace]:
        asked.append(group)
        return [
            _point("theirs", "their:SPEC", "their-package"),
            _point("onnxruntime", "their:RIVAL", "their-package"),
            _point("loose", "loose:SPEC", None),
        ]

    monkeypatch.setattr("importlib.metadata.entry_points", points)
    engines = Registry("engine", EngineSpec, {"onnxruntime": "leadline.engines.onnxruntime:SPEC"})
    assert engines.get("onnxruntime").name == "onnxruntime"
    assert asked == []
    assert engines.names() == ("onnxruntime", "theirs", "loose")
    assert engines.names() == ("onnxruntime", "theirs", "loose")
    assert asked == ["leadline.engines"]
    assert list(engines.problems) == ["their-package: onnxruntime"]
    assert "taken by leadline" in engines.problems["their-package: onnxruntime"]


def test_an_unknown_name_looks_for_third_parties_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "importlib.metadata.entry_points",
        lambda group: [_point("onnxruntime", "leadline.engines.onnxruntime:SPEC", "their-package")],
    )
    engines = Registry("engine", EngineSpec, {})
    assert engines.get("onnxruntime").name == "onnxruntime"
    assert engines.origin("onnxruntime") == "their-package"


def test_every_built_in_is_what_the_index_says() -> None:
    for entries, index in (
        (MODELS, builtins.MODELS),
        (ENGINES, builtins.ENGINES),
        (EXPORTERS, builtins.EXPORTERS),
        (DATASETS, builtins.DATASETS),
    ):
        for name in index:
            spec = entries.get(name)
            assert spec.name == name
            if not isinstance(spec, ModelSpec):
                assert callable(load(spec.adapter))


def test_suffixes_of_exporters_do_not_collide() -> None:
    suffixes = [EXPORTERS.get(name).suffix for name in builtins.EXPORTERS]
    assert len(set(suffixes)) == len(suffixes)


def test_the_four_registries_are_of_their_kinds() -> None:
    kinds = {"model": ModelSpec, "engine": EngineSpec, "exporter": ExporterSpec}
    for entries in (registry.MODELS, registry.ENGINES, registry.EXPORTERS):
        assert entries._spec_type is kinds[entries.what]
