"""Changes to a recipe from outside its file: ``--set optimiser.batch=8``."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any

from leadline.core.errors import InputError

__all__ = ["change"]


def change(tree: dict[str, Any], changes: Sequence[str]) -> None:
    """Changes a recipe's tree in place.

    Args:
        tree: The recipe as TOML gives it.
        changes: ``TABLE.OPTION=VALUE`` each, the value as TOML writes it; a word that TOML does not know is text.
            Tables of a list go by their number: ``loss.0.weight=2``.

    Raises:
        InputError: A change is not of that form, or there is no such table.

    Example:
        >>> tree = {"optimiser": {"batch": 16}, "loss": [{"name": "l1"}]}
        >>> change(tree, ["optimiser.batch=8", "loss.0.name=berhu"])
        >>> tree
        {'optimiser': {'batch': 8}, 'loss': [{'name': 'berhu'}]}
    """
    for text in changes:
        path, equals, value = text.partition("=")
        names = path.strip().split(".")
        if not equals or not all(names):
            raise InputError(f"{text!r} is not TABLE.OPTION=VALUE", hint="such as optimiser.batch=8")
        place: Any = tree
        for name in names[:-1]:
            place = _within(place, name, text)
        if isinstance(place, list):
            place[_number(place, names[-1], text)] = _value(value)
        elif isinstance(place, dict):
            place[names[-1]] = _value(value)
        else:
            raise InputError(f"{text!r}: {'.'.join(names[:-1])!r} is not a table", hint="see the recipe")


def _within(place: Any, name: str, text: str) -> Any:
    if isinstance(place, list):
        return place[_number(place, name, text)]
    if not isinstance(place, dict):
        raise InputError(f"{text!r}: there is nothing within a value", hint="see the recipe")
    return place.setdefault(name, {})


def _number(place: list[Any], name: str, text: str) -> int:
    if not name.isdigit() or int(name) >= len(place):
        raise InputError(
            f"{text!r}: {name!r} is not the number of one of {len(place)} tables", hint="they count from 0"
        )
    return int(name)


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()
