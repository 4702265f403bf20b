"""What a recipe says of itself."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources

import pytest

from leadline.core.errors import InputError
from leadline.training.recipe import DataRecipe, MoreData, OptimiserRecipe
from leadline.training.recipe_files import load_recipe, parse_recipe

TEXT = resources.files("leadline.data.recipes").joinpath("embedded-indoor.toml").read_text("utf-8")


def test_the_digest_sees_values_and_nothing_else() -> None:
    recipe = parse_recipe(TEXT)
    assert parse_recipe("# a remark\n" + TEXT).digest == recipe.digest
    assert replace(recipe, seed=recipe.seed + 1).digest != recipe.digest
    assert recipe.record["recipe_sha256"] == recipe.digest
    assert recipe.record["commercial"] == "unclear"


def test_an_option_that_is_left_at_its_default_leaves_the_digest_as_it_is() -> None:
    """So that an option that is added one day does not change the digest of recipes from before it."""
    recipe = parse_recipe(TEXT)
    spelt = TEXT.replace("validate_every = 5", "validate_every = 5\nfall = 1.0")
    assert parse_recipe(spelt).digest == recipe.digest
    later = replace(recipe, optimiser=replace(recipe.optimiser, fall=0.5))
    more = MoreData("synthetic", first=0, frames=3, frames_per_epoch=2, far_m=9.0)
    further = replace(recipe, data=replace(recipe.data, more=(more,)))
    other = replace(recipe, data=replace(recipe.data, more=(replace(more, far_m=8.0),)))
    assert len({r.digest for r in (recipe, later, further, other)}) == 4


def test_records_made_in_code_are_checked_too() -> None:
    with pytest.raises(InputError, match="held_out_blocks = -1 is not at least 0"):
        DataRecipe("nyu", held_out_blocks=-1, held_out_frames=1, dropped_frames=0)
    with pytest.raises(InputError, match="frames_per_epoch = 4 is not at most frames = 3"):
        MoreData("synthetic", first=0, frames=3, frames_per_epoch=4, far_m=9.0)
    good: OptimiserRecipe = load_recipe("embedded-indoor").optimiser
    with pytest.raises(InputError, match=r"ema_decay = 1\.5 is not between 0 and 1"):
        replace(good, ema_decay=1.5)
