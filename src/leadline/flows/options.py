"""Options live once: as fields of a frozen request, whose metadata every face is derived from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, ClassVar, Protocol

from leadline.core.errors import InputError

__all__ = ["Told", "check_bounds", "like", "told", "told_of"]

_KEY = "told"


@dataclass(frozen=True, slots=True)
class Told:
    """What a face needs to know of an option beyond its type and default.

    Args:
        help: One sentence.
        flag: Its name on the command line where that is not the field's: ``"format"`` for ``formats``.
        short: One letter.
        metavar: How the value is shown in help.
        names: The registry or table its values are names of, for completion: ``"model"``, ``"exporter"`` …
        choices: All values there are, where they are few and fixed.
        minimum: Smallest value.
        maximum: Largest value.
        positional: Whether it is named by its place and not by a flag.
        whole: Whether one of several values may hold commas, so that each needs a flag of its own.
    """

    help: str
    flag: str = ""
    short: str = ""
    metavar: str = ""
    names: str = ""
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    positional: bool = False
    whole: bool = False


class _Request(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


def told(option: Told) -> Mapping[str, Any]:
    """Metadata of a request's field.

    Args:
        option: What faces need to know.

    Returns:
        A mapping for ``dataclasses.field(metadata=…)``.
    """
    return {_KEY: option}


def told_of(field: Field[Any]) -> Told:
    """What a field's metadata tells.

    Args:
        field: A field of a request, made with ``told``.

    Returns:
        Its record.

    Example:
        >>> import dataclasses
        >>> told_of(dataclasses.field(metadata=told(Told("Where to write.")))).help
        'Where to write.'
    """
    record: Told = field.metadata[_KEY]
    return record


def like(request: type, name: str) -> Any:
    """A field that another request has too: same default, same words.

    Args:
        request: The other request.
        name: Its field.

    Returns:
        A field of the same default and metadata.
    """
    other: Field[Any] = request.__dataclass_fields__[name]  # type: ignore[attr-defined]  # it is a dataclass
    return field(default=other.default, metadata=other.metadata)


def check_bounds(request: _Request) -> None:
    """Refuses numbers out of their range and values that are no choice, whichever face they came through.

    Args:
        request: A request whose fields have metadata.

    Raises:
        InputError: A value is outside; the message names field, value and range.
    """
    for item in fields(request):
        option, value = told_of(item), getattr(request, item.name)
        if option.choices and value not in option.choices:
            raise InputError(
                f"{item.name} = {value!r} is not one of {', '.join(option.choices)}", hint="choose one"
            )
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        low, high = option.minimum, option.maximum
        if not ((low is None or value >= low) and (high is None or value <= high)):
            span = f"at least {low:g}" if high is None else f"{low:g} to {high:g}"
            raise InputError(f"{item.name} = {value:g} is out of range", hint=f"give {span}")
