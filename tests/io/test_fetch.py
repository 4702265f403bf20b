from __future__ import annotations

import socket
from typing import Any
from urllib.error import URLError

import pytest

from leadline.core.errors import InputError
from leadline.io import fetch as module
from leadline.io.fetch import fetch, is_url, reason


def test_addresses_are_told_from_paths() -> None:
    assert is_url("https://example.org/a.jpg")
    assert is_url("HTTP://example.org/a.jpg")
    assert not is_url("C:/a.jpg")
    assert not is_url("ftp://example.org/a.jpg")


def test_bytes_come_whole_with_and_without_a_stated_length(site: Any) -> None:
    data = bytes(range(256)) * 4000
    site.files |= {"a.bin": data, "unsized.bin": data}
    assert fetch(site.url("a.bin")) == data
    assert fetch(site.url("unsized.bin")) == data


def test_an_error_status_names_address_and_status(site: Any) -> None:
    with pytest.raises(InputError, match=r"'http://127.*/none.jpg' cannot be read: the server answers 404"):
        fetch(site.url("none.jpg"))


def test_a_large_answer_is_refused_stated_or_not(site: Any) -> None:
    site.files |= {"a.bin": b"x" * 600_000, "unsized.bin": b"x" * 600_000}
    with pytest.raises(InputError, match="holds 600,000 bytes; the limit is 1,000; download the photo"):
        fetch(site.url("a.bin"), max_bytes=1000)
    with pytest.raises(InputError, match="holds more than 1,000 bytes"):
        fetch(site.url("unsized.bin"), max_bytes=1000)
    assert len(fetch(site.url("a.bin"), max_bytes=600_000)) == 600_000


def test_an_answer_cut_short_is_told(site: Any) -> None:
    site.files["a.bin"] = b"x" * 5000
    site.stop_after = [1234]
    with pytest.raises(InputError, match="1,234 of 5,000 bytes came; try again"):
        fetch(site.url("a.bin"))


def test_silence_ends_in_time(site: Any) -> None:
    site.files["slow.jpg"] = b"x"
    with pytest.raises(InputError, match="no answer in time"):
        fetch(site.url("slow.jpg"), timeout_s=0.2)


def test_a_drip_ends_at_the_deadline(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    site.files["a.bin"] = b"x" * 5000
    monkeypatch.setattr(module, "DEADLINE_S", -1.0)
    with pytest.raises(InputError, match="took longer than"):
        fetch(site.url("a.bin"))


def test_refused_connections_and_bad_addresses_are_told() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(InputError, match="the server refuses the connection; check the address"):
        fetch(f"http://127.0.0.1:{port}/a.jpg")
    with pytest.raises(InputError, match="cannot be read"):
        fetch("http://[broken/a.jpg")
    with pytest.raises(InputError, match="cannot be read"):
        fetch("http://127.0.0.1:port/a.jpg")


def test_a_way_out_of_http_is_not_taken(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from io import BytesIO
    from urllib.request import FTPHandler
    from urllib.response import addinfourl

    monkeypatch.setattr(FTPHandler, "ftp_open", lambda *_: addinfourl(BytesIO(b""), {}, "ftp://x"))
    with pytest.raises(InputError, match="neither http nor https"):
        fetch(site.url("elsewhere.jpg"))


def test_reasons_are_words() -> None:
    assert "name is not known" in reason(URLError(socket.gaierror(-2, "Name or service not known")))
    assert reason(URLError("odd")) == "<urlopen error odd>"
    assert reason(ValueError()) == "ValueError"
