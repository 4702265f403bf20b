"""How rates fall, each against its formula; rising, staying and the cosine are tested with the loop."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from leadline.training.recipe_files import load_recipe
from leadline.training.schedule import rate_at

OPTIONS = replace(load_recipe("embedded-indoor").optimiser, warm_up=0.1, fall=0.5)


@pytest.mark.parametrize(
    ("schedule", "half", "end"),
    [("cosine", 0.5, 0.0), ("linear", 0.5, 0.0), ("polynomial", 0.5**0.9, 0.0)],
)
def test_falls_go_from_one_to_nothing(schedule: str, half: float, end: float) -> None:
    options = replace(OPTIONS, schedule=schedule)
    rates = [rate_at(step, options=options, steps=1000) for step in range(1001)]
    assert rates[0] == pytest.approx(1 / 101)
    assert rates[100:501] == [1.0] * 401
    assert rates[750] == pytest.approx(half)
    assert math.isclose(rates[1000], end, abs_tol=1e-9)
    assert rates[500:] == sorted(rates[500:], reverse=True)
