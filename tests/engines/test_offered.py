from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from leadline.core.errors import EngineError, InputError, UnknownName
from leadline.engines.offered import precision_of, refuse_compiling
from leadline.flows.model import open_model
from leadline.plugins.ports import EngineOptions


def test_auto_is_the_first_that_is_offered() -> None:
    assert precision_of(EngineOptions(), engine="x", offered=("bf16", "fp32"), where="cuda") == "bf16"
    asked = EngineOptions(precision="fp32")
    assert precision_of(asked, engine="x", offered=("bf16", "fp32"), where="cuda") == "fp32"


@pytest.mark.parametrize(
    ("precision", "hint"), [("fp16", "use --precision fp32"), ("int8", "--engine openvino has int8")]
)
def test_a_precision_that_is_not_there_is_named_with_those_that_are(precision: str, hint: str) -> None:
    options = EngineOptions(precision=precision)
    with pytest.raises(
        EngineError, match=f"'x' has no precision '{precision}' on cpu; it has fp32"
    ) as refused:
        precision_of(options, engine="x", offered=("fp32",), where="cpu")
    assert refused.value.hint == hint


def test_an_engine_that_compiles_nothing_says_so() -> None:
    refuse_compiling(EngineOptions(compile="no"), engine="x")
    with pytest.raises(EngineError, match="'x' does not compile"):
        refuse_compiling(EngineOptions(compile="yes"), engine="x")


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: EngineOptions(threads=-1), InputError),
        (lambda: EngineOptions(precision="fp31"), UnknownName),
        (lambda: EngineOptions(compile="maybe"), UnknownName),
    ],
)
def test_options_check_themselves(make: Callable[[], object], error: type[Exception]) -> None:
    with pytest.raises(error):
        make()


@pytest.mark.parametrize(("option", "value"), [("precision", "int8"), ("compile", "yes")])
def test_the_embedded_model_says_what_its_engine_lacks(option: str, value: str) -> None:
    with pytest.raises(EngineError, match="engine 'onnxruntime'"):
        open_model(engine="onnxruntime", **{option: value})  # type: ignore[arg-type]


def test_the_command_line_says_it_in_one_line(command: Callable[..., object], photo: Path) -> None:
    ended = command("predict", photo, "--engine", "onnxruntime", "--precision", "bf16")
    assert ended.status  # type: ignore[attr-defined]
    assert "has no precision 'bf16'" in ended.err  # type: ignore[attr-defined]
    assert "Traceback" not in ended.err  # type: ignore[attr-defined]
