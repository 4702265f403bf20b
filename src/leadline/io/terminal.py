"""Pictures inside a terminal, where it can show them."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from leadline.io.pictures import png_bytes

__all__ = ["as_text", "way_of"]

_CHUNK = 4096


def way_of(environment: Mapping[str, str], *, is_terminal: bool) -> str:
    """How this terminal shows pictures.

    Args:
        environment: Environment variables.
        is_terminal: Whether standard output is one.

    Returns:
        ``"kitty"``, ``"iterm"``, ``"blocks"`` (true-colour characters), or empty where it cannot.

    Example:
        >>> way_of({"COLORTERM": "truecolor"}, is_terminal=True)
        'blocks'
    """
    if not is_terminal or environment.get("TERM") == "dumb":
        return ""
    if environment.get("KITTY_WINDOW_ID") or "kitty" in environment.get("TERM", ""):
        return "kitty"
    if environment.get("TERM_PROGRAM") in ("iTerm.app", "WezTerm", "ghostty"):
        return "iterm"
    return "blocks" if environment.get("COLORTERM") in ("truecolor", "24bit") else ""


def as_text(rgb_HW3: NDArray[np.uint8], *, way: str, columns: int = 0) -> str:
    """A picture as what a terminal is to be sent.

    Args:
        rgb_HW3: uint8 (H, W, 3).
        way: As ``way_of`` says.
        columns: Width of the terminal in characters; asked of it where 0.

    Returns:
        Text with escape sequences; empty where the terminal shows none.
    """
    columns = columns or shutil.get_terminal_size((80, 24)).columns
    if way == "kitty":
        return _kitty(png_bytes(rgb_HW3, longest=10 * columns))
    if way == "iterm":
        data = png_bytes(rgb_HW3, longest=10 * columns)
        return f"\x1b]1337;File=inline=1;size={len(data)}:{base64.b64encode(data).decode()}\a\n"
    return _blocks(rgb_HW3, columns) if way == "blocks" else ""


def _kitty(data: bytes) -> str:
    text = base64.b64encode(data).decode()
    parts = [text[k : k + _CHUNK] for k in range(0, len(text), _CHUNK)]
    sent = []
    for k, part in enumerate(parts):
        head = "a=T,f=100," if k == 0 else ""
        sent.append(f"\x1b_G{head}m={int(k + 1 < len(parts))};{part}\x1b\\")
    return "".join(sent) + "\n"


def _blocks(rgb_HW3: NDArray[np.uint8], columns: int) -> str:
    """Two pixels a character: the upper half block in one colour on the other."""
    from PIL import Image

    rows = max(1, round(columns * rgb_HW3.shape[0] / rgb_HW3.shape[1] / 2)) * 2
    small = np.asarray(Image.fromarray(rgb_HW3).resize((columns, rows), Image.Resampling.BOX))
    lines = []
    for top in range(0, rows, 2):
        cells = (
            f"\x1b[38;2;{a[0]};{a[1]};{a[2]};48;2;{b[0]};{b[1]};{b[2]}m▀"
            for a, b in zip(small[top], small[top + 1], strict=True)
        )
        lines.append("".join(cells) + "\x1b[0m")
    return "\n".join(lines) + "\n"
