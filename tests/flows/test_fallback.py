from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image as PilImage

from leadline.core.errors import EngineError, UnknownName
from leadline.flows.fallback import FallbackSession
from leadline.flows.model import open_model
from leadline.plugins.registry import MODELS
from leadline.plugins.specs import ModelSpec
from leadline.testing.scenes import noise_photo

pytest.importorskip("openvino", reason="the extra openvino is not installed")


def _refusing() -> Any:
    raise EngineError("it lacks Sprocket", hint="use another")


class _Breaking:
    """A session that fails at its first photo."""

    description = "first"

    def __init__(self) -> None:
        self.closed = False

    def run(self, images: Any, *, prompts: Any = ()) -> Any:
        raise EngineError("it broke", hint="")

    def close(self) -> None:
        self.closed = True


class _Running(_Breaking):
    description = "other"
    remarks = ("mind the gap",)

    def run(self, images: Any, *, prompts: Any = ()) -> Any:
        return list(images)


def test_the_other_takes_over_when_the_first_cannot_be_opened_and_says_so() -> None:
    session = FallbackSession(_refusing, _Running, names=("openvino", "torch"))
    assert session.description == "other"
    assert session.remarks == ("engine 'torch' takes over from 'openvino': it lacks Sprocket", "mind the gap")
    assert session.run([1]) == [1]  # type: ignore[list-item, comparison-overlap]


def test_the_other_takes_over_when_the_first_fails_and_from_then_on() -> None:
    first, opened = _Breaking(), []

    def other() -> Any:
        opened.append(_Running())
        return opened[-1]

    session = FallbackSession(lambda: first, other, names=("a", "b"))
    assert (session.description, session.remarks) == ("first", ())
    assert session.run([1]) == session.run([1]) == [1]  # type: ignore[list-item, comparison-overlap]
    assert (session.description, first.closed, len(opened)) == ("other", True, 1)
    session.close()
    assert opened[0].closed


def test_where_both_fail_the_others_error_is_told() -> None:
    with pytest.raises(EngineError, match="Sprocket"):
        FallbackSession(_refusing, _refusing, names=("a", "b"))
    session = FallbackSession(_Breaking, _Breaking, names=("a", "b"))
    for _ in range(2):
        with pytest.raises(EngineError, match="it broke"):
            session.run([])


def test_without_being_told_nothing_falls_back(brightness: ModelSpec) -> None:
    spec = replace(brightness, engines=("onnxruntime", "torch"))
    with pytest.raises(EngineError, match="'openvino' cannot run"):
        open_model(spec, engine="openvino")
    with open_model(spec, engine="openvino", fallback="onnxruntime") as model:
        assert model.record.engine == "onnxruntime (CPU)"
        assert "engine 'onnxruntime' takes over from 'openvino'" in model.remarks[0]


def test_an_engine_that_is_not_there_cannot_take_over(brightness: ModelSpec) -> None:
    with pytest.raises(UnknownName, match="no engine is called 'abacus'"):
        open_model(brightness, fallback="abacus")
    with pytest.raises(EngineError, match="engine 'replicate' cannot run"):
        open_model(brightness, fallback="replicate")


def test_a_precision_that_the_other_lacks_becomes_its_own(brightness: ModelSpec) -> None:
    with open_model(
        brightness, engine="torch", precision="int8", compile="no", fallback="onnxruntime"
    ) as model:
        assert model.record.engine == "onnxruntime (CPU)"


def test_the_record_names_the_engine_that_ran() -> None:
    """A network that OpenVINO refuses is run by torch from the first photo on, and no file says otherwise."""
    spec = replace(MODELS.get("zoedepth-two-tiny"), engines=("torch", "openvino"))
    with open_model(spec, engine="openvino", fallback="torch", tta="flip") as model:
        assert model.record.engine.startswith("openvino")
        made = model.predict(noise_photo(48, 64))
        assert made.model.engine.startswith("torch")
        assert "takes over" in model.remarks[0]


def test_the_command_line_says_it(command: Callable[..., Any], known: ModelSpec, tmp_path: Any) -> None:
    PilImage.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "a.png")
    made = command(
        "predict",
        tmp_path / "a.png",
        "-m",
        known.name,
        "--engine",
        "torch",
        "--precision",
        "int8",
        "--fallback",
        "openvino",
        "-o",
        tmp_path / "out",
    )
    assert made.status == 3  # int8 in OpenVINO must be calibrated first
    made = command("predict", tmp_path / "a.png", "-m", known.name, "--engine", "torch", "--precision", "int8",
                   "--fallback", "onnxruntime", "-o", tmp_path / "out")  # fmt: skip
    assert made.status == 0
    assert "leadline: engine 'onnxruntime' takes over from 'torch'" in made.err
