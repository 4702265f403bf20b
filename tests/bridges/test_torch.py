"""Feeding PyTorch: tensors are what they say, and the order depends on seed and epoch alone."""

from __future__ import annotations

import multiprocessing
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from leadline.augment.pipeline import Augmentation
from leadline.augment.recipe import Recipe
from leadline.bridges.tensors import Form
from leadline.bridges.torch import Shard, Ticket, collate, loader, to_torch
from leadline.core.errors import DatasetError, InputError
from leadline.core.kind import Kind


def _ids(batches: Any) -> list[str]:
    return [id for batch in batches for id in batch["id"]]


def test_an_item_is_the_sample(album: Any) -> None:
    dataset = album(3)
    item, sample = to_torch(dataset)[1], dataset[1]
    assert isinstance(to_torch(dataset), torch.utils.data.Dataset)
    assert item["pixel_values"].dtype == item["labels"].dtype == torch.float32
    rgb = torch.tensor(sample.image.rgb_HW3).permute(2, 0, 1)
    assert torch.equal(item["pixel_values"], rgb.float() / 255)
    assert item["labels"][0, :4].tolist() == [0, 0, 0, 0]
    assert item["labels"][1, 5] == 1 + 32 + 5 + 1
    assert item["valid"].sum() == 24 * 32 - 4
    assert item["camera"].tolist() == [51.0, 51.0, 15.5, 11.5]
    assert item["id"] == "frame 1"
    with pytest.raises(IndexError):
        to_torch(dataset)[3]


def test_forms(album: Any) -> None:
    plain = to_torch(album(1))[0]["pixel_values"]
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    normal = to_torch(album(1), form=Form(mean=mean, std=std))[0]["pixel_values"]
    expected = (plain.numpy().astype(np.float64) - np.reshape(mean, (3, 1, 1))) / np.reshape(std, (3, 1, 1))
    assert np.abs(normal.numpy() - expected).max() < 1e-6
    raw = to_torch(album(1), form=Form(pixels="uint8", unknown="nan"))[0]
    assert raw["pixel_values"].dtype == torch.uint8
    assert torch.equal(raw["pixel_values"], (plain * 255).round().to(torch.uint8))
    assert raw["labels"].isnan().sum() == 4
    assert torch.equal(raw["labels"].isnan(), ~raw["valid"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pixels": "float16"}, "pixels = 'float16' is not float32 or uint8"),
        ({"unknown": "minus one"}, "unknown = 'minus one'"),
        ({"std": (1.0, 0.0, 1.0)}, "std above 0"),
        ({"mean": (0.5,)}, "not three numbers each"),
        ({"pixels": "uint8", "mean": (0.5, 0.5, 0.5)}, "bytes are not normalised"),
    ],
)
def test_forms_without_sense_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Form(**change)


def test_batches_are_the_same_whatever_the_number_of_workers(album: Any) -> None:
    """Two epochs, with augmentation, more batches than a worker's ring of buffers holds."""
    augmentation = Augmentation(Recipe(rows=20, columns=28), seed=4)
    seen = []
    for workers in (0, 1, 2):
        feed = loader(album(37), batch_size=3, augmentation=augmentation, seed=9, workers=workers)
        seen.append([batch for _ in range(2) for batch in feed])
    for other in seen[1:]:
        assert _ids(other) == _ids(seen[0])
        for one, two in zip(seen[0], other, strict=True):
            for name in ("pixel_values", "labels", "valid", "camera"):
                assert torch.equal(one[name], two[name])
    first, second = _ids(seen[0][:13]), _ids(seen[0][13:])
    assert sorted(first) == sorted(second) == sorted(f"frame {k}" for k in range(37))
    assert first != second


def test_batches_stay_as_they_were_while_later_ones_come(album: Any) -> None:
    """Buffers that are shared with the workers are used again; what was handed out must not change."""
    feed = loader(album(64), batch_size=2, shuffle=False, workers=2)
    batches = list(feed)
    for k, batch in enumerate(batches):
        assert batch["labels"][0, 1, 0] == 33 + 2 * k
        assert batch["labels"][1, 1, 0] == 33 + 2 * k + 1


def test_a_batch_is_what_its_items_are(album: Any) -> None:
    dataset = to_torch(album(4), form=Form(unknown="nan"))
    (batch,) = loader(album(4), batch_size=4, shuffle=False, form=Form(unknown="nan"))
    by_hand = next(iter(DataLoader(dataset, batch_size=4, collate_fn=collate)))
    assert batch["id"] == by_hand["id"] == [f"frame {k}" for k in range(4)]
    for name in ("pixel_values", "valid", "camera"):
        assert torch.equal(batch[name], by_hand[name])
    assert torch.equal(batch["labels"].nan_to_num(), by_hand["labels"].nan_to_num())


def test_over_all_ranks_each_sample_comes_once(album: Any) -> None:
    feeds = [loader(album(23), batch_size=4, seed=1, rank=rank, ranks=3) for rank in range(3)]
    for _ in range(2):
        shares = [_ids(feed) for feed in feeds]
        assert sorted([*shares[0], *shares[1], *shares[2]]) == sorted(f"frame {k}" for k in range(23))
        assert [len(share) for share in shares] == [8, 8, 7]
    even = [loader(album(23), batch_size=2, rank=rank, ranks=3, tail="drop") for rank in range(3)]
    lengths = [[len(batch["id"]) for batch in feed] for feed in even]
    assert lengths == [[2, 2, 2]] * 3
    assert [len(feed) for feed in even] == [3, 3, 3]


def test_ranks_are_those_of_torch_distributed(album: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 1)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    assert _ids(loader(album(5), shuffle=False)) == ["frame 1", "frame 3"]
    assert len(_ids(loader(album(5), rank=0, ranks=1))) == 5


def test_epochs_move_on_and_can_be_set(album: Any) -> None:
    feed = loader(album(12), batch_size=4, seed=2)
    passes = [_ids(feed) for _ in range(3)]
    assert feed.epoch == 3
    assert len({tuple(one) for one in passes}) == 3
    feed.set_epoch(1)
    assert _ids(feed) == passes[1]
    assert _ids(loader(album(12), batch_size=4, seed=2, epoch=2)) == passes[2]
    next(iter(feed))
    assert _ids(loader(album(12), batch_size=4, seed=3)) != passes[0]


def test_a_pass_that_was_broken_off_counts_as_one(album: Any) -> None:
    feed = loader(album(24), batch_size=2, workers=2)
    for _ in feed:
        break
    assert feed.epoch == 1
    assert sorted(_ids(feed)) == sorted(f"frame {k}" for k in range(24))


BROKEN = frozenset({3, 8, 9})


@pytest.mark.parametrize("workers", [0, 2])
def test_a_broken_frame_ends_an_epoch_and_is_told_as_it_is(workers: int, album: Any) -> None:
    feed = loader(album(12, BROKEN), batch_size=2, shuffle=False, workers=workers)
    with pytest.raises(DatasetError, match=r"^'depth/3.png' is cut short; copy it again$"):
        _ids(feed)


@pytest.mark.parametrize("workers", [0, 2])
def test_an_epoch_goes_on_past_a_broken_frame_if_asked_and_counts_it(workers: int, album: Any) -> None:
    feed = loader(album(12, BROKEN), batch_size=2, shuffle=False, workers=workers, on_error="skip")
    for _ in range(2):
        assert _ids(feed) == [f"frame {k}" for k in range(12) if k not in BROKEN]
        assert [one.id for one in feed.unread] == ["frame 3", "frame 8", "frame 9"]
        assert feed.unread[0].reason == "'depth/3.png' is cut short; copy it again"


def test_sizes_that_differ_are_told(ragged: Any) -> None:
    with pytest.raises(InputError, match="'frame 0' of 32x24 and 'frame 1' of 16x12"):
        _ids(loader(ragged, batch_size=2, shuffle=False))
    items = [to_torch(ragged)[0], to_torch(ragged)[1]]
    with pytest.raises(InputError, match="crop or resize them to one size"):
        collate(items)
    assert len(_ids(loader(ragged, batch_size=1))) == 6
    augmented = loader(ragged, batch_size=3, augmentation=Augmentation(Recipe(rows=30, columns=30)))
    assert [batch["labels"].shape for batch in augmented] == [(3, 30, 30)] * 2


def test_a_truth_of_another_size_is_refused_unless_augmented(album: Any) -> None:
    class Small(album):  # type: ignore[misc]
        def __getitem__(self, index: int) -> Any:
            from dataclasses import replace

            from leadline.ops.resize import resize

            sample = super().__getitem__(index)
            return replace(sample, truth=resize(sample.truth, width=16, height=12))

    with pytest.raises(InputError, match="a photo of 32x24 and depth of 16x12"):
        to_torch(Small(1))[0]
    item = to_torch(Small(1), augmentation=Augmentation(Recipe(rows=0, columns=0)))[0]
    assert item["labels"].shape == (24, 32)


def test_an_epoch_of_ones_own_loader_is_set(album: Any) -> None:
    dataset = to_torch(album(1), augmentation=Augmentation(Recipe(rows=10, columns=10)))
    first = dataset[0]["pixel_values"]
    dataset.set_epoch(1)
    assert not torch.equal(dataset[0]["pixel_values"], first)
    assert torch.equal(dataset[Ticket(0, 0)]["pixel_values"], first)


def test_values_keep_the_datasets_kind(album: Any) -> None:
    dataset = album(1, kind=Kind.parse("affine-inverse"))
    item = to_torch(dataset)[0]
    assert item["labels"][0, :4].tolist() == [0, 0, 0, -1]
    assert item["valid"][0, :4].tolist() == [False, True, False, True]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size = 0 is not at least 1"),
        ({"workers": -1}, "workers = -1 is not at least 0"),
        ({"on_error": "ignore"}, "on_error = 'ignore'"),
        ({"rank": 2, "ranks": 2}, "rank 2 of 2 does not exist"),
        ({"tail": "pad"}, "tail = 'pad'"),
    ],
)
def test_options_without_sense_are_refused(options: dict[str, Any], message: str, album: Any) -> None:
    with pytest.raises(InputError, match=message):
        loader(album(3), **options)


def test_a_shard_is_a_sampler_that_frameworks_know() -> None:
    shard = Shard(10, shuffle=True, seed=1)
    assert isinstance(shard, torch.utils.data.Sampler)
    first = list(shard)
    shard.set_epoch(1)
    assert [ticket.epoch for ticket in shard] == [1] * 10
    assert [ticket.position for ticket in shard] != [ticket.position for ticket in first]


def test_no_worker_is_left_behind(album: Any) -> None:
    before = set(multiprocessing.active_children())
    feed = loader(album(8), batch_size=2, workers=2)
    list(feed)
    ours = set(multiprocessing.active_children()) - before
    assert len(ours) == 2
    del feed
    for child in ours:
        child.join(10)
    assert not any(child.is_alive() for child in ours)
