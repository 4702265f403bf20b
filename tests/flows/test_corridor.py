from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from leadline.flows.corridor import Corridor, Outcome


class Watch:
    """Counts what is inside and remembers which thread did what."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = 0
        self.most = 0
        self.batches: list[list[int]] = []
        self.saved: list[int] = []
        self.work_threads: set[int] = set()

    def load(self, item: int) -> int:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        time.sleep(0.001)
        if item < 0:
            raise ValueError(f"{item} is bad")
        return item * 10

    def work(self, loaded: Sequence[int]) -> list[int]:
        self.work_threads.add(threading.get_ident())
        self.batches.append(list(loaded))
        return [value + 1 for value in loaded]

    def save(self, item: int, worked: int) -> str:
        time.sleep(0.002)
        with self.lock:
            self.inside -= 1
            self.saved.append(item)
        return f"{item}:{worked}"


def _corridor(watch: Watch, **more: Any) -> Corridor[int, int, int, str]:
    stages: dict[str, Callable[..., Any]] = {
        "load": watch.load,
        "work": watch.work,
        "save": watch.save,
        "size": lambda item: 1,
        "alike": lambda one, other: True,
    }
    return Corridor(**{**stages, "spares": (ValueError,), "threads": 2, **more})


def test_every_item_comes_out_once_with_its_own_result() -> None:
    watch = Watch()
    outcomes = list(_corridor(watch).run(range(40)))
    assert sorted(outcome.item for outcome in outcomes) == list(range(40))
    assert all(outcome.saved == f"{outcome.item}:{outcome.item * 10 + 1}" for outcome in outcomes)
    assert watch.work_threads == {threading.get_ident()}


def test_nothing_in_nothing_out() -> None:
    assert list(_corridor(Watch()).run([])) == []


def test_a_bad_item_is_one_outcome_and_the_rest_is_done() -> None:
    outcomes = {outcome.item: outcome for outcome in _corridor(Watch(), batch=3).run([1, -2, 3, -4, 5])}
    assert {item for item, outcome in outcomes.items() if outcome.error} == {-2, -4}
    assert str(outcomes[-2].error) == "-2 is bad"
    assert outcomes[5].saved == "5:51"


def _refusing(watch: Watch, bad: int, error: type[Exception]) -> Callable[[Sequence[int]], list[int]]:
    def work(loaded: Sequence[int]) -> list[int]:
        done = watch.work(loaded)
        if bad in loaded:
            raise error(f"{bad} cannot be worked on")
        return done

    return work


@pytest.mark.parametrize("batch", [1, 3])
def test_an_item_that_cannot_be_worked_on_is_one_outcome_and_its_neighbours_are_done(batch: int) -> None:
    watch = Watch()
    work = _refusing(watch, 20, ValueError)
    outcomes = list(_corridor(watch, work=work, work_spares=(ValueError,), batch=batch).run(range(6)))
    assert sorted(outcome.item for outcome in outcomes) == list(range(6))
    assert {outcome.item: str(outcome.error) for outcome in outcomes if outcome.error} == {
        2: "20 cannot be worked on"
    }
    assert sorted(watch.saved) == [0, 1, 3, 4, 5]


def test_any_other_fault_of_the_work_ends_the_run() -> None:
    watch = Watch()
    with pytest.raises(KeyError):
        list(_corridor(watch, work=_refusing(watch, 20, KeyError), work_spares=(ValueError,)).run(range(6)))


def test_an_item_that_cannot_be_saved_is_one_outcome() -> None:
    watch = Watch()

    def save(item: int, worked: int) -> str:
        if item == 3:
            raise ValueError("full")
        return "ok"

    outcomes = {outcome.item: outcome for outcome in _corridor(watch, save=save).run(range(6))}
    assert str(outcomes[3].error) == "full"
    assert [item for item, outcome in sorted(outcomes.items()) if outcome.saved == "ok"] == [0, 1, 2, 4, 5]


def test_room_limits_what_is_inside() -> None:
    watch = Watch()
    assert len(list(_corridor(watch, room=3).run(range(30)))) == 30
    assert 1 < watch.most <= 3


def test_save_room_limits_what_is_saved_at_once() -> None:
    watch = Watch()
    now: list[int] = []
    most: list[int] = []

    def save(item: int, worked: int) -> str:
        now.append(item)
        most.append(len(now))
        time.sleep(0.002)
        now.remove(item)
        return "ok"

    assert len(list(_corridor(watch, save=save, room=9, save_room=1, threads=3).run(range(20)))) == 20
    assert max(most) == 1


def test_an_item_larger_than_the_room_goes_through_alone() -> None:
    watch = Watch()
    outcomes = list(_corridor(watch, room=3, size=lambda item: 100).run(range(6)))
    assert len(outcomes) == 6
    assert watch.most == 1


def test_without_sizes_the_number_inside_stays_small() -> None:
    watch = Watch()
    list(_corridor(watch, size=lambda item: 0, batch=2).run(range(100)))
    assert watch.most <= 2 + 2 * 2


def test_size_is_asked_for_once_an_item() -> None:
    asked: list[int] = []

    def size(item: int) -> int:
        asked.append(item)
        return 2

    list(_corridor(Watch(), size=size, room=3).run(range(10)))
    assert asked == list(range(10))


def test_neighbours_that_are_alike_are_worked_on_together() -> None:
    watch = Watch()
    list(_corridor(watch, batch=3, alike=lambda one, other: one // 50 == other // 50).run(range(8)))
    assert [value for batch in watch.batches for value in batch] == [item * 10 for item in range(8)]
    assert all(len(batch) <= 3 and len({value // 50 for value in batch}) == 1 for batch in watch.batches)
    assert max(map(len, watch.batches)) == 3


def test_stages_overlap() -> None:
    """Each stage waits for another item to be in another stage; a corridor that goes stage by stage would fail."""
    begun = {name: threading.Event() for name in ("work 0", "work 1", "save 0")}

    def await_(name: str) -> None:
        assert begun[name].wait(10), f"{name} has not begun"

    def load(item: int) -> int:
        if item == 1:
            await_("work 0")
        return item

    def work(loaded: Sequence[int]) -> list[int]:
        begun[f"work {loaded[0]}"].set()
        if loaded[0] == 1:
            await_("save 0")
        return list(loaded)

    def save(item: int, worked: int) -> str:
        if item == 0:
            begun["save 0"].set()
            await_("work 1")
        return "ok"

    outcomes = list(_corridor(Watch(), load=load, work=work, save=save, room=2).run(range(2)))
    assert [outcome.saved for outcome in outcomes] == ["ok"] * 2


@pytest.mark.parametrize("stage", ["load", "work", "save"])
def test_any_other_error_ends_the_run_and_saves_in_progress_end_well(stage: str) -> None:
    watch = Watch()
    original = getattr(watch, stage)

    def broken(*arguments: Any) -> Any:
        value = arguments[0][0] // 10 if stage == "work" else arguments[0]
        if value == 4:
            raise OSError("disk full")
        return original(*arguments)

    seen: list[Outcome[int, str]] = []
    with pytest.raises(OSError, match="disk full"):
        seen.extend(_corridor(watch, **{stage: broken}).run(range(1000)))
    assert len(watch.saved) < 30
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("load", "save"))]


def test_interrupting_the_caller_finishes_what_is_being_saved() -> None:
    watch = Watch()
    started, ended = [], []

    def save(item: int, worked: int) -> str:
        started.append(item)
        time.sleep(0.05)
        ended.append(item)
        return "ok"

    def consume() -> None:
        for _ in _corridor(watch, save=save).run(range(1000)):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        consume()
    assert started
    assert sorted(started) == sorted(ended)
    assert len(started) < 30
