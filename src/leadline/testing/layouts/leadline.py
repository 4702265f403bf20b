"""leadline's own form, converted from a plain folder."""

from __future__ import annotations

from pathlib import Path

from leadline.flows.data.convert import ConvertRequest, convert
from leadline.testing.layouts import folder as plain

__all__ = ["write"]


def write(folder: Path) -> tuple[str, dict[str, str | int | float]]:
    """The plain folder's pairs, converted.

    Args:
        folder: Where to write.

    Returns:
        Place and options.
    """
    place, options = plain.write(folder / "source")
    said = tuple(f"{key}={value}" for key, value in options.items())
    convert(ConvertRequest(f"folder:{place}", folder / "plain", option=said))
    return str(folder / "plain"), {}
