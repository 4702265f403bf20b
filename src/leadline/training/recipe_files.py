"""Recipes as TOML files: those that ship, and the user's own, which may be YAML too."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from leadline.core.errors import InputError, UnknownName
from leadline.plugins.need import need
from leadline.training.recipe import Recipe
from leadline.training.recipe_changes import change

__all__ = ["load_recipe", "parse_recipe", "recipe_names"]

T = TypeVar("T")

_WORDS: dict[Any, str] = {tuple: "list", dict: "table"}
"""What TOML calls them."""


def recipe_names() -> tuple[str, ...]:
    """Names of the recipes that ship.

    Example:
        >>> "embedded-indoor" in recipe_names()
        True
    """
    folder = resources.files("leadline.data.recipes")
    return tuple(sorted(p.name[: -len(".toml")] for p in folder.iterdir() if p.name.endswith(".toml")))


def load_recipe(name: str, *, changes: Sequence[str] = ()) -> Recipe:
    """Reads a recipe that ships, or one of the user's own.

    Args:
        name: A name from ``recipe_names()``, or the path of a TOML or YAML file.
        changes: What is set otherwise than in the file, ``TABLE.OPTION=VALUE`` each.

    Returns:
        The recipe, checked.

    Raises:
        UnknownName: No recipe has that name and no file is there.
        InputError: The file is not a recipe.
        MissingExtra: It is YAML, and PyYAML is not installed.

    Example:
        >>> load_recipe("embedded-indoor").optimiser.batch
        16
    """
    if name in recipe_names():
        text = resources.files("leadline.data.recipes").joinpath(f"{name}.toml").read_text("utf-8")
        return parse_recipe(text, changes=changes)
    path = Path(name)
    if path.suffix == ".toml" and path.is_file():
        return parse_recipe(_text(path), changes=changes, called=repr(str(path)))
    if path.suffix in (".yaml", ".yml") and path.is_file():
        return _checked(_yaml_tree(_text(path), called=repr(str(path))), changes)
    raise UnknownName("recipe", name, known=recipe_names())


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{str(path)!r} cannot be read as a recipe: {error}", hint="save it as text in UTF-8"
        ) from error


def parse_recipe(text: str, *, changes: Sequence[str] = (), called: str = "the recipe") -> Recipe:
    """Reads a recipe from TOML.

    Args:
        text: The TOML text.
        changes: What is set otherwise than in the text, ``TABLE.OPTION=VALUE`` each.
        called: What messages call it.

    Returns:
        The recipe, checked.

    Raises:
        InputError: It is not TOML, or an option is missing, unknown, of the wrong type or out of range.
    """
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{called} is not TOML: {error}", hint="correct that line") from error
    return _checked(tree, changes)


def _checked(tree: dict[str, Any], changes: Sequence[str]) -> Recipe:
    change(tree, changes)
    return _record(Recipe, tree, "recipe")


def _yaml_tree(text: str, *, called: str) -> dict[str, Any]:
    yaml = need("yaml", who="a recipe in YAML", extra="train")
    try:
        tree = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(
            f"{called} is not YAML: {' '.join(str(error).split())}", hint="correct that line"
        ) from error
    if not isinstance(tree, dict):
        raise InputError(f"{called} is no mapping of options", hint="see the recipes that ship")
    return tree


def _record(cls: type[T], tree: Any, where: str) -> T:
    if not isinstance(tree, dict):
        raise InputError(f"{where} = {tree!r} is not a table", hint=f"write it as [{where}]")
    hints = get_type_hints(cls)
    names = {field.name for field in fields(cls)}  # type: ignore[arg-type]
    for name in sorted(map(str, set(tree) - names)):  # YAML has names that are no text
        near = get_close_matches(name, sorted(names), n=1, cutoff=0.6)
        hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(sorted(names))}"
        raise InputError(f"{where} has no option {name!r}", hint=hint)
    needed = {f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING}  # type: ignore[arg-type]
    for name in sorted(needed - set(tree)):
        raise InputError(f"{where} lacks {name!r}", hint="a recipe leaves nothing open")
    return cls(**{name: _value(hints[name], value, f"{where}.{name}") for name, value in tree.items()})


def _value(hint: Any, value: Any, where: str) -> Any:
    if is_dataclass(hint):
        return _record(hint, value, where)  # type: ignore[arg-type]
    if get_origin(hint) is dict and isinstance(value, dict):
        return {key: str(option) for key, option in value.items()}
    if hint is float and type(value) in (int, float):
        return float(value)
    if isinstance(value, list) and get_origin(hint) is tuple:
        return tuple(_value(get_args(hint)[0], item, f"{where}[{k}]") for k, item in enumerate(value))
    if not isinstance(hint, type) or type(value) is not hint:
        raise InputError(
            f"{where} = {value!r} is not of type {_WORDS.get(get_origin(hint), getattr(hint, '__name__', hint))}",
            hint="see the recipes that ship",
        )
    return value
