"""Predictions and samples."""

from __future__ import annotations

import numpy as np
import pytest

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.core.results import ModelRecord, Prediction
from leadline.core.sample import Sample

PHOTO = Image.from_array(np.zeros((2, 2, 3), np.uint8), source="a.jpg")
DEPTH = DepthMap(np.ones((2, 2)), Kind())


def test_a_prediction_prints_its_depth_and_its_maker() -> None:
    made = Prediction(PHOTO, DEPTH, ModelRecord("some-model"))
    assert repr(made) == "DepthMap 2x2, metres, 1 to 1, by some-model"
    assert made.model.to_dict()["commercial"] == "unclear"


def test_a_sample_needs_an_id() -> None:
    with pytest.raises(InputError, match="empty id"):
        Sample("", PHOTO, DEPTH)
    assert repr(Sample("7", PHOTO, DEPTH)) == (
        "Sample '7': Image 2x2, camera assumed 63°, 'a.jpg', DepthMap 2x2, metres, 1 to 1"
    )
