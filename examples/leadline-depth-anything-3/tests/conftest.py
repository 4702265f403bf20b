"""Fixtures that all tests of this package share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from leadline.plugins.need import has


@pytest.fixture(scope="session", autouse=True)
def cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keeps the tests out of the user's own cache of weights."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEADLINE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def networks() -> None:
    """Skips, saying so, where the networks' own package is absent."""
    if not has("depth_anything_3"):
        pytest.skip("the networks are not here: pip install --no-deps depth-anything-3==0.1.1")


@pytest.fixture
def tiny(networks: None, tmp_path: Path) -> Callable[[str], Path]:
    """Makes a tiny checkpoint: ``metric``, ``mono`` or ``anyview``."""

    def make(which: str) -> Path:
        from leadline_depth_anything_3 import tiny

        folder: Path = getattr(tiny, which)(tmp_path)
        return folder

    return make
