"""Recipes: what ships is sound, and every way of being unsound is said."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from pathlib import Path

import pytest

from leadline.core.errors import InputError, UnknownName
from leadline.core.kind import Kind
from leadline.plugins.registry import DATASETS
from leadline.training.recipe import MoreData
from leadline.training.recipe_files import load_recipe, parse_recipe, recipe_names

TEXT = resources.files("leadline.data.recipes").joinpath("embedded-indoor.toml").read_text("utf-8")


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_that_ships_is_sound_and_names_a_dataset_of_ours(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.data.dataset in DATASETS.names() or recipe.network.pretrained
    assert Kind.parse(recipe.export.kind) == Kind()
    assert all(side % 32 == 0 for shape in recipe.views.shapes for side in shape[:2])


def test_a_file_of_ones_own_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TEXT.replace("batch = 16", "batch = 8"))
    assert load_recipe(str(path)).optimiser.batch == 8


def test_yaml_says_the_same_as_toml(tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml")
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(tomllib.loads(TEXT)))
    assert load_recipe(str(path)) == parse_recipe(TEXT)
    assert load_recipe(str(path), changes=["optimiser.batch=4"]).optimiser.batch == 4


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("mine.toml", b"name = \xff", r"mine\.toml' cannot be read as a recipe: .*; save it as text"),
        ("mine.yaml", b"name: \xff", r"mine\.yaml' cannot be read as a recipe: .*; save it as text"),
        ("mine.toml", b"seed = ", "mine.toml' is not TOML"),
        ("mine.yaml", b"a: [", "mine.yaml' is not YAML: while parsing a flow node expected"),
        ("mine.yaml", b"- a", "no mapping of options"),
        ("mine.yaml", b"on: 3\nname: x", "recipe has no option 'True'"),  # YAML reads "on" as a truth value
    ],
)
def test_a_file_that_is_no_recipe_is_told(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    if name.endswith(".yaml"):
        pytest.importorskip("yaml")
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        load_recipe(str(path))


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TEXT)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(InputError, match=r"mine\.toml' cannot be read as a recipe: .*Permission denied"):
        load_recipe(str(path))


def test_whole_numbers_stand_for_real_ones() -> None:
    assert parse_recipe(TEXT.replace("clip_norm = 5.0", "clip_norm = 5")).optimiser.clip_norm == 5.0


def test_an_unknown_name_gets_near_matches(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="did you mean 'embedded-indoor'"):
        load_recipe("embeded-indoor")
    with pytest.raises(UnknownName):
        load_recipe(str(tmp_path / "absent.toml"))


MORE = """
[[data.more]]
dataset = "synthetic"
first = 2
frames = 8
frames_per_epoch = 4
far_m = 10
options = { seed = 3 }
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seed = 20261121", "seed = ", "is not TOML"),
        ("seed = 20261121", "seed = true", "recipe.seed = True is not of type int"),
        ("batch = 16", "batch = 16.5", "recipe.optimiser.batch = 16.5 is not of type int"),
        ("batch = 16", "batch = 0", "batch = 0 is not positive"),
        ("batch = 16\n", "", "recipe.optimiser lacks 'batch'"),
        ("batch = 16", "batch = 16\nbtach = 3", "has no option 'btach'"),
        ("flip_chance = 0.5", "flip_chance = 1.5", "flip_chance = 1.5 is not between 0 and 1"),
        ("noise_max = 8.0", "noise_max = -1", "noise_max = -1.0 is not at least 0"),
        ("shapes = [[192, 256, 6]", "shapes = [[192, 256]", "rows, columns, frequency"),
        ("[160, 320, 1]]", "[160, 320, 0]]", "all positive"),
        ("widths = [128, 96, 64, 32, 24]", "widths = [0]", "widths"),
        (
            "drop_path = 0.1",
            'drop_path = 0.1\ntrains = "tail"',
            "trains = 'tail' is not one of all, head, low-rank",
        ),
        ("drop_path = 0.1", "drop_path = 0.1\nrank = 0", "rank = 0 is not positive"),
        ("batch = 16", 'batch = 16\nschedule = "cosin"', "'cosin' is not one of cosine, linear"),
        ("batch = 16", 'batch = 16\nprecision = "half"', "'half' is not one of float32, bfloat16"),
        ("batch = 16", "batch = 16\naccumulate = 0", "accumulate = 0 is not positive"),
        ("batch = 16", "batch = 16\npatience = -1", "patience = -1 is not at least 0"),
        ("batch = 16", "batch = 16\nexplosion = 1.0", "explosion = 1.0 is not above 1"),
        ('version = "1"', 'version = "1"\nform = "onx"', "'onx' is not one of onnx, transformers"),
        (
            'version = "1"',
            'version = "1"\ncheckpoint = "bets"',
            "checkpoint = 'bets' is not 'last' or 'best'",
        ),
        ("[export]", "[evaluate]\nfar_m = 0\n[export]", "far_m = 0.0 is not positive"),
        ("[export]", "[evaluate]\nprotocl = 1\n[export]", "did you mean 'protocol'"),
        ("[[192, 256, 6], [224, 224, 2], [256, 192, 1], [160, 320, 1]]", "[]", "rows, columns, frequency"),
        ('name = "silog"\nweight = 1.0', 'name = "silog"\nweight = 1.0\nonly = "metres"', "metres"),
        ("widths = [128, 96, 64, 32, 24]", 'widths = "wide"', "is not of type"),
        ('builder = "leadline.models.leadline_indoor.net:build"', 'builder = "net"', "MODULE:FUNCTION"),
        ('commercial = "unclear"', 'commercial = "maybe"', "'maybe' is not"),
        ('kind = "metric-depth"', 'kind = "depthy"', "is not a kind of depth"),
        ("[views]", "[views_]", "has no option 'views_'; did you mean 'views'"),
        (
            "[[192, 256, 6], [224, 224, 2], [256, 192, 1], [160, 320, 1]]",
            "[192, 256, 6]",
            "recipe.views.shapes[0] = 192 is not of type list",
        ),
        ("[[192, 256, 6]", '[[192, "256", 6]', "recipe.views.shapes[0][1] = '256' is not of type int"),
        (
            "widths = [128, 96, 64, 32, 24]",
            "widths = [0.5]",
            "recipe.network.widths[0] = 0.5 is not of type int",
        ),
        ('options = { window = "eigen" }', "options = [3]", "recipe.data.options = [3] is not of type table"),
        (
            "validate_every = 5",
            'validate_every = 5\nmethod = "adagrad"',
            "method = 'adagrad' is not one of adamw",
        ),
        ("weight = 0.5", "weight = 0", "weight = 0.0 is not positive"),
        (
            "[views]",
            MORE.replace("first", "frist") + "\n[views]",
            "recipe.data.more[0] has no option 'frist'; did you mean 'first'",
        ),
    ],
)
def test_what_is_wrong_is_said(old: str, new: str, message: str) -> None:
    assert old in TEXT
    with pytest.raises(InputError, match=re.escape(message)):
        parse_recipe(TEXT.replace(old, new, 1))


def test_further_datasets_are_a_list_of_tables() -> None:
    recipe = parse_recipe(TEXT.replace("[views]", MORE + "\n[views]"))
    assert recipe.data.more == (MoreData("synthetic", 2, 8, 4, 10.0, {"seed": "3"}),)
