"""From what was typed to a spec: references that other packages bring."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from leadline.core.errors import InputError
from leadline.flows.naming import resolve_model
from leadline.plugins.registry import REFERENCES
from leadline.plugins.specs import ModelSpec, ReferenceSpec, Stated

HERE = "acme_reference_of_the_tests"


@pytest.fixture
def acme(brightness: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A package whose reference knows folders that say ``acme``."""

    def recognise(folder: Path) -> bool:
        config = json.loads((folder / "config.json").read_text())
        if config == "broken":
            raise ZeroDivisionError("odd")
        if config == "strange":
            raise InputError("that is strange")
        return "acme" in config

    def resolve(reference: str, *, stated: Stated) -> ModelSpec:
        package.asked = reference
        return brightness

    package = SimpleNamespace(recognise=recognise, resolve=resolve, asked="")
    monkeypatch.setitem(sys.modules, HERE, package)
    for table in ("_entries", "_origins", "problems"):
        monkeypatch.setattr(REFERENCES, table, dict(getattr(REFERENCES, table)))
    spec = ReferenceSpec("acme", f"{HERE}:resolve", "acme:FOLDER", "-", recognise=f"{HERE}:recognise")
    REFERENCES.add("acme", spec, origin="acme-depth")
    return package


def _folder(tmp_path: Path, config: object) -> str:
    (tmp_path / "config.json").write_text(json.dumps(config))
    return str(tmp_path)


def test_a_folder_goes_to_the_package_that_knows_it(
    acme: SimpleNamespace, brightness: ModelSpec, tmp_path: Path
) -> None:
    place = _folder(tmp_path, {"acme": 1})
    assert resolve_model(place) is brightness
    assert acme.asked == place


def test_a_folder_that_nobody_knows_is_read_as_one_of_transformers(
    acme: SimpleNamespace, tmp_path: Path
) -> None:
    assert resolve_model(_folder(tmp_path, {"model_type": "glpn"})).summary == "a checkpoint of glpn"
    assert acme.asked == ""


def test_a_package_that_fails_to_look_is_named(acme: SimpleNamespace, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"'acme' of acme-depth cannot look into .*: ZeroDivisionError: odd; mend, update"
    ):
        resolve_model(_folder(tmp_path, "broken"))
    with pytest.raises(InputError, match=r"^that is strange$"):
        resolve_model(_folder(tmp_path, "strange"))


@pytest.mark.parametrize("thing", [None, 3, b"leadline-indoor-small", ["leadline-indoor-small"]])
def test_what_is_no_name_at_all_is_refused(thing: object) -> None:
    with pytest.raises(InputError, match=f"is no model: it is a {type(thing).__name__}"):
        resolve_model(thing)  # type: ignore[arg-type]
