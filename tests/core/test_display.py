"""The hook that lets values show themselves."""

from __future__ import annotations

import numpy as np
import pytest

from leadline.core import display
from leadline.core.depth_map import DepthMap
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.core.results import ModelRecord, Prediction

DEPTH = DepthMap(np.ones((2, 2)), Kind())
MADE = Prediction(Image.from_array(np.zeros((2, 2, 3), np.uint8)), DEPTH, ModelRecord("m"))


@pytest.fixture(autouse=True)
def _restored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "_presenter", None)


@pytest.mark.parametrize("value", [DEPTH, MADE], ids=lambda value: type(value).__name__)
def test_values_show_what_the_presenter_draws_and_text_without_one(value: DepthMap | Prediction) -> None:
    assert value._repr_png_() is None
    seen: list[object] = []
    display.set_presenter(lambda shown: seen.append(shown) or b"png")
    assert value._repr_png_() == b"png"
    assert seen == [value]
    display.set_presenter(None)
    assert value._repr_png_() is None
