"""Whether a dataset's files are still those they were."""

from __future__ import annotations

import os
import time
import zipfile
from pathlib import Path

import pytest

from leadline.flows.data.collection import Collection
from leadline.flows.data.fingerprint import state_of
from leadline.flows.data.opening import open_dataset
from leadline.testing.layouts import folder as plain
from leadline.testing.layouts import huggingface, manifest, nyu

Place = tuple[str, dict[str, str | int | float]]


def opened(name: str, place: Place) -> Collection:
    return open_dataset(f"{name}:{place[0]}", options=place[1])


def moved_on(path: Path) -> None:
    """Gives a file another time of change, its size and bytes kept."""
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000_000))


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_the_same_files_have_the_same_state(tmp_path: Path) -> None:
    place = plain.write(tmp_path)
    first = state_of(opened("folder", place))
    assert len(first) == 64
    assert state_of(opened("folder", place)) == first


@pytest.mark.parametrize("number", [0, -1])
def test_a_file_that_changed_changes_it(tmp_path: Path, number: int) -> None:
    place = plain.write(tmp_path)
    collection = opened("folder", place)
    first = state_of(collection)
    name = collection.entries[number].files[number]
    moved_on(Path(collection.place) / name)
    assert state_of(collection) != first


def test_a_size_that_changed_at_the_same_time_changes_it(tmp_path: Path) -> None:
    collection = opened("folder", plain.write(tmp_path))
    first, path = state_of(collection), Path(collection.place) / collection.entries[0].files[0]
    then = path.stat()
    path.write_bytes(path.read_bytes() + b"\0")
    os.utime(path, ns=(then.st_atime_ns, then.st_mtime_ns))
    assert state_of(collection) != first


def test_a_file_that_is_gone_changes_it(tmp_path: Path) -> None:
    collection = opened("folder", plain.write(tmp_path))
    first = state_of(collection)
    (Path(collection.place) / collection.entries[0].files[0]).unlink()
    assert state_of(collection) != first


def test_other_photos_of_the_same_ids_are_another_state(tmp_path: Path) -> None:
    here, there = (opened("folder", plain.write(tmp_path / name)) for name in ("a", "b"))
    assert [entry.id for entry in here.entries] == [entry.id for entry in there.entries]
    for path in files_of(Path(there.place)):
        moved_on(path)
    assert state_of(here) != state_of(there)


def test_a_choice_of_the_samples_is_another_state(tmp_path: Path) -> None:
    collection = opened("folder", plain.write(tmp_path))
    assert state_of(collection.select(first=1)) != state_of(collection)


def test_an_archive_is_looked_at_as_a_whole(tmp_path: Path) -> None:
    place, options = plain.write(tmp_path / "set")
    archive = tmp_path / "set.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in files_of(Path(place)):
            file.write(path, path.relative_to(place))
    collection = opened("folder", (str(archive), options))
    first = state_of(collection)
    assert state_of(opened("folder", (str(archive), options))) == first
    moved_on(archive)
    assert state_of(collection) != first


def test_a_list_counts_besides_the_files_it_names(tmp_path: Path) -> None:
    collection = opened("manifest", manifest.write(tmp_path))
    first = state_of(collection)
    moved_on(Path(collection.place).parent / collection.entries[0].files[0])
    second = state_of(collection)
    moved_on(Path(collection.place))
    assert len({first, second, state_of(collection)}) == 3


def test_nyus_layouts_are_looked_at_though_they_are_wrapped(tmp_path: Path) -> None:
    collection = opened("nyu", nyu.write(tmp_path))
    first = state_of(collection)
    moved_on(next(iter(files_of(tmp_path))))
    assert state_of(collection) != first


def test_where_samples_do_not_say_their_files_all_files_count(tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    collection = opened("huggingface", huggingface.write(tmp_path))
    first = state_of(collection)
    assert state_of(collection) == first
    moved_on(next(path for path in files_of(tmp_path) if path.suffix == ".arrow"))
    assert state_of(collection) != first


def test_what_is_made_is_told_by_its_options() -> None:
    states = {state_of(open_dataset("synthetic", options={"seed": seed}).select(first=3)) for seed in (0, 1)}
    assert len(states) == 2
    assert state_of(open_dataset("synthetic", options={"seed": 1}).select(first=3)) in states


def test_it_is_quick(tmp_path: Path) -> None:
    for number in range(795):
        for kind in ("rgb", "depth"):
            path = tmp_path / kind / f"{number:04}.png"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"x")
    collection = open_dataset(f"folder:{tmp_path}", options={"encoding": "mm"})
    assert len(collection) == 795
    begun = time.process_time()
    state_of(collection)
    assert time.process_time() - begun < 0.2
