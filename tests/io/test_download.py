from __future__ import annotations

import errno
import hashlib
import os
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from leadline.core.errors import OutputError, WeightsError
from leadline.io import download as module
from leadline.io.download import download

DATA = bytes(range(256)) * 12_000
SHA = hashlib.sha256(DATA).hexdigest()


def bring(site: Any, path: Path, **changes: Any) -> Path:
    told = {"sha256": SHA, "size_bytes": len(DATA), "name": "dpt-small", "bar": False}
    return download(site.url("net.onnx"), path, **{**told, **changes})


@pytest.fixture
def path(tmp_path: Path, site: Any) -> Path:
    site.files["net.onnx"] = DATA
    return tmp_path / "cache" / "net.onnx"


def test_a_file_comes_whole(site: Any, path: Path) -> None:
    assert bring(site, path) == path
    assert path.read_bytes() == DATA
    assert os.listdir(path.parent) == ["net.onnx"]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_off_download_is_resumed_where_it_stopped(site: Any, path: Path, ranges: bool) -> None:
    site.ranges = ranges
    path.parent.mkdir()
    part = path.with_name("net.onnx.part")
    part.write_bytes(DATA[:1_000_000])
    bring(site, path)
    assert path.read_bytes() == DATA
    assert site.asked == [("net.onnx", "bytes=1000000-")]
    assert not part.exists()


def test_a_connection_that_drops_is_taken_up_again(site: Any, path: Path) -> None:
    site.stop_after = [1_000_000, 500_000]
    bring(site, path)
    assert path.read_bytes() == DATA
    assert [wanted for _, wanted in site.asked] == ["", "bytes=1000000-", "bytes=1500000-"]


def test_a_connection_that_keeps_dropping_is_told_and_what_came_is_kept(site: Any, path: Path) -> None:
    site.stop_after = [1000, 1000, 1000]
    with pytest.raises(
        WeightsError,
        match=r"'dpt-small' stopped after 3,000 of 3,072,000 bytes from .*; run again: it goes on",
    ):
        bring(site, path)
    assert path.with_name("net.onnx.part").read_bytes() == DATA[:3000]
    bring(site, path)
    assert path.read_bytes() == DATA


def test_no_progress_is_no_reason_to_go_on(site: Any, path: Path) -> None:
    site.stop_after = [0, 0, 0]
    with pytest.raises(WeightsError, match="stopped after 0 of"):
        bring(site, path)
    assert len(site.asked) == 1


@pytest.mark.parametrize("served", [b"x" * len(DATA), b"<html>log in first</html>"])
def test_a_wrong_file_is_removed(site: Any, path: Path, served: bytes) -> None:
    site.files["net.onnx"] = served
    size = len(DATA) if len(served) == len(DATA) else 0
    told = rf"not what they should be: {len(served):,} bytes with SHA-256 .*expected .*{SHA[:16]}… \(removed\); run again"
    with pytest.raises(WeightsError, match=told):
        bring(site, path, size_bytes=size)
    assert os.listdir(path.parent) == []


def test_a_page_in_place_of_the_file_is_not_taken(site: Any, path: Path) -> None:
    """A captive portal answers every address with a short page."""
    site.files["net.onnx"] = b"<html>log in first</html>"
    with pytest.raises(WeightsError, match="the server has 25 bytes, 3,072,000 were expected"):
        bring(site, path)
    site.files["net.onnx"] = DATA
    bring(site, path)
    assert path.read_bytes() == DATA


def test_more_than_was_expected_is_not_read_to_the_end(site: Any, tmp_path: Path) -> None:
    site.files["unsized.bin"] = DATA * 3
    with pytest.raises(WeightsError, match="are not what they should be"):
        download(
            site.url("unsized.bin"),
            tmp_path / "x.bin",
            sha256=SHA,
            size_bytes=len(DATA),
            name="n",
            bar=False,
        )
    assert os.listdir(tmp_path) == []


def test_a_finished_part_is_only_checked(site: Any, path: Path) -> None:
    path.parent.mkdir()
    path.with_name("net.onnx.part").write_bytes(DATA)
    bring(site, path)
    assert site.asked == []
    assert path.read_bytes() == DATA


def test_a_part_that_is_longer_than_the_servers_file_is_begun_again(site: Any, path: Path) -> None:
    path.parent.mkdir()
    path.with_name("net.onnx.part").write_bytes(DATA + b"more")
    bring(site, path, size_bytes=0)
    assert path.read_bytes() == DATA
    assert [wanted for _, wanted in site.asked] == [f"bytes={len(DATA) + 4}-", ""]


def test_an_error_status_and_no_network_say_what_to_fetch_and_where_to_put_it(site: Any, path: Path) -> None:
    del site.files["net.onnx"]
    with pytest.raises(
        WeightsError,
        match=r"'dpt-small' cannot be fetched from http.*net.onnx: the server answers 404.*; fetch that file .* put it at '.*net.onnx'",
    ):
        bring(site, path)
    assert os.listdir(path.parent) == []
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(
        WeightsError, match=r"refuses the connection; fetch that file where there is a network"
    ):
        download(
            f"http://127.0.0.1:{port}/n", path, sha256=SHA, size_bytes=len(DATA), name="dpt-small", bar=False
        )


def test_a_full_disk_is_an_output_error(site: Any, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module, "_append", full)
    with pytest.raises(OutputError, match=r"net.onnx' cannot be written: the disk is full"):
        bring(site, path)


def test_several_at_once_fetch_once(site: Any, path: Path) -> None:
    done: list[Path] = []
    threads = [threading.Thread(target=lambda: done.append(bring(site, path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [path] * 4
    assert path.read_bytes() == DATA
    assert len(site.asked) == 1
    assert os.listdir(path.parent) == ["net.onnx"]


def test_without_file_locks_the_checksum_alone_guards(
    site: Any, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    bring(site, path)
    assert path.read_bytes() == DATA


def test_the_bar_shows_on_a_terminal_only(
    site: Any, path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(site, path, bar=True)
    assert capsys.readouterr().err == ""
    path.unlink()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    bring(site, path, bar=True)
    assert "dpt-small" in capsys.readouterr().err
    path.unlink()
    bring(site, path, bar=False)
    assert capsys.readouterr().err == ""
