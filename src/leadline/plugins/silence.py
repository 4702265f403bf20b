"""Packages that talk to those who develop them, kept silent while they work for a user."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["silenced"]


@contextmanager
def silenced() -> Iterator[None]:
    """Without the warnings and the log lines of other packages; what they raise is raised all the same.

    Example:
        >>> with silenced():
        ...     logging.getLogger("somebody").error("unheard")
    """
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
