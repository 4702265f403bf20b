"""Structural similarity against scikit-image's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from leadline.core.errors import InputError
from leadline.training.losses.comparison import Comparison, compare
from leadline.training.losses.structure import SSIM


@pytest.mark.parametrize("loss", [SSIM(), SSIM(span=256.0, window=15, sigma=2.0), SSIM(1.0, 7, 0.8)])
def test_it_is_that_of_scikit_image_where_the_window_lies_inside(batch: Comparison, loss: SSIM) -> None:
    edge = loss.window // 2  # scikit-image's window follows from sigma: 3.5 of it to each side
    alike = [
        structural_similarity(
            said[0].double().numpy(),
            truth[0].double().numpy(),
            full=True,
            gaussian_weights=True,
            sigma=loss.sigma,
            use_sample_covariance=False,
            data_range=loss.span,
            K1=loss.k1,
            K2=loss.k2,
        )[1][edge:-edge, edge:-edge].mean()
        for said, truth in zip(batch.said, batch.truth, strict=True)
    ]
    paid = loss(compare(batch.said, batch.truth, mask=torch.ones_like(batch.mask)))
    assert paid.item() == pytest.approx(1 - np.mean(alike), abs=2e-6)


def test_a_narrower_window_is_its_formula_window_by_window(batch: Comparison) -> None:
    """The Keras tutorial's window and constants; the formula is written out, in double precision."""
    loss = SSIM(span=6.0, window=7, sigma=1.5, k1=1e-4, k2=9e-4)
    bell = np.exp(-((np.arange(7) - 3.0) ** 2) / (2 * 1.5**2))
    weights = np.outer(bell, bell) / bell.sum() ** 2
    c1, c2 = (1e-4 * 6) ** 2, (9e-4 * 6) ** 2
    x, y = (
        np.lib.stride_tricks.sliding_window_view(plane[:, 0].double().numpy(), (7, 7), axis=(1, 2))
        for plane in (batch.said, batch.truth)
    )
    mx, my = ((weights * v).sum((-1, -2))[..., None, None] for v in (x, y))
    vx, vy, cov = ((weights * v).sum((-1, -2)) for v in ((x - mx) ** 2, (y - my) ** 2, (x - mx) * (y - my)))
    mx, my = mx[..., 0, 0], my[..., 0, 0]
    alike = (2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    paid = loss(compare(batch.said, batch.truth, mask=torch.ones_like(batch.mask)))
    assert paid.item() == pytest.approx(1 - alike.mean(), abs=2e-6)


def test_only_windows_that_are_known_throughout_count() -> None:
    rng = torch.Generator().manual_seed(0)
    said, truth = torch.rand((1, 1, 9, 30), generator=rng), torch.rand((1, 1, 9, 30), generator=rng)
    mask = torch.ones(1, 1, 9, 30)
    mask[..., 20:] = 0
    seen = SSIM(1.0, 5)(compare(said, truth, mask=mask))
    cut = SSIM(1.0, 5)(compare(said[..., :20], truth[..., :20], mask=mask[..., :20]))
    assert seen.item() == pytest.approx(cut.item(), abs=1e-6)


def test_a_picture_smaller_than_the_window_costs_nothing() -> None:
    said = torch.rand((1, 1, 4, 40), requires_grad=True)
    loss = SSIM()(compare(said, torch.rand(1, 1, 4, 40), mask=torch.ones(1, 1, 4, 40)))
    loss.backward()
    assert loss.item() == 0


@pytest.mark.parametrize(("options", "message"), [({"window": 4}, "window = 4"), ({"span": 0.0}, "span = 0")])
def test_numbers_that_make_no_sense_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SSIM(**options)  # type: ignore[arg-type]
