"""What a recipe makes small, and what it refuses before a step is made."""

from __future__ import annotations

import math
from typing import cast

import pytest
import torch

from leadline.core.errors import KindError
from leadline.core.kind import Kind
from leadline.training.network import DepthNetwork, build_network
from leadline.training.objective import Objective
from leadline.training.recipe import LossRecipe, Recipe


def test_the_embedded_recipe_is_its_three_terms_on_logarithms(tiny_recipe: Recipe) -> None:
    network = cast(DepthNetwork, build_network(tiny_recipe))
    objective = Objective(tiny_recipe.loss, network=network)
    truth_m = torch.tensor([[1.0, 2.0], [4.0, 0.0]])[None, None]
    said = torch.zeros(1, 1, 2, 2, requires_grad=True)
    loss = objective(said, truth_m, rgb=torch.zeros(1, 3, 4, 4))
    e = [0.0, -math.log(2), -math.log(4)]
    mean, square = sum(e) / 3, sum(x * x for x in e) / 3
    silog, l1 = math.sqrt(square - 0.85 * mean**2), -mean
    gradient = abs(e[1] - e[0]) + abs(e[2] - e[0])
    assert loss.item() == pytest.approx(silog + l1 + 0.5 * gradient, abs=2e-3)
    loss.backward()
    assert said.grad is not None
    assert said.grad[0, 0, 1, 1] == 0


def test_a_loss_that_cannot_compare_what_the_network_says_is_refused(tiny_recipe: Recipe) -> None:
    network = build_network(tiny_recipe)
    network.output_kind = Kind.parse("disparity")  # type: ignore[assignment]
    with pytest.raises(KindError, match="loss 'silog' cannot compare inverse depth, scale unknown"):
        Objective(tiny_recipe.loss, network=cast(DepthNetwork, network))
    forgiving = (LossRecipe("silog", 1.0, {"forgiven": "1"}), LossRecipe("gradient", 0.5))
    Objective(forgiving, network=cast(DepthNetwork, network))


def test_metres_there_and_back(tiny_recipe: Recipe) -> None:
    network = cast(DepthNetwork, build_network(tiny_recipe))
    metres = torch.tensor([0.3, 2.0, 11.0])
    assert torch.allclose(network.metres(network.target(metres)), metres)
    assert torch.isfinite(network.target(torch.zeros(1))).all()


def test_terms_for_other_kinds_are_left_out(tiny_recipe: Recipe) -> None:
    network = cast(DepthNetwork, build_network(tiny_recipe))
    terms = (
        LossRecipe("l1", 2.0, only="metric-depth"),
        LossRecipe("scale-shift-invariant", 9.0, only="affine-invariant-inverse-depth"),
    )
    objective = Objective(terms, network=network)
    truth_m = torch.full((1, 1, 2, 2), math.e)
    assert objective(torch.zeros(1, 1, 2, 2), truth_m, rgb=torch.zeros(1, 3, 4, 4)).item() == pytest.approx(
        2.0
    )
    with pytest.raises(
        KindError, match=r"no loss of the recipe .* metres; add a term .* only = .metric-depth."
    ):
        Objective(terms[1:], network=network)
