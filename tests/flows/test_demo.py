from __future__ import annotations

from pathlib import Path

import pytest

from leadline.core.errors import InputError
from leadline.flows import demo
from leadline.flows.demo import DemoRequest, bundled_photo, demo_request


def test_the_demo_predicts_the_photo_that_ships(photo: Path) -> None:
    assert bundled_photo() == photo
    request = demo_request(DemoRequest(out=Path("x")))
    assert request.sources == (str(photo),)
    assert request.out == Path("x")
    assert "side-by-side" in request.formats


def test_a_broken_installation_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "files", lambda name: tmp_path)
    with pytest.raises(InputError, match="install leadline again"):
        bundled_photo()
