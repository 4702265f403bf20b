"""Published rows as TOML files, one a source: those that ship."""

from __future__ import annotations

import tomllib
from dataclasses import MISSING, Field, fields
from functools import cache
from importlib import resources
from typing import Any

from leadline.core.errors import InputError, UnknownName
from leadline.flows.reproduce.cells import Published, Source

__all__ = ["find_published", "hint_of", "list_published", "parse_published"]

_ROOM = "leadline.data.cells"
_HINTS = "hints.toml"


def list_published(*, search: str = "") -> tuple[Published, ...]:
    """The published rows that are known.

    Args:
        search: Only rows whose name, model, dataset, protocol or source has these letters in it.

    Returns:
        Rows, source after source.

    Example:
        >>> [row.name for row in list_published(search="fiftyone")]
        ['fiftyone-dpt', 'fiftyone-marigold']
    """
    wanted = search.lower()
    return tuple(row for row in _shipped() if wanted in _letters(row))


def find_published(name: str) -> Published:
    """One published row.

    Args:
        name: Its name.

    Returns:
        The row.

    Raises:
        UnknownName: None is called so.
    """
    known = {row.name: row for row in _shipped()}
    if name not in known:
        raise UnknownName("published row", name, known=known)
    return known[name]


def hint_of(name: str) -> str:
    """Why a measured figure may be another than the published one.

    Args:
        name: Name of the hint.

    Returns:
        One or two sentences.

    Raises:
        UnknownName: No hint is called so.
    """
    known = _hints()
    if name not in known:
        raise UnknownName("hint", name, known=known)
    return known[name]


def parse_published(text: str, *, where: str) -> tuple[Published, ...]:
    """The rows of one source's file.

    Args:
        text: TOML: title, authors and url of the source, and a ``[[row]]`` for each row.
        where: What the file is called, for messages.

    Returns:
        The rows.

    Raises:
        InputError: It is not TOML, or something is missing or of another type.
        UnknownName: A key, metric, hint or surety is unknown.
    """
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where} is not TOML: {error}", hint="correct that line") from error
    rows = tree.pop("row", [])
    source = _record(Source, tree, where)
    if not isinstance(rows, list) or not rows:
        raise InputError(f"{where} has no row", hint="write [[row]]")
    return tuple(_row(row, source, where) for row in rows)


@cache
def _shipped() -> tuple[Published, ...]:
    files = sorted(resources.files(_ROOM).iterdir(), key=lambda file: file.name)
    rows: dict[str, Published] = {}
    for file in files:
        if not file.name.endswith(".toml") or file.name == _HINTS:
            continue
        for row in parse_published(file.read_text("utf-8"), where=file.name):
            if row.name in rows:
                raise InputError(f"{file.name}: {row.name!r} is taken", hint="choose another name")
            rows[row.name] = row
    return tuple(rows.values())


@cache
def _hints() -> dict[str, str]:
    text = resources.files(_ROOM).joinpath(_HINTS).read_text("utf-8")
    return {name: str(words) for name, words in tomllib.loads(text).items()}


def _letters(row: Published) -> str:
    source = row.source
    return " ".join(
        (row.name, row.who, row.model, row.dataset, row.protocol, row.sure, source.title, source.authors)
    ).lower()


def _row(tree: Any, source: Source, where: str) -> Published:
    name = tree.get("name", "?") if isinstance(tree, dict) else "?"
    row: Published = _record(Published, tree, f"{where}: {name}", source=source)
    for hint in row.hints:
        hint_of(hint)
    return row


def _record(cls: type[Any], tree: Any, where: str, **given: Any) -> Any:
    if not isinstance(tree, dict):
        raise InputError(f"{where} is not a table", hint="see those that ship")
    known: dict[str, Field[Any]] = {item.name: item for item in fields(cls) if item.name not in given}
    for key in tree:
        if key not in known:
            raise UnknownName(f"key of {where}", key, known=known)
    lacking = [key for key, item in known.items() if _required(item) and key not in tree]
    if lacking:
        raise InputError(f"{where} lacks {', '.join(lacking)}", hint="see those that ship")
    return cls(**given, **{key: _value(known[key], value, f"{where}: {key}") for key, value in tree.items()})


def _required(item: Field[Any]) -> bool:
    return item.default is MISSING and item.default_factory is MISSING


def _value(item: Field[Any], value: Any, where: str) -> Any:
    """A value of the field's type: words, a whole number, a list of words, or a table of numbers or words."""
    kind = str(item.type)
    if kind == "str" and isinstance(value, str):
        return value
    if kind == "int" and type(value) is int:
        return value
    if kind.startswith("tuple") and isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    wanted: tuple[type, ...] = (int, float) if kind.endswith("float]") else (str,)
    fits = isinstance(value, dict) and all(type(one) in wanted for one in value.values())
    if kind.startswith("Mapping") and fits:
        return {key: one if wanted == (str,) else float(one) for key, one in value.items()}
    raise InputError(f"{where} = {value!r} is of another type", hint=f"it is {kind}")
