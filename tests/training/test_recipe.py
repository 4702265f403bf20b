"""What a recipe says of itself."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources

import pytest

from leadline.core.errors import InputError
from leadline.training.recipe import DataRecipe, OptimiserRecipe
from leadline.training.recipe_files import load_recipe, parse_recipe

TEXT = resources.files("leadline.data.recipes").joinpath("embedded-indoor.toml").read_text("utf-8")


def test_the_digest_sees_values_and_nothing_else() -> None:
    recipe = parse_recipe(TEXT)
    assert parse_recipe("# a remark\n" + TEXT).digest == recipe.digest
    assert replace(recipe, seed=recipe.seed + 1).digest != recipe.digest
    assert recipe.record["recipe_sha256"] == recipe.digest
    assert recipe.record["commercial"] == "unclear"


def test_records_made_in_code_are_checked_too() -> None:
    with pytest.raises(InputError, match="held_out_blocks = 0 is not positive"):
        DataRecipe("nyu", held_out_blocks=0, held_out_frames=1, dropped_frames=0)
    good: OptimiserRecipe = load_recipe("embedded-indoor").optimiser
    with pytest.raises(InputError, match=r"ema_decay = 1\.5 is not between 0 and 1"):
        replace(good, ema_decay=1.5)
