from __future__ import annotations

import pytest

from leadline.core.errors import InputError
from leadline.plugins.specs import Weights


def test_weights_that_travel_need_their_hash() -> None:
    for source in ("https://example.org/w.onnx", "http://127.0.0.1/w.onnx", "package:leadline.data/w.onnx"):
        with pytest.raises(InputError, match="have no SHA-256"):
            Weights(source)
        assert Weights(source, "a" * 64).source == source


def test_weights_that_stay_do_not() -> None:
    assert Weights("file:w.onnx").sha256 == ""
    assert Weights("code:module:function").size_bytes == 0


def test_other_sources_are_refused() -> None:
    with pytest.raises(
        InputError, match="starts with none of package: https: http: file: folder: hf: remote: code:"
    ):
        Weights("ftp://example.org/w.onnx", "a" * 64)
