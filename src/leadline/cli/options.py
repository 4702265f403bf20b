"""Command-line options made from the fields of a request."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args, get_type_hints

import click
from click.shell_completion import CompletionItem

from leadline.flows.options import Told, told_of

__all__ = ["options_of", "request_of"]

CommandT = TypeVar("CommandT", bound=Callable[..., Any])
RequestT = TypeVar("RequestT")


def options_of(request: type) -> Callable[[CommandT], CommandT]:
    """A decorator that gives a command one option (or argument) for each field of a request.

    Args:
        request: A frozen dataclass whose fields have metadata.

    Returns:
        The decorator.
    """
    hints = get_type_hints(request)

    def decorate(command: CommandT) -> CommandT:
        for field in reversed(dataclasses.fields(request)):
            command = _parameter(field, hints[field.name])(command)
        return command

    return decorate


def request_of(request: type[RequestT], values: dict[str, Any]) -> RequestT:
    """The request that a command's parameters make.

    Args:
        request: The class the options were made from.
        values: The command's parameters; those that are no fields are left out.

    Returns:
        The request.

    Raises:
        InputError: A value is out of range.
    """
    names = {field.name for field in dataclasses.fields(request)}  # type: ignore[arg-type]
    return request(**{name: value for name, value in values.items() if name in names})


def _parameter(field: dataclasses.Field[Any], hint: Any) -> Callable[[CommandT], CommandT]:
    option = told_of(field)
    several = getattr(hint, "__origin__", None) is tuple
    default: Any = field.default
    required = default is dataclasses.MISSING
    if option.positional:
        return click.argument(
            field.name, nargs=-1 if several else 1, required=required, type=_type(hint, option)
        )
    flags = [f"--{option.flag or field.name.replace('_', '-')}", field.name]
    if option.short:
        flags.insert(0, f"-{option.short}")
    if hint is bool:
        return click.option(*flags, is_flag=True, default=default, help=option.help)
    return click.option(
        *flags,
        type=_type(hint, option),
        multiple=several,
        callback=_split if several and not option.whole else None,
        **({"required": True} if required else {"default": default}),
        show_default=not several and not required and default not in (None, ""),
        metavar=option.metavar or None,
        shell_complete=_completer(option.names),
        help=option.help
        + (f"  [default: {','.join(default)}]" if several and not required and default else ""),
    )


def _type(hint: Any, option: Told) -> click.ParamType[Any]:
    choices = [part for part in get_args(hint) if part is not NoneType]
    plain = hint if isinstance(hint, type) and not choices else choices[0]
    if option.choices:
        return click.Choice(option.choices)
    if plain is Path:
        return click.Path(path_type=Path)
    if plain is int and (option.minimum is not None or option.maximum is not None):
        return click.IntRange(_whole(option.minimum), _whole(option.maximum))
    if plain is float and (option.minimum is not None or option.maximum is not None):
        return click.FloatRange(option.minimum, option.maximum)
    known: dict[Any, click.ParamType[Any]] = {int: click.INT, float: click.FLOAT}
    return known.get(plain, click.STRING)


def _whole(bound: float | None) -> int | None:
    return None if bound is None else int(bound)


def _split(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """``-f png16,colour -f ply`` names three."""
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())


Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _completer(names: str) -> Completer | None:
    if not names:
        return None

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        done, comma, last = incomplete.rpartition(",")
        return [CompletionItem(f"{done}{comma}{name}") for name in _known(names) if name.startswith(last)]

    return complete


def _known(names: str) -> tuple[str, ...]:
    if names == "colormap":
        from leadline.ops.colour import COLORMAPS

        return tuple(COLORMAPS)
    if names == "protocol":
        from leadline.flows.evaluate.protocol_files import protocol_names

        return protocol_names()
    from leadline.plugins import registry

    tables: dict[str, registry.Registry[Any]] = {
        "model": registry.MODELS,
        "exporter": registry.EXPORTERS,
        "engine": registry.ENGINES,
    }
    return tables[names].names()
