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


@pytest.mark.parametrize("never", ["data.held_out_blocks=0", "optimiser.validate_every=81"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("export.checkpoint=best", "checkpoint = 'best' is not 'last', where nothing is ever validated"),
        ("optimiser.patience=2", "patience = 2 is not 0, where nothing is ever validated"),
    ],
)
def test_what_looks_at_validations_is_refused_where_there_are_none(
    never: str, change: str, message: str
) -> None:
    load_recipe("embedded-indoor", changes=[change, "optimiser.validate_every=80"])
    load_recipe("embedded-indoor", changes=[never])
    with pytest.raises(InputError, match=message):
        load_recipe("embedded-indoor", changes=[change, never])


@pytest.mark.parametrize("rule", ["held_out_blocks=1", "held_out_scenes=1", "held_out_share=0.1"])
def test_every_rule_that_holds_frames_out_gives_something_to_validate_on(rule: str) -> None:
    changes = ["data.held_out_blocks=0", f"data.{rule}", "export.checkpoint=best"]
    assert load_recipe("embedded-indoor", changes=changes).data.holds_out


def test_records_made_in_code_are_checked_too() -> None:
    with pytest.raises(InputError, match="held_out_blocks = -1 is not at least 0"):
        DataRecipe("nyu", held_out_blocks=-1, held_out_frames=1, dropped_frames=0)
    with pytest.raises(InputError, match="frames_per_epoch = 4 is not at most frames = 3"):
        MoreData("synthetic", first=0, frames=3, frames_per_epoch=4, far_m=9.0)
    good: OptimiserRecipe = load_recipe("embedded-indoor").optimiser
    with pytest.raises(InputError, match=r"ema_decay = 1\.5 is not between 0 and 1"):
        replace(good, ema_decay=1.5)
