"""Made-up rooms: nothing is written."""

from __future__ import annotations

from pathlib import Path

__all__ = ["write"]


def write(folder: Path) -> tuple[str, dict[str, str | int | float]]:
    """Names the set.

    Args:
        folder: Not used.

    Returns:
        Place and options.
    """
    return "", {"frames": 6, "width": 64, "height": 48}
