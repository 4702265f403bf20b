"""What the record of a picture or a cloud says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from leadline.core.camera import Camera
from leadline.exporters.records import record_of
from leadline.testing.scenes import plane, prediction_of


@pytest.mark.parametrize("uncertain", [False, True])
def test_it_says_what_the_prediction_says(uncertain: bool) -> None:
    wall = plane(Camera.assumed(4, 3), normal=(0.0, 0.0, 1.0), distance_m=2.0)
    prediction = prediction_of(replace(wall, scale_uncertain=uncertain))
    record = record_of(prediction)
    assert (record.kind, record.camera, record.model) == (wall.kind, wall.camera, prediction.model)
    assert record.source == "closed-form"
    assert record.scale_uncertain is uncertain
