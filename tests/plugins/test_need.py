from __future__ import annotations

import json

import pytest

from leadline.core.errors import MissingExtra
from leadline.plugins.need import has, need


def test_what_is_there_is_imported() -> None:
    assert need("json", who="a test", extra="all") is json
    assert has("os.path")


def test_what_is_missing_ends_in_the_exact_line() -> None:
    assert not has("nopackage.module")
    with pytest.raises(MissingExtra) as caught:
        need("nopackage", who="model 'x'", extra="torch")
    assert str(caught.value) == "model 'x' needs 'nopackage': pip install 'leadline[torch]'"
    assert isinstance(caught.value, ImportError)


def test_what_no_extra_brings_is_asked_for_in_its_own_words() -> None:
    with pytest.raises(MissingExtra) as caught:
        need("nopackage", who="model 'x'", extra="", install="--no-deps acme-net==2")
    assert str(caught.value) == "model 'x' needs 'nopackage': pip install --no-deps acme-net==2"
    assert caught.value.install == "--no-deps acme-net==2"


def test_what_the_base_install_brings_needs_no_extra() -> None:
    with pytest.raises(MissingExtra, match=r"engine 'x' needs 'nopackage': pip install leadline$"):
        need("nopackage", who="engine 'x'", extra="")
