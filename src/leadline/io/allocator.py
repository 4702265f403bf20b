"""Memory that a network gives back and takes again with every step, kept by the process meanwhile."""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Callable
from functools import cache

__all__ = ["give_back_freed_memory", "hold_freed_memory"]

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
"""``M_TRIM_THRESHOLD`` and ``M_MMAP_MAX`` of glibc's ``malloc.h``."""

_MOST = 2**31 - 1


@cache
def hold_freed_memory() -> bool:
    """Lets the C library keep what is freed, where it is glibc and nobody told it otherwise.

    glibc takes each large block fresh from the system and gives it back at once, so that every tensor of a step is paid for with
    a fault a page: a third of the time of training a U-Net on two cores. From here on blocks come from the heap, which is given
    back where 2 GB at its end are free. The most that the process takes grows by a few percent.

    Returns:
        True where it does from here on; False on other systems, and where ``MALLOC_…`` or ``GLIBC_TUNABLES`` is set.

    Example:
        >>> isinstance(hold_freed_memory(), bool)
        True
    """
    told = any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ)
    tune = None if told else _mallopt()
    return tune is not None and bool(tune(_MMAP_MAX, 0)) and bool(tune(_TRIM_THRESHOLD, _MOST))


def give_back_freed_memory() -> None:
    """Gives what ``hold_freed_memory`` kept back to the system, for now."""
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


def _mallopt() -> Callable[[int, int], int] | None:
    """The function ``mallopt`` of glibc; None on other C libraries, some of which have one that does something else."""
    if platform.libc_ver()[0] != "glibc":
        return None
    tune: Callable[[int, int], int] = ctypes.CDLL(None).mallopt
    return tune
