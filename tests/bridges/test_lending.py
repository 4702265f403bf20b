"""Lent buffers: what somebody holds never changes, what nobody holds is used again."""

from __future__ import annotations

import gc
from itertools import pairwise
from typing import Any

import pytest
import torch

from leadline.bridges import lending
from leadline.bridges.tensors import Form
from leadline.bridges.torch import Loader, loader

MANY = 48
"""Samples: with two workers and two in a batch, each worker's ring goes round several times."""

AHEAD = 2
WORKERS = 2


def feed_of(album: Any, **options: Any) -> Loader:
    return loader(album(MANY), batch_size=2, shuffle=False, workers=WORKERS, **options)


def first_known(index: int) -> int:
    """What the album's frame holds in row 1, column 0."""
    return 33 + index


def check(batch: dict[str, Any], k: int) -> None:
    """The k-th batch is what the album says, in every tensor."""
    assert batch["id"] == [f"frame {2 * k}", f"frame {2 * k + 1}"]
    for row, index in enumerate((2 * k, 2 * k + 1)):
        expected = torch.arange(1, 769, dtype=torch.float32).reshape(24, 32) + index
        expected[0, :4] = 0
        assert torch.equal(batch["labels"][row], expected)
        assert torch.equal(batch["valid"][row], expected > 0)
        assert batch["camera"][row, 0] == 50 + index


def places(feed: Loader) -> int:
    """Buffers that ever came from the workers."""
    return len(feed._lending._held)


@pytest.mark.parametrize("held", [1, 3, 5, MANY // 2])
def test_what_is_held_does_not_change(held: int, album: Any) -> None:
    kept: list[dict[str, Any]] = []
    for k, batch in enumerate(feed_of(album)):
        check(batch, k)
        kept = [*kept, batch][-held:]
        for age, old in enumerate(reversed(kept)):
            check(old, k - age)


@pytest.mark.parametrize("part", ["row", "slice", "numpy", "reshaped", "storage"])
def test_a_part_of_a_batch_keeps_all_of_it(part: str, album: Any) -> None:
    take = {
        "row": lambda labels: labels[0],
        "slice": lambda labels: labels[:1, ::2, ::2],
        "numpy": lambda labels: labels.numpy()[0],
        "reshaped": lambda labels: labels.view(-1),
        "storage": lambda labels: labels.untyped_storage(),
    }[part]
    feed = feed_of(album)
    arriving = iter(feed)
    batch = next(arriving)
    piece = take(batch["labels"])
    before = torch.tensor(list(piece)) if part == "storage" else torch.as_tensor(piece).clone()
    del batch
    for later in arriving:
        del later
    now = torch.tensor(list(piece)) if part == "storage" else torch.as_tensor(piece)
    assert torch.equal(now, before)
    assert len(feed._lending._out) == 1
    del piece, now
    gc.collect()
    assert not feed._lending._out


def test_changes_in_place_stay_in_their_batch(album: Any) -> None:
    for k, batch in enumerate(feed_of(album)):
        check(batch, k)
        for name in ("pixel_values", "labels"):
            batch[name].fill_(-7)
        batch["valid"].fill_(True)


def test_a_loop_needs_no_more_buffers_pass_after_pass(album: Any) -> None:
    feed = feed_of(album)
    seen: list[dict[Any, torch.Tensor]] = []
    for _ in range(4):
        for k, batch in enumerate(feed):
            check(batch, k)
        seen.append(dict(feed._lending._held))
    for earlier, later in pairwise(seen):  # what was handed over is not handed over again
        assert all(later[place] is buffer for place, buffer in earlier.items())
    # A worker has batches ahead, and the loop holds one while the next arrives.
    assert places(feed) <= WORKERS * (AHEAD + 2)


def test_a_list_of_all_batches_borrows_few(album: Any) -> None:
    feed = feed_of(album)
    batches = list(feed)
    assert len(feed._lending._out) == lending._MOST_LENT
    assert places(feed) <= WORKERS * (AHEAD + 1) + lending._MOST_LENT
    for k, batch in enumerate(batches):
        check(batch, k)
    batches.clear()
    del batch
    assert not feed._lending._out


def test_passes_that_are_broken_off_lose_no_buffer(album: Any) -> None:
    feed = feed_of(album)
    for stop in (0, 1, 5, 2, 7, 3, 0, 4):
        for k, batch in enumerate(feed):
            check(batch, k)
            if k == stop:
                break
    held = batch
    for k, batch in enumerate(feed):
        check(batch, k)
        check(held, 4)
    assert places(feed) <= WORKERS * (AHEAD + 2) + 1


def test_batches_outlive_their_loader(album: Any) -> None:
    feed = feed_of(album)
    arriving = iter(feed)
    batch = next(arriving)
    del arriving, feed
    gc.collect()
    check(batch, 0)


def test_a_fork_gives_nothing_back(album: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    feed = feed_of(album)
    arriving = iter(feed)
    batch = next(arriving)
    (buffer,) = feed._lending._held.values()
    monkeypatch.setattr(lending.os, "getpid", lambda: -1)
    del batch
    assert buffer[0] == lending.LENT
    monkeypatch.undo()
    batch = next(arriving)
    lent = [one for one in feed._lending._held.values() if one is not buffer]
    assert [int(one[0]) for one in lent] == [lending.LENT]
    del batch
    assert [int(one[0]) for one in lent] == [lending.FREE]


def test_larger_batches_get_larger_buffers(ragged: Any) -> None:
    """Large and small frames in turn."""
    ragged.count = 24
    feed = loader(ragged, batch_size=1, shuffle=False, workers=1)
    for _ in range(2):
        sizes = []
        for k, batch in enumerate(feed):
            sizes.append(tuple(batch["labels"].shape))
            expected = first_known(k) if k % 2 == 0 else 1
            assert batch["labels"][0, 1, 0] == expected
        assert sizes == [(1, 24, 32), (1, 12, 16)] * 12


@pytest.mark.parametrize("form", [Form(pixels="uint8"), Form(unknown="nan"), Form(mean=(0.5, 0.4, 0.3))])
def test_every_form_arrives_as_it_is_made_here(form: Form, album: Any) -> None:
    here = list(loader(album(7), batch_size=3, shuffle=False, form=form))
    there = list(loader(album(7), batch_size=3, shuffle=False, form=form, workers=2))
    for one, two in zip(here, there, strict=True):
        assert one["pixel_values"].dtype == two["pixel_values"].dtype
        for name in ("pixel_values", "labels", "valid", "camera"):
            assert torch.equal(one[name].nan_to_num(-1), two[name].nan_to_num(-1)), name
