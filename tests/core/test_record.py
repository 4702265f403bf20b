"""The record that travels with depth."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from leadline.core.camera import Camera
from leadline.core.errors import InputError
from leadline.core.kind import Kind, Quantity
from leadline.core.record import Encoding, Record
from leadline.core.results import ModelRecord

FULL = Record(
    Kind(Quantity.INVERSE),
    Encoding(0.001, 0.0, 0, 65535),
    Camera.assumed(640, 480),
    ModelRecord("leadline-indoor-small", "1", "ab" * 32, "CC", "unclear", "onnxruntime (CPU)"),
    "Küche.jpg",
    scale_uncertain=True,
)


def test_it_says_kind_unit_encoding_camera_and_model_in_plain_json() -> None:
    data = json.loads(FULL.to_json())
    assert data["kind"] == "metric-inverse-depth"
    assert data["unit"] == "1/m"
    assert data["encoding"] == {"scale": 0.001, "offset": 0.0, "invalid": 0, "infinite": 65535}
    assert data["camera"]["origin"] == "assumed"
    assert data["model"]["name"] == "leadline-indoor-small"
    assert data["source"] == "Küche.jpg"


def test_it_is_read_back_whole() -> None:
    assert Record.from_json(FULL.to_json()) == FULL


def test_a_newer_format_is_refused() -> None:
    with pytest.raises(InputError, match="format 2 is newer"):
        Record.from_json(json.dumps({**FULL.to_dict(), "leadline": 2}))


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '"leadline"', "{}", "null"])
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="record is damaged"):
        Record.from_json(text)


def test_a_record_that_does_not_speak_of_its_scale_is_certain() -> None:
    data = FULL.to_dict()
    assert data.pop("scale_uncertain") is True
    assert not Record.from_json(json.dumps(data)).scale_uncertain


@pytest.mark.parametrize("key", sorted(FULL.to_dict().keys() - {"unit", "scale_uncertain"}))
def test_a_missing_field_is_refused(key: str) -> None:
    data = FULL.to_dict()
    del data[key]
    with pytest.raises(InputError, match=key):
        Record.from_json(json.dumps(data))


@pytest.mark.parametrize(
    "change",
    [
        {"leadline": "1"},
        {"kind": None},
        {"kind": "depth"},
        {"encoding": {"gain": 1}},
        {"encoding": 3},
        {"encoding": {"scale": "0.001"}},
        {"camera": {"fx": 1}},
        {"camera": 7},
        {"model": {"nom": "x"}},
        {"scale_uncertain": "yes"},
        {"scale_uncertain": None},
    ],
)
def test_a_damaged_field_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Record.from_json(json.dumps({**FULL.to_dict(), **change}))


@pytest.mark.parametrize(("scale", "offset"), [(0, 0), (math.nan, 0), (math.inf, 0), (1, math.nan), ("1", 0)])
def test_an_encoding_can_be_decoded(scale: Any, offset: Any) -> None:
    with pytest.raises(InputError, match="decodes nothing"):
        Encoding(scale, offset)
