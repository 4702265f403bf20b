"""Opening a dataset by name and place, with the layout guessed where it is not said."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from leadline.core.errors import DatasetError, InputError
from leadline.flows.data.collection import Collection
from leadline.io.trees import Tree, open_tree
from leadline.plugins.need import need
from leadline.plugins.ports import Dataset
from leadline.plugins.registry import DATASETS, load
from leadline.plugins.specs import DatasetSpec

__all__ = ["Guess", "guess_layout", "list_datasets", "open_dataset", "split_place"]


@dataclass(frozen=True, slots=True)
class Guess:
    """A layout that a place looks like.

    Args:
        name: The dataset's name.
        why: What was seen.
    """

    name: str
    why: str


def list_datasets() -> tuple[DatasetSpec, ...]:
    """Every dataset layout there is.

    Returns:
        Their specs, built-ins first.
    """
    return tuple(DATASETS.sound())


def open_dataset(
    place: str | os.PathLike[str],
    *,
    name: str = "",
    options: Mapping[str, str | int | float] | None = None,
) -> Collection:
    """Opens a dataset. Nothing is decoded until it is asked for.

    Args:
        place: ``NAME:PATH``, or a path whose layout is guessed, or the name of a dataset that is made rather than read
            (``"synthetic"``). A path is a folder, an archive, or a file.
        name: The layout, where ``place`` is a bare path and the guess is not wanted.
        options: What the layout lets one choose; ``leadline data info NAME`` lists it.

    Returns:
        The samples, with what can be done with them.

    Raises:
        UnknownName: No layout has that name.
        InputError: An option is unknown or has no such value.
        DatasetError: There is nothing there, it is not of that layout, or of none that is known.
        MissingExtra: The layout needs a package that is not installed.
    """
    layout, path = (name, str(place)) if name else split_place(place)
    if not layout:
        layout = _one_guess(open_tree(path)).name
    spec = DATASETS.get(layout)
    if not path and not spec.endless:
        raise DatasetError(f"dataset {layout!r} needs a place", hint=f"write {layout}:PATH")
    keywords = _parsed(spec, options or {})
    for package in spec.packages:
        need(package, who=f"dataset {spec.name!r}", extra=spec.extra, install=spec.install)
    adapter = load(spec.adapter)
    if spec.endless:
        dataset: Dataset = adapter(**keywords)
    elif spec.remote and not Path(path).expanduser().exists():
        dataset = adapter(path, **keywords)
    else:
        dataset = adapter(open_tree(path), **keywords)
    return Collection(dataset, spec=spec, place=path, options=keywords)


def split_place(place: str | os.PathLike[str]) -> tuple[str, str]:
    """Name and path of what a user typed: ``"nyu:data/nyu"`` gives ``("nyu", "data/nyu")``.

    Args:
        place: ``NAME:PATH``, ``NAME`` of a dataset that is made, or a path.

    Returns:
        Name, empty where only a path was given, and path, empty where only a name was given.

    Raises:
        UnknownName: What stands before the colon is no dataset, and nothing lies at the whole as a path.
    """
    text = os.fspath(place)
    head, colon, rest = text.partition(":")
    known = DATASETS.names()
    if not colon and text in known and not Path(text).exists():
        return text, ""
    if colon and len(head) > 1 and "/" not in head and "\\" not in head:
        if head in known:
            return head, rest
        if not Path(text).exists():
            DATASETS.get(head)
    return "", text


def guess_layout(tree: Tree) -> Sequence[Guess]:
    """Every layout that a place looks like, surest first: the index lists particular layouts before general ones.

    Args:
        tree: The place.

    Returns:
        Guesses with their reasons; empty where it looks like nothing known.
    """
    guesses = []
    for spec in DATASETS.sound():
        why = load(spec.recognise)(tree) if spec.recognise else ""
        if why:
            guesses.append(Guess(spec.name, why))
    return guesses


def _one_guess(tree: Tree) -> Guess:
    guesses = guess_layout(tree)
    if not guesses:
        raise DatasetError(
            f"{str(tree.path / tree.focus)!r} looks like no dataset layout that is known",
            hint="say which it is, NAME:PATH ('leadline data list' shows the names), or describe it: "
            "'leadline data info folder'",
        )
    return guesses[0]


def _parsed(spec: DatasetSpec, options: Mapping[str, str | int | float]) -> dict[str, str | int | float]:
    offered = {option.name: option for option in spec.options}
    parsed = {option.name: option.default for option in spec.options}
    for key, value in options.items():
        if key not in offered:
            raise InputError(
                f"dataset {spec.name!r} has no option {key!r}",
                hint=f"it has {', '.join(offered)}" if offered else "it has none",
            )
        parsed[key] = offered[key].parse(value)
    return parsed
