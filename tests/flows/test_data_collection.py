"""An open dataset: choosing, sharding, reading ahead, and going on past a broken frame."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError, InputError
from leadline.core.kind import Kind
from leadline.core.sample import Entry, Sample
from leadline.flows.data.collection import Collection, Skipped
from leadline.plugins.ports import Dataset
from leadline.plugins.specs import DatasetSpec
from leadline.testing.scenes import noise_photo

SPEC = DatasetSpec("rooms", "none:None", "rooms in memory")


class Rooms:
    """Ten samples in three scenes; some may be broken; how many are in memory at once is counted."""

    kind = Kind()

    def __init__(self, broken: tuple[int, ...] = ()) -> None:
        self.broken = broken
        self.begun: list[int] = []
        self.entries = [
            Entry(f"{k:02}", scene=f"room{k // 4}", split="train" if k < 8 else "test") for k in range(10)
        ]

    def __len__(self) -> int:
        return 10

    def __getitem__(self, index: int) -> Sample:
        self.begun.append(index)
        if index in self.broken:
            raise DatasetError(f"'{index:02}.png' is cut short", hint="copy it again")
        entry = self.entries[index]
        truth = DepthMap(np.full((2, 3), 1.0 + index), Kind())
        return Sample(entry.id, noise_photo(2, 3), truth, entry.scene, entry.split)

    def __iter__(self) -> Iterator[Sample]:
        return (self[k] for k in range(10))


def rooms(broken: tuple[int, ...] = ()) -> Collection:
    return Collection(Rooms(broken), spec=SPEC)


def ids(collection: Collection) -> list[str]:
    return [entry.id for entry in collection.entries]


def test_it_is_a_dataset_itself() -> None:
    assert isinstance(rooms(), Dataset)
    assert rooms()[3].id == rooms()[-7].id == "03"
    with pytest.raises(IndexError):
        rooms()[10]
    assert repr(rooms()) == "Dataset 'rooms': 10 samples, metres"


def test_choices_combine() -> None:
    assert ids(rooms().select(split="test")) == ["08", "09"]
    assert ids(rooms().select(scenes=["room1", "room2"], split="train")) == ["04", "05", "06", "07"]
    assert ids(rooms().select(ids=["07", "01"])) == ["01", "07"]
    assert ids(rooms().select(split="train").select(first=2)) == ["00", "01"]
    chosen = rooms().select(split="test")
    assert [sample.id for sample in chosen] == ["08", "09"]
    assert [sample.id for sample in pickle.loads(pickle.dumps(chosen))] == ["08", "09"]


def test_choices_that_find_nothing_say_what_there_is() -> None:
    with pytest.raises(DatasetError, match="none of them of split 'val'; its splits: test, train"):
        rooms().select(split="val")
    with pytest.raises(DatasetError, match="1 id not in the dataset, such as '77'; they look like '00'"):
        rooms().select(ids=["77"])
    with pytest.raises(DatasetError, match="2 scenes not in the dataset, such as 'x'"):
        rooms().select(scenes=["x", "y"])


def test_samples_for_looking_at_are_spread_evenly() -> None:
    assert ids(rooms().spread(4)) == ["00", "02", "05", "07"]
    assert ids(rooms().spread(99)) == ids(rooms())
    with pytest.raises(InputError, match="count = 0 is not at least 1"):
        rooms().spread(0)


@pytest.mark.parametrize("count", [1, 3, 4, 11])
def test_shards_neither_overlap_nor_miss(count: int) -> None:
    seen = [name for number in range(count) for name in ids(rooms().shard(number, of=count))]
    assert sorted(seen) == ids(rooms())
    with pytest.raises(InputError, match=f"shard {count} of {count} does not exist"):
        rooms().shard(count, of=count)


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_reading_keeps_the_order(workers: int) -> None:
    assert [sample.id for sample in rooms().read(workers=workers)] == ids(rooms())


def test_reading_holds_few_samples() -> None:
    collection = rooms()
    reading = collection.read(workers=2)
    next(reading)
    assert isinstance(collection.dataset, Rooms)
    assert len(collection.dataset.begun) <= 4
    reading.close()
    assert all(not thread.name.startswith("leadline-read") for thread in threading.enumerate())


@pytest.mark.parametrize("workers", [0, 2])
def test_a_broken_frame_ends_the_epoch_unless_asked(workers: int) -> None:
    with pytest.raises(DatasetError, match=r"'03\.png' is cut short"):
        list(rooms((3, 7)).read(workers=workers))
    skipped: list[Skipped] = []
    kept = [sample.id for sample in rooms((3, 7)).read(workers=workers, on_error="skip", told=skipped.append)]
    assert kept == ["00", "01", "02", "04", "05", "06", "08", "09"]
    assert [item.id for item in skipped] == ["03", "07"]
    assert skipped[0].reason == "'03.png' is cut short; copy it again"
