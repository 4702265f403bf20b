"""Losses against written-out numbers, and what they must not see."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from leadline.training.losses import depth_loss, gradient_loss, l1_log, silog
from leadline.training.recipe_files import load_recipe

LOSS = load_recipe("embedded-indoor").loss


def plane(*rows: list[float]) -> torch.Tensor:
    return torch.tensor(rows)[None, None]


def test_silog_is_its_formula_image_by_image() -> None:
    error = torch.cat([plane([0.1, 0.3], [0.5, 9.0]), plane([0.2, 0.2], [0.2, 0.2])])
    mask = torch.cat([plane([1.0, 1.0], [1.0, 0.0]), torch.ones(1, 1, 2, 2)])
    first = math.sqrt((0.01 + 0.09 + 0.25) / 3 - 0.85 * 0.3**2)
    second = math.sqrt(0.04 - 0.85 * 0.04)
    assert silog(error, mask=mask, forgiven=0.85).item() == pytest.approx((first + second) / 2, abs=1e-4)


def test_silog_that_forgives_everything_does_not_see_scale() -> None:
    error = torch.randn(2, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(error)
    shifted = silog(error + 0.7, mask=mask, forgiven=1.0)
    assert shifted.item() == pytest.approx(silog(error, mask=mask, forgiven=1.0).item(), abs=1e-5)


def test_l1_is_the_mean_over_known_pixels() -> None:
    assert l1_log(plane([0.5, -1.0, 7.0]), mask=plane([1.0, 1.0, 0.0])).item() == pytest.approx(0.75)


def test_gradient_is_the_mean_step_and_does_not_see_a_constant() -> None:
    error = plane([0.0, 1.0], [0.0, 3.0])
    mask = torch.ones_like(error)
    across, down = (1 + 3) / 2, (0 + 2) / 2
    assert gradient_loss(error, mask=mask, scales=1).item() == pytest.approx(across + down)
    assert gradient_loss(error + 5, mask=mask, scales=1).item() == pytest.approx(across + down)


def test_gradient_does_not_cross_unknown_pixels() -> None:
    error = plane([0.0, 50.0, 0.0])
    assert gradient_loss(error, mask=plane([1.0, 0.0, 1.0]), scales=1).item() == 0.0


def test_coarser_scales_see_coarser_steps() -> None:
    error = plane(*[[0.0, 0.0, 1.0, 1.0]] * 4)
    mask = torch.ones_like(error)
    fine, both = (gradient_loss(error, mask=mask, scales=n).item() for n in (1, 2))
    assert fine == pytest.approx(1 / 3)
    assert both - fine == pytest.approx(1.0)


def test_the_truth_costs_nothing_and_unknown_pixels_have_no_gradient() -> None:
    truth = torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(1)) * 5 + 0.5
    truth[0, 0, 3, 4] = 0.0
    said = torch.log(truth.clamp(min=0.1)).requires_grad_()
    assert depth_loss(said, truth, recipe=LOSS).item() == pytest.approx(1e-3 * LOSS.silog_weight, rel=1e-3)
    wrong = (
        said.detach() + torch.randn(2, 1, 16, 16, generator=torch.Generator().manual_seed(2))
    ).requires_grad_()
    depth_loss(wrong, truth, recipe=LOSS).backward()
    assert wrong.grad is not None
    assert wrong.grad[0, 0, 3, 4] == 0
    assert (wrong.grad != 0).float().mean() > 0.9


def test_a_batch_without_known_depth_costs_nothing_and_moves_nothing() -> None:
    said = torch.zeros(1, 1, 16, 16, requires_grad=True)
    loss = depth_loss(said, torch.zeros(1, 1, 16, 16), recipe=LOSS)
    loss.backward()
    assert loss.item() == pytest.approx(1e-3, rel=1e-3)
    assert said.grad is not None
    assert not said.grad.any()


def test_terms_are_weighted() -> None:
    said, truth = torch.zeros(1, 1, 8, 8), torch.full((1, 1, 8, 8), math.e)
    only_l1 = replace(LOSS, silog_weight=0.0, gradient_weight=0.0, l1_weight=3.0)
    assert depth_loss(said, truth, recipe=only_l1).item() == pytest.approx(3.0)
