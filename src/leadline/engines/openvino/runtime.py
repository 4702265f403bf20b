"""OpenVINO, imported so that it tells nobody what its user does."""

from __future__ import annotations

import os
import sys
from typing import Any

from leadline.plugins.need import need

__all__ = ["runtime"]


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
