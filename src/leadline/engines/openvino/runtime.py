"""OpenVINO, imported so that it tells nobody what its user does."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import Any

from leadline.plugins.need import need

__all__ = ["core", "runtime"]


def runtime() -> Any:
    """The package ``openvino``.

    From its import on it would tell its maker what it is used for, and leave a number for its user at home, unless it is
    tested by a machine; so it is told that it is. Whoever wants it to tell imports it before leadline does.

    Returns:
        The module.

    Raises:
        MissingExtra: It is not installed.
    """
    if "openvino" in sys.modules:
        return sys.modules["openvino"]
    before = os.environ.get("CI")
    os.environ["CI"] = "true"
    try:
        return need("openvino", who="engine 'openvino'", extra="openvino")
    finally:
        if before is None:
            del os.environ["CI"]
        else:
            os.environ["CI"] = before


@cache
def core() -> Any:
    """OpenVINO's core, one for the whole process, which is never given back.

    Each core lends the thread a stack for signals and takes it away when it goes; of two that go in another order than they
    came, one leaves a stack behind that is there no more, and the next signal (Ctrl-C) ends the process.

    Returns:
        The ``openvino.Core``.
    """
    return runtime().Core()
