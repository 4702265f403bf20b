"""The hook through which values show themselves in a notebook.

The ground floor cannot draw. The package root hands it a function that can, and until then values show as text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["png", "set_presenter"]

_presenter: Callable[[Any], bytes | None] | None = None


def set_presenter(presenter: Callable[[Any], bytes | None] | None) -> None:
    """Says how values become pictures.

    Args:
        presenter: A function from a core value to PNG bytes, or None to show text only.
    """
    global _presenter
    _presenter = presenter


def png(value: Any) -> bytes | None:
    """The picture of a value.

    Args:
        value: A core value.

    Returns:
        PNG bytes, or None where no presenter is set.
    """
    return None if _presenter is None else _presenter(value)
