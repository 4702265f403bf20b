"""One registry for all that can be plugged in. Built-ins and third parties enter by the same door."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, Generic, Protocol, TypeVar

from leadline.core.errors import InputError, UnknownName
from leadline.plugins import builtins
from leadline.plugins.specs import DatasetSpec, EngineSpec, ExporterSpec, ModelSpec, ReferenceSpec

__all__ = ["BUILT_IN", "DATASETS", "ENGINES", "EXPORTERS", "MODELS", "REFERENCES", "Registry", "load"]


class _Named(Protocol):
    @property
    def name(self) -> str: ...


SpecT = TypeVar("SpecT", bound=_Named)

BUILT_IN = "leadline"
"""Origin of what ships with leadline."""


def load(target: str) -> Any:
    """Imports what a ``MODULE:ATTRIBUTE`` string names.

    Args:
        target: Such as ``"leadline.engines.onnxruntime:OnnxRuntimeEngine"``.

    Returns:
        The attribute.

    Raises:
        InputError: The string has no colon, or the module has no such attribute.
    """
    module, _, attribute = target.partition(":")
    if not attribute:
        raise InputError(f"{target!r} is not MODULE:ATTRIBUTE", hint="name the attribute after a colon")
    try:
        return getattr(import_module(module), attribute)
    except AttributeError as error:
        raise InputError(
            f"{target!r} names nothing: {error}", hint="check the spelling in the plugin"
        ) from error


class Registry(Generic[SpecT]):
    """Specs by name: added eagerly as records or lazily as ``MODULE:ATTRIBUTE`` strings.

    Third-party packages are found through entry points of the group ``leadline.<what>s``, whose names are the names
    and whose values are ``MODULE:ATTRIBUTE`` of a spec. They are looked for once, when first needed.

    Args:
        what: What the entries are, for messages and for the entry-point group: ``"model"``.
        spec_type: The record that entries must be.
        index: Built-ins as strings.
        called: What people call an entry, where that is another word: ``"format"``.

    Example:
        >>> Registry("model", ModelSpec, {}).get("dpt")
        Traceback (most recent call last):
        leadline.core.errors.UnknownName: no model is called 'dpt'; known: none
    """

    def __init__(
        self, what: str, spec_type: type[SpecT], index: Mapping[str, str], *, called: str = ""
    ) -> None:
        self.what = what
        self.called = called or what
        self._spec_type = spec_type
        self._entries: dict[str, SpecT | str] = {}
        self._origins: dict[str, str] = {}
        self._scanned = False
        self.problems: dict[str, str] = {}
        for name, target in index.items():
            self.add(name, target)

    def add(self, name: str, entry: SpecT | str, *, origin: str = BUILT_IN) -> None:
        """Adds an entry.

        Args:
            name: Its name, free so far.
            entry: A spec, or the string that names one.
            origin: The package it comes from, for messages.

        Raises:
            InputError: The name is taken, or the record is no spec of that name.
        """
        if name in self._entries:
            raise InputError(
                f"{self.called} name {name!r} of {origin} is taken by {self._origins[name]}",
                hint="choose another name, or uninstall one of the two packages",
            )
        self._entries[name] = entry if isinstance(entry, str) else self._checked(name, entry, origin)
        self._origins[name] = origin

    def get(self, name: str) -> SpecT:
        """The spec of a name.

        Args:
            name: The exact name; near matches are offered, never taken.

        Returns:
            The spec.

        Raises:
            UnknownName: No entry has that name.
            InputError: The entry cannot be loaded, is not a spec of this registry, or its spec bears another name.
        """
        if name not in self._entries:
            self._scan()
        entry = self._entries.get(name)
        if entry is None:
            raise UnknownName(self.called, name, known=self.names())
        if isinstance(entry, str):
            entry = self._resolve(name, entry)
            self._entries[name] = entry
        return entry

    def origin(self, name: str) -> str:
        """The package an entry comes from."""
        self.get(name)
        return self._origins[name]

    def names(self) -> tuple[str, ...]:
        """Every name, built-ins first in the order of the index, then third parties."""
        self._scan()
        return tuple(self._entries)

    def __iter__(self) -> Iterator[SpecT]:
        return (self.get(name) for name in self.names())

    def sound(self) -> Iterator[SpecT]:
        """Every spec that can be loaded; what cannot is noted in ``problems``, for ``leadline doctor`` to show."""
        for name in self.names():
            try:
                spec = self.get(name)
            except InputError as error:
                self.problems[f"{self._origins[name]}: {name}"] = str(error)
                continue
            yield spec

    def _resolve(self, name: str, target: str) -> SpecT:
        try:
            spec = load(target)
        except InputError:
            raise
        except Exception as error:
            # Another package's code runs here and may raise anything; it is told as what it is.
            raise InputError(
                f"{self.called} {name!r} of {self._origins[name]} cannot be loaded: {type(error).__name__}: {error}",
                hint="mend, update or uninstall that package",
            ) from error
        return self._checked(name, spec, self._origins[name])

    def _checked(self, name: str, spec: object, origin: str) -> SpecT:
        if not isinstance(spec, self._spec_type):
            raise InputError(
                f"{self.called} {name!r} of {origin} is a {type(spec).__name__}, not a {self._spec_type.__name__}",
                hint=f"give a {self._spec_type.__name__}, or a string that names one",
            )
        if spec.name != name:
            raise InputError(
                f"{self.called} {name!r} of {origin} calls itself {spec.name!r}", hint="use one name"
            )
        return spec

    def _scan(self) -> None:
        if self._scanned:
            return
        self._scanned = True
        from importlib.metadata import entry_points

        for point in entry_points(group=f"leadline.{self.what}s"):
            origin = point.dist.name if point.dist is not None else point.value
            try:
                self.add(point.name, point.value, origin=origin)
            except InputError as error:
                # One clashing package must not take every other model away; `leadline doctor` shows it.
                self.problems[f"{origin}: {point.name}"] = str(error)


MODELS: Registry[ModelSpec] = Registry("model", ModelSpec, builtins.MODELS)
ENGINES: Registry[EngineSpec] = Registry("engine", EngineSpec, builtins.ENGINES)
EXPORTERS: Registry[ExporterSpec] = Registry("exporter", ExporterSpec, builtins.EXPORTERS, called="format")
DATASETS: Registry[DatasetSpec] = Registry("dataset", DatasetSpec, builtins.DATASETS)
REFERENCES: Registry[ReferenceSpec] = Registry(
    "reference", ReferenceSpec, builtins.REFERENCES, called="way to name a model"
)
