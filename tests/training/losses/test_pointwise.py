"""Losses of single pixels against their formulas in NumPy, in double precision."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from leadline.core.errors import InputError
from leadline.training.losses.comparison import Comparison, Loss, Scale, compare
from leadline.training.losses.pointwise import L1, L2, BerHu, SILog

Array = NDArray[np.float64]


def by_image(batch: Comparison, formula: Callable[[Array, Array], float]) -> float:
    """The mean over the images of a formula on the known pixels of each."""
    planes = zip(batch.said, batch.truth, batch.mask, strict=True)
    return float(np.mean([formula(s[m].double().numpy(), t[m].double().numpy()) for s, t, m in planes]))


def berhu(batch: Comparison, share: float) -> float:
    everywhere = np.abs((batch.said - batch.truth)[batch.mask].double().numpy())
    c = share * everywhere.max()

    def formula(said: Array, truth: Array) -> float:
        e = np.abs(said - truth)
        return float(np.mean([x if x <= c else (x * x + c * c) / (2 * c) for x in e]))

    return by_image(batch, formula)


def silog(said: Array, truth: Array) -> float:
    d = np.log(said) - np.log(truth)
    return math.sqrt(np.mean(d**2) - 0.85 * np.mean(d) ** 2)


def test_each_is_its_formula(batch: Comparison) -> None:
    seen = compare(batch.said, batch.truth, mask=batch.mask)
    assert L1()(seen).item() == pytest.approx(by_image(batch, lambda s, t: np.abs(s - t).mean()), rel=1e-5)
    assert L2()(seen).item() == pytest.approx(by_image(batch, lambda s, t: ((s - t) ** 2).mean()), rel=1e-5)
    assert BerHu()(seen).item() == pytest.approx(berhu(batch, 0.2), rel=1e-5)
    assert BerHu(0.05)(seen).item() == pytest.approx(berhu(batch, 0.05), rel=1e-5)
    assert SILog()(seen).item() == pytest.approx(by_image(batch, silog), abs=1e-3)


def test_silog_is_the_same_on_logarithms(batch: Comparison) -> None:
    linear = compare(batch.said, batch.truth, mask=batch.mask)
    logs = compare(batch.said.log(), batch.truth.log(), mask=batch.mask, scale=Scale.LOG)
    assert SILog()(logs).item() == pytest.approx(SILog()(linear).item(), rel=1e-5)


def test_silog_that_forgives_everything_does_not_see_a_factor(batch: Comparison) -> None:
    seen, scaled = (compare(f * batch.said, batch.truth, mask=batch.mask) for f in (1, 7))
    assert SILog(1.0)(scaled).item() == pytest.approx(SILog(1.0)(seen).item(), rel=1e-4)
    assert SILog()(scaled).item() > 2 * SILog()(seen).item()


def test_berhu_is_steeper_far_out_than_l1() -> None:
    said = torch.tensor([[[[1.0, 0.1]]]], requires_grad=True)
    BerHu()(compare(said, torch.zeros(1, 1, 1, 2), mask=torch.ones(1, 1, 1, 2))).backward()
    assert said.grad is not None
    assert said.grad.flatten().tolist() == pytest.approx([1.0 / 0.2 / 2, 0.5])


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda: BerHu(0.0), "share = 0 is not between"),
        (lambda: SILog(1.5), r"forgiven = 1\.5 is not between"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(loss: Callable[[], Loss], message: str) -> None:
    with pytest.raises(InputError, match=message):
        loss()
