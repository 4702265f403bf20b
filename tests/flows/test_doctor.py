from __future__ import annotations

import json
import platform
from importlib.metadata import version
from pathlib import Path

import pytest

from leadline import __version__
from leadline.core.errors import EngineError
from leadline.engines.onnxruntime import OnnxRuntimeEngine
from leadline.flows import doctor
from leadline.flows.doctor import diagnose
from leadline.plugins.registry import ENGINES, MODELS
from leadline.plugins.specs import EngineSpec, ModelSpec


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEADLINE_CACHE", str(tmp_path))
    return tmp_path


def test_a_whole_installation_is_well(cache: Path) -> None:
    (cache / "weights" / "m").mkdir(parents=True)
    (cache / "weights" / "m" / f"{'a' * 16}.onnx").write_bytes(b"123")
    found = diagnose()
    assert found.well
    assert (found.leadline, found.python) == (__version__, platform.python_version())
    versions = {package.name: package.version for package in found.packages}
    assert versions["numpy"] == version("numpy")
    assert versions["onnxruntime"] == version("onnxruntime")
    assert found.cache == str(cache / "weights")
    assert found.cache_bytes == 3
    here = {engine.name: engine.devices[-1] for engine in found.engines if not engine.problem}
    assert {device for name, device in here.items() if not ENGINES.get(name).remote} == {"cpu"}
    assert json.loads(json.dumps(found.to_dict()))["well"] is True


def test_extras_of_extras_are_written_out_and_missing_ones_come_with_the_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = [
        "numpy>=1.26",
        "nothere-torch>=2; extra == 'torch'",
        'leadline[torch]; extra == "all"',
        'pillow; extra == "all"',
        'pytest; extra == "dev"',
    ]
    monkeypatch.setattr(doctor, "requires", lambda name: lines)
    extras = {extra.name: extra for extra in diagnose().extras}
    assert set(extras) == {"torch", "all"}
    assert [package.name for package in extras["all"].packages] == ["nothere-torch", "pillow"]
    assert extras["all"].packages[0].version == ""
    assert extras["torch"].line == "pip install 'leadline[torch]'"


def test_a_base_package_that_is_missing_is_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "requires", lambda name: ["nothere"])
    assert not diagnose().well


def test_engines_that_cannot_be_used_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = EngineSpec("missing", "nowhere:Engine", "-", extra="torch", packages=("nopackage",))
    own = EngineSpec("own", "nowhere:Engine", "-", packages=("nopackage",), install="acme-engine")
    monkeypatch.setitem(ENGINES._entries, "own", own)
    monkeypatch.setitem(ENGINES._origins, "own", "acme-depth")
    broken = EngineSpec("broken", "leadline.nowhere:Engine", "-")
    monkeypatch.setitem(ENGINES._entries, "missing", missing)
    monkeypatch.setitem(ENGINES._entries, "broken", broken)
    monkeypatch.setitem(ENGINES._origins, "missing", "leadline")
    monkeypatch.setitem(ENGINES._origins, "broken", "leadline")
    problems = {engine.name: engine.problem for engine in diagnose().engines}
    assert problems["own"] == "needs nopackage: pip install acme-engine"
    assert problems["missing"] == "needs nopackage: pip install 'leadline[torch]'"
    assert "cannot start: No module named 'leadline.nowhere'" in problems["broken"]

    def fail(self: OnnxRuntimeEngine) -> tuple[str, ...]:
        raise EngineError("no runtime")

    monkeypatch.setattr(OnnxRuntimeEngine, "devices", fail)
    for name in ("torch", "openvino"):
        monkeypatch.delitem(ENGINES._entries, name)
    assert not diagnose().well


def test_plugins_and_their_problems_are_shown(known: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    MODELS.add("gone", "gone_package:SPEC", origin="gone-package")
    monkeypatch.setattr(MODELS, "problems", {"rival: leadline-indoor-small": "the name is taken"})
    found = diagnose()
    assert "model 'brightness-test' of this program" in found.plugins
    assert not found.well
    assert any(
        "model 'gone' of gone-package cannot be loaded: ModuleNotFoundError" in problem
        for problem in found.problems
    )
    assert "the name is taken" in found.problems
