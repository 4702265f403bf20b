"""Models at Replicate by name and by reference: what is known, what must be said, and that nobody is asked for it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from leadline.core.errors import InputError
from leadline.core.kind import Kind
from leadline.flows.models import list_models, model_row, pull_model, told_of_model
from leadline.flows.naming import resolve_model
from leadline.io.weights import locate
from leadline.plugins.registry import MODELS
from leadline.plugins.specs import Commercial, Stated

AFFINE_INVERSE = Kind.parse("affine-inverse")
VERSION = "c" * 64


@pytest.mark.parametrize(
    ("reference", "name", "kind"),
    [
        ("cjwbw/midas", "replicate-midas", "affine-invariant-inverse-depth"),
        ("adirik/marigold", "replicate-marigold", "affine-invariant-depth"),
    ],
)
def test_listed_models_are_found_by_reference(reference: str, name: str, kind: str) -> None:
    spec = resolve_model(f"replicate:{reference}")
    assert spec == MODELS.get(name)
    assert str(spec.kind) == kind
    assert re.fullmatch("[0-9a-f]{64}", spec.weights.revision)
    assert reference in spec.notice
    assert spec in list_models()
    other = resolve_model(f"replicate:{reference}:{VERSION}", stated=Stated(kind=spec.kind))
    assert (other.name, other.weights.revision) == (name, VERSION)
    with pytest.raises(InputError, match="leadline lists it"):
        resolve_model(f"replicate:{reference}", stated=Stated(kind=Kind()))


def test_of_any_other_model_the_kind_must_be_said() -> None:
    with pytest.raises(
        InputError, match=r"nothing says what 'acme/depth' of Replicate predicts; say it: --kind"
    ):
        resolve_model("replicate:acme/depth")
    spec = resolve_model(f"replicate:acme/depth:{VERSION}", stated=Stated(kind=AFFINE_INVERSE))
    assert spec.kind == AFFINE_INVERSE
    assert spec.weights.source == "remote:replicate.com/acme/depth"
    assert spec.weights.revision == VERSION
    assert spec.commercial is Commercial.UNCLEAR
    assert spec.engines == ("replicate",)


@pytest.mark.parametrize(
    "reference", ["midas", "a/b/c", "a b/c", "acme/depth:", "acme/depth:v 1", "https://x/y"]
)
def test_what_is_no_reference_is_refused(reference: str) -> None:
    with pytest.raises(InputError, match="is no OWNER/MODEL of Replicate"):
        resolve_model(f"replicate:{reference}", stated=Stated(kind=AFFINE_INVERSE))


def test_a_unit_is_said_in_another_way() -> None:
    with pytest.raises(InputError, match=r"remote\.scale=0\.001 for millimetres"):
        resolve_model("replicate:acme/depth", stated=Stated(kind=Kind(), unit="mm"))


def test_inputs_of_any_name_are_taken_but_for_names_of_our_own_form() -> None:
    stated = Stated(
        kind=AFFINE_INVERSE, inputs={"model_type": "x", "remote.output": "1", "remote.putout": "1"}
    )
    names = [option.name for option in resolve_model("replicate:acme/depth", stated=stated).options]
    assert names.count("remote.output") == 1
    assert "model_type" in names
    assert "remote.putout" not in names
    listed = resolve_model("replicate:cjwbw/midas", stated=Stated(inputs={"model_type": "x", "extra": "1"}))
    names = [option.name for option in listed.options]
    assert names.count("model_type") == 1
    assert "extra" in names


def test_there_is_nothing_to_fetch_and_nothing_to_time(command: Any) -> None:
    with pytest.raises(InputError, match="nothing to fetch"):
        pull_model("replicate-midas")
    assert "would cost money" in command("benchmark", "replicate-midas").err
    assert str(locate(MODELS.get("replicate-midas").weights, name="x")) == "."


def test_a_list_says_that_they_are_elsewhere(command: Any) -> None:
    row = model_row("replicate:acme/depth", kind="affine-inverse")
    told = dict(told_of_model(row))
    assert told["weights"] == "elsewhere, remote:replicate.com/acme/depth"
    assert "charged to your account" in told["notice"]
    assert "remote.output" in told["inputs"]
    (line,) = [line for line in command("models").out.splitlines() if line.startswith("replicate-midas ")]
    assert "elsewhere" in line
