from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import jinja2
import pytest

from leadline.io.pages import render_page, write_page


@pytest.fixture(autouse=True)
def templates(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"one.html": "<b>{{ page.name }}</b>{% include 'two.css' %}", "two.css": "p { color: red; }"}
    monkeypatch.setattr("leadline.io.pages._text", texts.__getitem__)


def test_values_are_escaped_and_templates_are_not() -> None:
    said = render_page("one.html", page=SimpleNamespace(name="<i>&"))
    assert said == "<b>&lt;i&gt;&amp;</b>p { color: red; }"


def test_a_value_that_is_not_there_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="name"):
        render_page("one.html", page=SimpleNamespace())


def test_a_page_is_written_whole(tmp_path: Path) -> None:
    write_page("one.html", tmp_path / "new" / "page.html", page=SimpleNamespace(name="å\udcff"))
    assert (tmp_path / "new" / "page.html").read_bytes() == "<b>å\\udcff</b>p { color: red; }".encode()
    with pytest.raises(jinja2.UndefinedError):
        write_page("one.html", tmp_path / "other.html", page=SimpleNamespace())
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
