"""The moving average of the weights."""

from __future__ import annotations

import math

import pytest
import torch
from torch.optim.swa_utils import AveragedModel

from leadline.training.averaging import rising


def averaged(weights: list[float], decay: float) -> float:
    """The average after a network held each of these weights once."""
    network = torch.nn.Linear(1, 1, bias=False, dtype=torch.float64)
    model = AveragedModel(network, avg_fn=rising(decay))
    for weight in weights:
        torch.nn.init.constant_(network.weight, weight)
        model.update_parameters(network)
    return next(model.parameters()).item()


def test_early_steps_weigh_what_the_formula_says() -> None:
    kept = [2 / 11, 3 / 12, 4 / 13]
    expected = 5.0
    for share, weight in zip(kept, (7.0, -1.0, 2.0), strict=True):
        expected = expected * share + weight * (1 - share)
    assert averaged([5.0, 7.0, -1.0, 2.0], 0.999) == pytest.approx(expected, rel=1e-6)


def test_a_short_run_has_forgotten_its_start_and_a_long_one_averages_as_it_was_told() -> None:
    assert averaged([1.0] + [0.0] * 71, 0.99) == pytest.approx(
        math.prod((1 + n) / (10 + n) for n in range(1, 72)), rel=1e-4
    )
    assert averaged([1.0] + [0.0] * 71, 0.99) < 1e-7
    assert averaged([0.0] * 2000 + [1.0], 0.99) == pytest.approx(0.01, rel=1e-4)
    assert averaged([0.0] * 2000 + [1.0] + [0.0] * 10, 0.99) == pytest.approx(0.01 * 0.99**10, rel=1e-4)


@pytest.mark.parametrize("weights", [[3.0], [3.0, 8.0]])
def test_no_decay_is_the_newest_weight(weights: list[float]) -> None:
    assert averaged(weights, 0.0) == weights[-1]


def test_whole_numbers_stay_whole() -> None:
    """The count of batches in batch normalisation is averaged with the rest."""
    network = torch.nn.BatchNorm2d(2)
    model = AveragedModel(network, avg_fn=rising(0.9), use_buffers=True)
    for _ in range(3):
        network.num_batches_tracked += 1
        model.update_parameters(network)
    count = model.module.num_batches_tracked
    assert count.dtype == torch.int64
    assert int(count) == 2  # 1, then 1.8 and 2.5 without their fractions
