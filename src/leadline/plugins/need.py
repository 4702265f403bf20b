"""Asking for an optional package, with the exact line to type where it is missing."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from leadline.core.errors import MissingExtra

__all__ = ["has", "must_be_there", "need"]


def has(package: str) -> bool:
    """Whether a package is installed, without importing it.

    Args:
        package: Import name of the package's top level, such as ``"torch"``.

    Returns:
        True where it can be imported.
    """
    return find_spec(package.split(".")[0]) is not None


def need(package: str, *, who: str, extra: str, install: str = "") -> ModuleType:
    """Imports an optional package.

    Args:
        package: Import name, such as ``"torch"`` or ``"pillow_heif"``.
        who: What needs it, for the message: ``"model 'dpt-large'"``.
        extra: The leadline extra that brings it; empty for the base install.
        install: What pip is given to bring it, where no extra of leadline does: ``"acme-net"``.

    Returns:
        The module.

    Raises:
        MissingExtra: It is not installed; the message ends in the pip line.

    Example:
        >>> need("math", who="this example", extra="all").sqrt(4.0)
        2.0
    """
    must_be_there(package, who=who, extra=extra, install=install)
    return import_module(package)


def must_be_there(package: str, *, who: str, extra: str, install: str = "") -> None:
    """Refuses to go on without an optional package, which is left to others to import.

    Args:
        package: Import name.
        who: What needs it, for the message.
        extra: The leadline extra that brings it; empty for the base install.
        install: What pip is given to bring it, where no extra of leadline does.

    Raises:
        MissingExtra: It is not installed; the message ends in the pip line.
    """
    if not has(package):
        raise MissingExtra(who, package, extra=extra, install=install)
