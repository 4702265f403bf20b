"""Options set from outside the file."""

from __future__ import annotations

import re

import pytest

from leadline.core.errors import InputError
from leadline.training.recipe_changes import change
from leadline.training.recipe_files import load_recipe


def test_values_are_read_as_toml_and_words_as_text() -> None:
    changes = [
        "optimiser.batch=8",
        "optimiser.clip_norm=2",
        "data.dataset=synthetic",
        "views.shapes=[[64, 96, 1]]",
    ]
    recipe = load_recipe(
        "embedded-indoor", changes=[*changes, "loss.0.options.forgiven=0.5", "data.options={}"]
    )
    assert (recipe.optimiser.batch, recipe.optimiser.clip_norm) == (8, 2.0)
    assert recipe.data.dataset == "synthetic"
    assert recipe.views.shapes == ((64, 96, 1),)
    assert recipe.loss[0].options == {"forgiven": "0.5"}
    assert recipe.data.options == {}
    assert recipe.digest != load_recipe("embedded-indoor").digest


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("batch", "is not TABLE.OPTION=VALUE"),
        (".batch=3", "is not TABLE.OPTION=VALUE"),
        ("loss.9.weight=3", "'9' is not the number of one of 3 tables"),
        ("loss.first=3", "'first' is not the number"),
        ("optimiser.batch.size=3", "'optimiser.batch' is not a table"),
        ("seed.a.b=3", "nothing within a value"),
        ("optimiser.btach=3", "has no option 'btach'; did you mean 'batch'"),
        ("otpimiser.batch=3", "has no option 'otpimiser'; did you mean 'optimiser'"),
        ("optimiser.batch=many", "'many' is not of type int"),
        ("network=3", "recipe.network = 3 is not a table"),
        ("loss=[]", "loss = () is not one or more terms"),
    ],
)
def test_what_is_wrong_is_said(text: str, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        load_recipe("embedded-indoor", changes=[text])


def test_a_number_of_a_list_can_be_set() -> None:
    tree = {"network": {"widths": [1, 2]}}
    change(tree, ["network.widths.1=5"])
    assert tree == {"network": {"widths": [1, 5]}}
