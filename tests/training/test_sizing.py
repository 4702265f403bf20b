"""What training takes, counted by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from leadline.core.errors import InputError
from leadline.training.network import build_network
from leadline.training.recipe import Recipe
from leadline.training.recipe_files import load_recipe
from leadline.training.sizing import measure_size


class TwoSteps(nn.Module):
    output_stride = 1

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 4, 1, bias=False), nn.Conv2d(4, 1, 1, bias=False)

    def forward(self, rgb: torch.Tensor) -> torch.Tensor:
        return self.two(torch.sigmoid(self.one(rgb)))  # type: ignore[no-any-return]


def recipe_of(
    tiny_recipe: Recipe, *, shapes: tuple[tuple[int, int, int], ...], **optimiser: object
) -> Recipe:
    return replace(
        tiny_recipe,
        views=replace(tiny_recipe.views, shapes=shapes),
        optimiser=replace(tiny_recipe.optimiser, **optimiser),  # type: ignore[arg-type]
    )


def test_memory_is_what_is_kept_for_the_way_back(tiny_recipe: Recipe) -> None:
    network = TwoSteps()
    recipe = recipe_of(tiny_recipe, shapes=((10, 20, 1), (4, 4, 9)), batch=6)
    size = measure_size(network, recipe=recipe, processes=2)
    assert size.parameters == size.trained == 16
    assert size.state_bytes == 16 * 4 * 5  # weights, average, gradient, two moments
    assert size.checkpoint_bytes == 16 * 4 * 4  # no gradient
    # Three channels of the photo and four of what the sigmoid gives, of three views.
    assert size.step_bytes == 3 * (3 + 4) * 10 * 20 * 4
    network.one.requires_grad_(False)
    half = measure_size(network, recipe=recipe_of(tiny_recipe, shapes=((10, 20, 1),), method="sgd"))
    assert (half.trained, half.state_bytes) == (4, 4 * (2 * 16 + 4))
    assert half.checkpoint_bytes == 4 * 2 * 16


def test_nothing_of_the_network_changes(tiny_recipe: Recipe) -> None:
    network = build_network(tiny_recipe).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    measure_size(network, recipe=tiny_recipe)
    assert network.training
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_shapes_that_a_network_cannot_take_are_refused(tiny_recipe: Recipe) -> None:
    unet = load_recipe("unet-nyu", changes=["network.widths=[4, 6, 8]", "views.shapes=[[32, 30, 1]]"])
    with pytest.raises(InputError, match=r"the network cannot take 30x32 pixels: .* multiples of 4"):
        measure_size(build_network(unet), recipe=unet)
    network = TwoSteps()
    network.output_stride = 2
    with pytest.raises(InputError, match=r"of 20x10 pixels the network makes \(20, 10\), not \(10, 5\)"):
        measure_size(network, recipe=recipe_of(tiny_recipe, shapes=((10, 20, 1),)))
