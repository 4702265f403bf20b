from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from leadline.io import kept_hashes
from leadline.io.kept_hashes import kept_sha256
from leadline.io.weights import cache_folder, fingerprint


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are read to be hashed."""
    read: list[Path] = []
    whole = kept_hashes._hashed

    def noted(path: Path) -> str:
        read.append(path)
        return whole(path)

    monkeypatch.setattr(kept_hashes, "_hashed", noted)
    monkeypatch.setattr(kept_hashes, "_LARGE", 10)
    return read


def _truth(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_large_file_is_read_once_until_it_changes(tmp_path: Path, hashed: list[Path]) -> None:
    file, store = tmp_path / "w.bin", tmp_path / "new" / "hashes.json"
    file.write_bytes(b"a" * 100)
    assert kept_sha256(file, store=store) == kept_sha256(file, store=store) == _truth(file)
    assert hashed == [file]
    before = file.stat()
    file.write_bytes(b"b" * 100)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert kept_sha256(file, store=store) == _truth(file), "its time was set back, and that was believed"
    (tmp_path / "other").write_bytes(b"c" * 100)
    os.replace(tmp_path / "other", file)
    assert kept_sha256(file, store=store) == _truth(file)
    assert len(hashed) == 3


def test_small_files_are_not_kept(tmp_path: Path, hashed: list[Path]) -> None:
    (tmp_path / "w.bin").write_bytes(b"tiny")
    kept_sha256(tmp_path / "w.bin", store=tmp_path / "hashes.json")
    assert not (tmp_path / "hashes.json").exists()


@pytest.mark.parametrize("damage", ["", "[1]", "{", '{"NAME": 5}', '{"NAME": {"mark": 1}}'])
def test_a_damaged_store_is_begun_anew(damage: str, tmp_path: Path, hashed: list[Path]) -> None:
    file, store = tmp_path / "w.bin", tmp_path / "hashes.json"
    file.write_bytes(b"a" * 100)
    store.write_text(damage.replace("NAME", str(file.resolve())))
    assert kept_sha256(file, store=store) == _truth(file)
    assert kept_sha256(file, store=store) == _truth(file)
    assert len(hashed) == 1
    assert json.loads(store.read_text())[str(file.resolve())]["sha256"] == _truth(file)


def test_a_store_that_cannot_be_written_does_no_harm(
    tmp_path: Path, hashed: list[Path], small_files: Callable[[], AbstractContextManager[None]]
) -> None:
    file, store = tmp_path / "w.bin", tmp_path / "hashes.json"
    file.write_bytes(b"a" * 100)
    store.write_text(json.dumps({"x" * 30_000: 1}))
    with small_files():
        assert kept_sha256(file, store=store) == _truth(file)


def test_a_checkpoint_is_not_read_again(tmp_path: Path, hashed: list[Path]) -> None:
    for name in ("a.bin", "b.bin"):
        (tmp_path / name).write_bytes(name.encode() * 50)
    first = fingerprint(tmp_path)
    assert fingerprint(tmp_path) == first
    assert len(hashed) == 2
    assert (cache_folder().parent / "hashes.json").is_file()
