"""Batches: made from seed, epoch and number alone."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
import pytest
import torch

from leadline.core.sample import Sample
from leadline.training.batches import FrameBatches, FrameData, pixels_of, steps_per_epoch
from leadline.training.network import DepthNetwork, build_network
from leadline.training.recipe import MoreData, Recipe
from leadline.training.views import pack


def batches(recipe: Recipe, samples: list[Sample], *, epoch: int) -> FrameBatches:
    network = cast(DepthNetwork, build_network(recipe))
    return FrameBatches([pack(s) for s in samples], recipe=recipe, network=network, epoch=epoch)


def test_a_batch_is_the_same_whenever_it_is_asked_for(
    tiny_recipe: Recipe, tiny_samples: list[Sample]
) -> None:
    first, again, later = (batches(tiny_recipe, tiny_samples, epoch=e) for e in (1, 1, 2))
    assert len(first) == 3
    for index in (2, 0):
        assert torch.equal(first[index][0], again[index][0])
        assert torch.equal(first[index][1], again[index][1])
    assert any(
        first[i][0].shape != later[i][0].shape or not torch.equal(first[i][0], later[i][0]) for i in range(3)
    )


def test_one_pass_takes_every_frame_once(tiny_recipe: Recipe, tiny_samples: list[Sample]) -> None:
    order = batches(tiny_recipe, tiny_samples, epoch=5).order
    assert sorted(order.tolist()) == list(range(6))


def test_further_datasets_add_a_few_frames_to_each_pass(
    tiny_recipe: Recipe, tiny_samples: list[Sample]
) -> None:
    """Fifty metres mark the frames of the other dataset, of which two of four are drawn for each epoch."""
    more = MoreData("other", first=0, frames=4, frames_per_epoch=2, far_m=99.0)
    recipe = replace(tiny_recipe, data=replace(tiny_recipe.data, more=(more,)))
    network = cast(DepthNetwork, build_network(recipe))
    frames = [pack(s) for s in tiny_samples]
    others = [replace(f, depth_mm=np.full_like(f.depth_mm, 50_000 + k)) for k, f in enumerate(frames[:4])]
    drawn = set()
    for epoch in range(6):
        made = FrameBatches(frames, recipe=recipe, network=network, epoch=epoch, more=[others])
        assert len(made) == steps_per_epoch(6, recipe=recipe) == 4
        depths = torch.cat([made[k][1].flatten(1).median(1).values for k in range(4)])
        assert int((depths > 15).sum()) == 2
        assert sorted(made.order.tolist()) == list(range(8))
        drawn.add(tuple(sorted(int(f.depth_mm[0, 0]) for f in made.drawn)))
    assert len(drawn) > 1


def test_pixels_and_depth_fit_together(tiny_recipe: Recipe, tiny_samples: list[Sample]) -> None:
    rgb, depth_m = batches(tiny_recipe, tiny_samples, epoch=0)[0]
    assert rgb.dtype == torch.uint8
    assert depth_m.shape == (2, 1, rgb.shape[2] // 2, rgb.shape[3] // 2)
    pixels, same = pixels_of((rgb, depth_m))
    assert pixels.dtype == torch.float32
    assert torch.equal(pixels, rgb.float())
    assert same is depth_m


def test_a_batch_says_what_it_is_made_of(tiny_recipe: Recipe, tiny_samples: list[Sample]) -> None:
    made = batches(tiny_recipe, tiny_samples, epoch=4)
    assert [sample for k in range(3) for sample in made.ids(k)] == [str(k) for k in made.order]


def test_there_is_no_batch_beyond_the_last(tiny_recipe: Recipe, tiny_samples: list[Sample]) -> None:
    with pytest.raises(IndexError):
        batches(tiny_recipe, tiny_samples, epoch=0)[3]


def test_few_frames_still_make_a_step(tiny_recipe: Recipe) -> None:
    assert steps_per_epoch(1, recipe=tiny_recipe) == 1
    assert steps_per_epoch(5, recipe=tiny_recipe) == 2


def test_settling_uses_as_many_batches_as_the_recipe_says(
    tiny_recipe: Recipe, tiny_samples: list[Sample]
) -> None:
    network = cast(DepthNetwork, build_network(tiny_recipe))
    data = FrameData([pack(s) for s in tiny_samples], [], recipe=tiny_recipe, network=network)
    one, two = list(data.settling()), list(data.settling())
    assert len(one) == 2
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert len(data.val_dataloader()) == 0
