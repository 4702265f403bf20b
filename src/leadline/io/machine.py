"""What computer this is, in words."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

__all__ = ["machine_words"]

_LINUX = Path("/proc/cpuinfo")


def machine_words() -> str:
    """Processor, logical cores, system.

    Returns:
        One line, without the computer's name.

    Example:
        >>> "core" in machine_words()
        True
    """
    cores = os.cpu_count() or 1
    return f"{_processor()}, {cores} logical core{'s' if cores > 1 else ''}, {platform.system()} {platform.machine()}"


def _processor() -> str:
    try:
        text = _LINUX.read_text("utf-8", "replace")
    except OSError:  # not Linux
        text = ""
    found = re.search(r"^model name\s*:\s*(\S.*)$", text, re.MULTILINE)
    return found[1] if found else platform.processor() or "unknown processor"
