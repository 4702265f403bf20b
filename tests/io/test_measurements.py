"""The store of measurements: what goes in comes out, and what is damaged is said."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadline.core.errors import OutputError
from leadline.io.measurements import (
    Kept,
    Measurement,
    forget_damaged,
    keep,
    measurements_file,
    read_measurements,
)

Make = Callable[..., Measurement]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEADLINE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_what_was_kept_is_read(measurement: Make, cache: Path) -> None:
    assert read_measurements() == Kept(())
    rows = (measurement(), measurement(engine="torch", memory_bytes=None, gpu_memory_bytes=5, busy=True))
    assert keep(rows) == cache / "measurements.json"
    assert read_measurements() == Kept(rows)


def test_a_newer_one_takes_the_place_of_the_same_way_of_running(measurement: Make) -> None:
    keep([measurement(), measurement(batch=4)])
    newer = measurement(ms=5.0, versions={"leadline": "9"}, measured="2027-01-01T00:00:00+00:00")
    keep([newer])
    assert read_measurements().rows == (measurement(batch=4), newer)


@pytest.mark.parametrize(
    "other",
    [
        {"model": "x"},
        {"source": "file:x"},
        {"weights_sha256": "b" * 64},
        {"engine": "torch"},
        {"precision": "int8"},
        {"compile": "yes"},
        {"device": "cuda"},
        {"threads": 1},
        {"batch": 2},
        {"size": "1x1"},
        {"machine": "n"},
    ],
)
def test_another_way_of_running_stays_beside_it(measurement: Make, other: dict[str, Any]) -> None:
    keep([measurement()])
    keep([measurement(**other)])
    assert len(read_measurements().rows) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not json", "Expecting value"),
        ('{"leadline_measurements": 1, "ro', "Unterminated"),
        ("[]", "it holds no rows"),
        ('{"leadline_measurements": 1, "rows": 3}', "it holds no rows"),
        ('{"leadline_measurements": 99, "rows": []}', "it is of form 99"),
        ('{"leadline_measurements": 1, "rows": [5]}', "other fields than are known"),
        ('{"leadline_measurements": 1, "rows": [{"ms": 5}]}', "other fields than are known"),
    ],
)
def test_a_damaged_file_is_said_and_is_no_error(cache: Path, text: str, words: str) -> None:
    cache.mkdir()
    measurements_file().write_text(text)
    kept = read_measurements()
    assert kept.rows == ()
    assert words in kept.problem
    assert str(measurements_file()) in kept.problem


@pytest.mark.parametrize(
    "damage",
    [
        {"ms": "fast"},
        {"ms": None},
        {"ms": -1.0},
        {"ms": True},
        {"batch": 1.5},
        {"model": 3},
        {"memory_bytes": "much"},
        {"versions": []},
    ],
)
def test_of_a_file_with_one_damaged_row_the_others_are_used(
    measurement: Make, damage: dict[str, Any]
) -> None:
    path = keep([measurement(), measurement(batch=2)])
    data = json.loads(path.read_text())
    data["rows"][0].update(damage)
    path.write_text(json.dumps(data))
    kept = read_measurements()
    assert kept.rows == (measurement(batch=2),)
    assert "holds no figures" in kept.problem


def test_bytes_that_are_no_text_are_damage(cache: Path) -> None:
    cache.mkdir()
    measurements_file().write_bytes(b"\xff\xfe\x00")
    assert "damaged" in read_measurements().problem


def test_a_folder_of_that_name_is_damage(cache: Path) -> None:
    measurements_file().mkdir(parents=True)
    assert "damaged" in read_measurements().problem


def test_a_damaged_file_is_moved_aside_whole(cache: Path) -> None:
    cache.mkdir()
    measurements_file().write_text("not json")
    aside = forget_damaged()
    assert aside.read_text() == "not json"
    assert not measurements_file().exists()
    assert sorted(path.name for path in cache.iterdir()) == ["measurements.damaged.json"]


def test_a_full_disk_leaves_the_store_as_it_was(measurement: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    path = keep([measurement()])
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OutputError, match="the disk is full"):
        keep([measurement(batch=2)])
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["measurements.json"]
