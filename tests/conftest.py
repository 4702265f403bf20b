"""Fixtures that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real RGB-D files that is shared beside the checkout; tests skip, saying so, without it."""
    folder = Path(os.environ.get("LEADLINE_SHARED", _ROOT.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip(f"no shared RGB-D data at {folder} (set LEADLINE_SHARED)")
    return folder


@pytest.fixture(scope="session")
def shared_peers() -> Path:
    """The folder of published small models that is shared beside the checkout; tests skip, saying so, without it."""
    folder = Path(os.environ.get("LEADLINE_SHARED", _ROOT.parent / "shared")) / "peers"
    if not folder.is_dir():
        pytest.skip(f"no shared peer models at {folder} (set LEADLINE_SHARED)")
    return folder


@pytest.fixture(scope="session")
def photo() -> Path:
    """The photo that ships for the demo."""
    import leadline

    return next((Path(leadline.__file__).parent / "data" / "photos").glob("*.jpg"))
