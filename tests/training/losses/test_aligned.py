"""The scale-and-shift-invariant loss against NumPy's least squares and a sort by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from leadline.core.errors import InputError
from leadline.training.losses.aligned import ScaleShiftInvariant, fit_scale_shift, normalised
from leadline.training.losses.comparison import Comparison, Loss, compare
from leadline.training.losses.edges import gradient_of


def test_the_fit_is_least_squares(batch: Comparison) -> None:
    scale, shift = fit_scale_shift(batch.said, batch.truth, mask=batch.mask.float())
    for k in range(2):
        s, t = (plane[k][batch.mask[k]].double().numpy() for plane in (batch.said, batch.truth))
        wanted = np.linalg.lstsq(np.stack([s, np.ones_like(s)], 1), t, rcond=None)[0]
        assert [scale[k].item(), shift[k].item()] == pytest.approx(wanted.tolist(), rel=1e-4)


def test_robust_is_median_deviation_and_a_trimmed_mean(batch: Comparison) -> None:
    wanted = []
    for k in range(2):
        s, t = (plane[k][batch.mask[k]].double().numpy() for plane in (batch.said, batch.truth))
        ordered = [np.sort(x)[(len(x) - 1) // 2] for x in (s, t)]  # torch's median is the lower of two
        s, t = ((x - m) / np.abs(x - m).mean() for x, m in zip((s, t), ordered, strict=True))
        residual = np.sort(np.abs(s - t))
        wanted.append(residual[: int(0.8 * len(residual))].sum() / (2 * len(residual)))
    seen = ScaleShiftInvariant(gradient=0.0)(compare(batch.said, batch.truth, mask=batch.mask))
    assert seen.item() == pytest.approx(np.mean(wanted), rel=1e-4)


@pytest.mark.parametrize("how", ["least-squares", "robust"])
def test_neither_factor_nor_shift_is_seen(batch: Comparison, how: str) -> None:
    loss = ScaleShiftInvariant(how=how)
    plain = loss(compare(batch.said, batch.truth, mask=batch.mask)).item()
    moved = loss(compare(3 * batch.said - 7, batch.truth, mask=batch.mask)).item()
    assert moved == pytest.approx(plain, rel=1e-4)
    assert plain > 0.01
    exact = loss(compare(3 * batch.truth - 7, batch.truth, mask=batch.mask)).item()
    assert exact == pytest.approx(0, abs=1e-5)


def test_gradients_of_the_residual_are_added(batch: Comparison) -> None:
    mask = batch.mask.float()
    seen = compare(batch.said, batch.truth, mask=batch.mask)
    without, both = (ScaleShiftInvariant(gradient=g)(seen).item() for g in (0.0, 0.5))
    residual = (normalised(batch.said, mask) - normalised(batch.truth, mask)) * mask
    assert both - without == pytest.approx(0.5 * gradient_of(residual, mask=mask, scales=4).item(), rel=1e-4)


@pytest.mark.parametrize("how", ["least-squares", "robust"])
def test_a_flat_prediction_has_a_loss_and_a_finite_gradient(batch: Comparison, how: str) -> None:
    said = torch.full_like(batch.said, 2.0, requires_grad=True)
    loss = ScaleShiftInvariant(how=how)(compare(said, batch.truth, mask=batch.mask))
    loss.backward()
    assert loss.item() > 0
    assert said.grad is not None
    assert torch.isfinite(said.grad).all()


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda: ScaleShiftInvariant(how="best"), "how = 'best' is not one of"),
        (lambda: ScaleShiftInvariant(trimmed=1.0), "trimmed = 1 is not"),
        (lambda: ScaleShiftInvariant(scales=0), "scales = 0 is not"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(loss: Callable[[], Loss], message: str) -> None:
    with pytest.raises(InputError, match=message):
        loss()
