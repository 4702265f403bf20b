"""A CSV list of pairs with units and cameras."""

from __future__ import annotations

from pathlib import Path

from leadline.testing.layouts import folder as plain
from leadline.testing.layouts.pairs import save_text

__all__ = ["write"]


def write(folder: Path) -> tuple[str, dict[str, str | int | float]]:
    """The plain folder's pairs, listed.

    Args:
        folder: Where to write.

    Returns:
        Place and options.
    """
    plain.write(folder)
    rows = [
        f"rgb/room_{k}_color.png,depth/room_{k}_depth.png,room,{'train' if k < 2 else 'test'},mm,52,53,31,22"
        for k in range(3)
    ]
    save_text(folder / "pairs.csv", "photo,depth,scene,split,encoding,fx,fy,cx,cy", *rows)
    return str(folder / "pairs.csv"), {}
