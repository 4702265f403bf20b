"""What every data command is asked first: which place, opened how, and which of its samples."""

from __future__ import annotations

from typing import Protocol

from leadline.core.errors import InputError
from leadline.flows.data.collection import Collection
from leadline.flows.data.opening import open_dataset

__all__ = ["OPTION_HELP", "PLACE_HELP", "Choosing", "chosen", "options_said"]

PLACE_HELP = "NAME:PATH, a path whose layout is seen from its files, or synthetic."
OPTION_HELP = "KEY=VALUE the layout offers, several times if need be; see 'leadline data info NAME'."


class Choosing(Protocol):
    """The part of a request that says which samples are meant."""

    @property
    def place(self) -> str:
        """The dataset."""
        ...

    @property
    def option(self) -> tuple[str, ...]:
        """How it is opened."""
        ...

    @property
    def split(self) -> str:
        """Which split; all where empty."""
        ...

    @property
    def first(self) -> int | None:
        """How many at most."""
        ...


def options_said(words: tuple[str, ...]) -> dict[str, str | int | float]:
    """Options from what was typed.

    Args:
        words: ``KEY=VALUE`` each.

    Returns:
        Values by key.

    Raises:
        InputError: One is not of that form.

    Example:
        >>> options_said(("truth=raw", "camera=525,525,319.5,239.5"))
        {'truth': 'raw', 'camera': '525,525,319.5,239.5'}
    """
    said: dict[str, str | int | float] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise InputError(f"option {word!r} is not KEY=VALUE", hint="write --option truth=raw")
        said[key.strip()] = value.strip()
    return said


def chosen(request: Choosing) -> Collection:
    """Opens the place and chooses its samples.

    Args:
        request: What was asked for.

    Returns:
        The samples.

    Raises:
        LeadlineError: As ``open_dataset`` and ``Collection.select``.
    """
    opened = open_dataset(request.place, options=options_said(request.option))
    if not request.split and request.first is None:
        return opened
    return opened.select(split=request.split, first=request.first)
