"""Held-out blocks: contiguous, evenly spaced, with a gap."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.core.errors import DatasetError, InputError
from leadline.core.sample import Entry
from leadline.training.recipe import DataRecipe
from leadline.training.recipe_files import load_recipe
from leadline.training.splits import split_blocks, split_samples


@given(st.integers(1, 8), st.integers(1, 20), st.integers(0, 5), st.integers(1, 400))
def test_blocks_are_whole_apart_and_never_touch_what_is_learned(
    blocks: int, frames: int, dropped: int, more: int
) -> None:
    recipe = DataRecipe("nyu", held_out_blocks=blocks, held_out_frames=frames, dropped_frames=dropped)
    count = blocks * (frames + 2 * dropped + 1) + more
    train, held_out = split_blocks(count, recipe=recipe)
    assert len(held_out) == len(set(held_out)) == blocks * frames
    assert len(train) == count - blocks * (frames + 2 * dropped)
    assert 0 <= min(held_out) <= max(held_out) < count
    nearest = min(abs(a - b) for a in train for b in held_out)
    assert nearest == dropped + 1


def test_the_embedded_recipe_keeps_six_blocks_of_eighteen_of_795() -> None:
    train, held_out = split_blocks(795, recipe=load_recipe("embedded-indoor").data)
    assert (len(train), len(held_out)) == (651, 108)
    starts = [i for i in held_out if i - 1 not in held_out]
    assert len(starts) == 6
    assert {b - a for a, b in pairwise(starts)} <= {132, 133}


def test_too_few_frames_are_refused() -> None:
    with pytest.raises(DatasetError, match="20 frames are too few to hold out 2 blocks of 9"):
        split_blocks(20, recipe=DataRecipe("nyu", held_out_blocks=2, held_out_frames=9, dropped_frames=1))


def test_frames_that_show_a_held_out_place_are_left_out_by_name() -> None:
    entries = [Entry(f"{number:04}") for number in range(20)]
    blocks = DataRecipe(
        "nyu", held_out_blocks=1, held_out_frames=4, dropped_frames=1, dropped_ids=("0000", "0009")
    )
    train, held_out = split_samples(entries, recipe=blocks)
    assert held_out == [8, 9, 10, 11]  # a frame that is held out stays so
    assert train == [k for k in range(1, 20) if not 7 <= k <= 12]
    with pytest.raises(DatasetError, match="drops frame '77', which the dataset does not have"):
        split_samples(entries, recipe=replace(blocks, dropped_ids=("77",)))


def test_without_blocks_nothing_is_held_out() -> None:
    none = DataRecipe("nyu", held_out_blocks=0, held_out_frames=18, dropped_frames=3)
    assert split_blocks(5, recipe=none) == ([0, 1, 2, 3, 4], [])


def test_scenes_are_held_out_whole_and_evenly_spaced() -> None:
    entries = [Entry(f"{scene}{frame}", scene) for frame in range(3) for scene in "fedcba"]
    train, held_out = split_samples(entries, recipe=DataRecipe("diode", held_out_scenes=2))
    assert {entries[k].scene for k in held_out} == {"b", "e"}
    assert len(held_out) == 6
    assert {entries[k].scene for k in train} == set("acdf")
    with pytest.raises(DatasetError, match="6 scenes are too few to hold out 6"):
        split_samples(entries, recipe=DataRecipe("diode", held_out_scenes=6))
    with pytest.raises(DatasetError, match="does not say which scene"):
        split_samples([*entries, Entry("x")], recipe=DataRecipe("diode", held_out_scenes=2))
    with pytest.raises(InputError, match="held_out_scenes = 2 is not 0 beside held_out_blocks"):
        DataRecipe("diode", held_out_blocks=1, held_out_frames=2, held_out_scenes=2)


def test_a_share_is_the_validation_split_or_whole_scenes_or_the_end() -> None:
    share = DataRecipe("", held_out_share=0.25)
    told = [Entry(f"{k}", split=split) for k, split in enumerate(["train", "val", "test", "", "val"])]
    assert split_samples(told, recipe=share) == ([0, 3], [1, 4])
    scenes = [Entry(f"{k}", scene="abcdabcd"[k], split="test" if k == 7 else "") for k in range(8)]
    train, held_out = split_samples(scenes, recipe=share)
    assert held_out == [2, 6]
    assert train == [0, 1, 3, 4, 5]
    assert split_samples([Entry(f"{k}") for k in range(8)], recipe=share) == ([0, 1, 2, 3, 4, 5], [6, 7])
    two = [Entry("a", scene="x"), Entry("b", scene="y")]
    assert split_samples(two, recipe=DataRecipe("", held_out_share=0.9)) == ([0], [1])


def test_an_empty_split_is_refused() -> None:
    with pytest.raises(DatasetError, match="none of 3 frames is left to learn from"):
        split_samples(
            [Entry(f"{k}", split="test") for k in range(3)], recipe=DataRecipe("", held_out_share=0.5)
        )
    with pytest.raises(DatasetError, match="none of 1 frames"):
        split_samples([Entry("a")], recipe=DataRecipe("", dropped_ids=("a",)))
    with pytest.raises(InputError, match=r"held_out_share = 0\.5 is not 0 beside"):
        DataRecipe("", held_out_share=0.5, held_out_scenes=1)
    with pytest.raises(InputError, match=r"held_out_share = 1\.0 is not at least 0 and below 1"):
        DataRecipe("", held_out_share=1.0)
