"""Batches made ahead: the same, in order, from any position on, and the time they are waited for."""

from __future__ import annotations

import threading
import time

import pytest
import torch

from leadline.training.feed import Batch, Feed, Pass


def numbered(number: int) -> Batch:
    return torch.tensor(number), torch.tensor(threading.get_ident())


@pytest.mark.parametrize("readers", [0, 1, 3])
def test_batches_come_in_order_whoever_makes_them(readers: int) -> None:
    feed = Feed(numbered, total=12, readers=readers)
    first = list(Pass(feed, epoch=0, steps=6))
    second = list(Pass(feed, epoch=1, steps=6))
    assert [int(batch[0]) for batch in first + second] == list(range(12))
    makers = {int(batch[1]) for batch in first}
    assert (threading.get_ident() in makers) == (readers == 0)
    feed.close()


def test_a_position_is_kept_and_taken_up_in_its_own_epoch_only() -> None:
    feed = Feed(numbered, total=12, readers=1)
    broken_off = Pass(feed, epoch=1, steps=6)
    coming = iter(broken_off)
    assert [int(next(coming)[0]) for _ in range(2)] == [6, 7]
    state = broken_off.state_dict()
    again, other = Pass(feed, epoch=1, steps=6), Pass(feed, epoch=0, steps=6)
    again.load_state_dict(state)
    other.load_state_dict(state)
    assert len(again) == 6
    assert [int(batch[0]) for batch in again] == [8, 9, 10, 11]
    assert [int(batch[0]) for batch in other] == [0, 1, 2, 3, 4, 5]
    feed.close()


def test_what_breaks_breaks_where_it_is_asked_for() -> None:
    def breaking(number: int) -> Batch:
        if number == 3:
            raise OSError("the disk is gone")
        return numbered(number)

    feed = Feed(breaking, total=6, readers=2)
    coming = iter(Pass(feed, epoch=0, steps=6))
    assert [int(next(coming)[0]) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(OSError, match="the disk is gone"):
        next(coming)
    feed.close()


def test_the_time_waited_is_that_of_making_where_nothing_is_made_ahead() -> None:
    def slow(number: int) -> Batch:
        time.sleep(0.02)
        return numbered(number)

    feed = Feed(slow, total=5, readers=0)
    list(Pass(feed, epoch=0, steps=5))
    assert 0.1 <= feed.waited_s < 5
    ahead = Feed(slow, total=5, readers=1)
    ahead.take(0)
    time.sleep(0.5)
    before = ahead.waited_s
    ahead.take(1)
    assert ahead.waited_s - before < 0.02
    ahead.close()
