"""The watch over losses and gradients."""

from __future__ import annotations

import math

import pytest
import torch

from leadline.training.watch import LossWatch, Place


def test_it_looks_at_once_or_in_groups() -> None:
    for group, alarmed_at in ((1, 3), (4, 4)):
        watch = LossWatch(explosion=100, at_once=group == 1, group=4)
        seen = [
            watch.saw("loss", torch.tensor(v), Place(0, k)) for k, v in enumerate([1.0, 2.0, math.nan, 3.0])
        ]
        first = next(k for k, alarm in enumerate(seen, 1) if alarm is not None)
        assert first == alarmed_at
        alarm = seen[first - 1]
        assert alarm is not None
        assert alarm.place == Place(0, 2)
        assert alarm.words == "the loss is nan"


def test_what_is_left_is_looked_at_when_asked() -> None:
    watch = LossWatch(explosion=100, at_once=False)
    assert watch.saw("gradient", torch.tensor(math.inf), Place(1, 5)) is None
    alarm = watch.look()
    assert alarm is not None
    assert alarm.words == "the norm of the gradient is inf"
    assert watch.look() is None


@pytest.mark.parametrize("value", [99.0, 101.0])
def test_an_explosion_is_so_many_times_the_usual_loss(value: float) -> None:
    watch = LossWatch(explosion=100, at_once=True)
    for k in range(30):
        assert watch.saw("loss", torch.tensor(1.0), Place(0, k)) is None
        assert (
            watch.saw("gradient", torch.tensor(1e9), Place(0, k)) is None
        )  # large is no fault of a gradient
    alarm = watch.saw("loss", torch.tensor(value), Place(0, 30))
    assert (alarm is not None) == (value > 100)
    if alarm is not None:
        assert alarm.words == "the loss is 101, the usual one 1"


def test_early_losses_may_fall_from_any_height() -> None:
    watch = LossWatch(explosion=100, at_once=True)
    assert all(watch.saw("loss", torch.tensor(v), Place(0, 0)) is None for v in (1e-3, 1e6, 1.0))
