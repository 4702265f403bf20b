"""Which frames are held out."""

from __future__ import annotations

from collections.abc import Sequence

from leadline.core.errors import DatasetError
from leadline.core.sample import Entry
from leadline.training.recipe import DataRecipe

__all__ = ["split_blocks", "split_samples"]


def split_blocks(count: int, *, recipe: DataRecipe) -> tuple[list[int], list[int]]:
    """Splits frames whose scenes are not named but lie next to each other.

    Contiguous, evenly spaced blocks are held out, and frames at their edges are dropped, because neighbours show the same
    scene. The rule looks at positions only: a scene longer than the dropped frames can still lie on both sides, so look
    at the frames around the edges before you trust a score.

    Args:
        count: Number of frames.
        recipe: Number and size of the blocks (no block holds nothing out), and the frames dropped on each side of one.

    Returns:
        Positions to train on, and positions held out.

    Raises:
        DatasetError: There are too few frames for these blocks.

    Example:
        >>> blocks = DataRecipe("nyu", held_out_blocks=1, held_out_frames=2, dropped_frames=1)
        >>> split_blocks(8, recipe=blocks)
        ([0, 1, 6, 7], [3, 4])
    """
    whole = recipe.held_out_frames + 2 * recipe.dropped_frames
    if not recipe.held_out_blocks:
        return list(range(count)), []
    stretch = count / recipe.held_out_blocks
    if stretch < whole + 1:
        raise DatasetError(
            f"{count} frames are too few to hold out {recipe.held_out_blocks} blocks of {recipe.held_out_frames}",
            hint="use more data, or fewer held_out_blocks",
        )
    train = set(range(count))
    held_out: list[int] = []
    for block in range(recipe.held_out_blocks):
        start = int((block + 0.5) * stretch - whole / 2)
        train -= set(range(start, start + whole))
        held_out += range(start + recipe.dropped_frames, start + whole - recipe.dropped_frames)
    return sorted(train), held_out


def split_samples(entries: Sequence[Entry], *, recipe: DataRecipe) -> tuple[list[int], list[int]]:
    """Splits a dataset by its scenes or by the rule of blocks, and leaves out of training what the recipe names.

    Args:
        entries: What there is, in order.
        recipe: The scenes or blocks, and the ids of frames that show a held-out place.

    Returns:
        Positions to train on, and positions held out.

    Raises:
        DatasetError: There are too few frames or scenes, or an id is none of theirs.

    Example:
        >>> blocks = DataRecipe("nyu", 1, 2, 1, dropped_ids=("a0",))
        >>> split_samples([Entry(f"a{k}") for k in range(8)], recipe=blocks)
        ([1, 6, 7], [3, 4])
    """
    if recipe.held_out_share:
        train, held_out = _split_share(entries, share=recipe.held_out_share)
    elif recipe.held_out_scenes:
        train, held_out = _split_scenes([entry.scene for entry in entries], count=recipe.held_out_scenes)
    else:
        train, held_out = split_blocks(len(entries), recipe=recipe)
    absent = set(recipe.dropped_ids) - {entry.id for entry in entries}
    if absent:
        raise DatasetError(
            f"the recipe drops frame {min(absent)!r}, which the dataset does not have",
            hint="correct dropped_ids, or copy the dataset again",
        )
    train = [k for k in train if entries[k].id not in recipe.dropped_ids]
    if not train:
        raise DatasetError(
            f"none of {len(entries)} frames is left to learn from",
            hint="use more data, or hold out and drop fewer",
        )
    return train, held_out


def _split_share(entries: Sequence[Entry], *, share: float) -> tuple[list[int], list[int]]:
    usable = [k for k, entry in enumerate(entries) if entry.split != "test"]
    told = [k for k in usable if entries[k].split == "val"]
    if told:
        return [k for k in usable if entries[k].split != "val"], told
    scenes = {entries[k].scene for k in usable}
    if "" not in scenes and len(scenes) > 1:
        count = min(len(scenes) - 1, max(1, round(share * len(scenes))))
        train, held_out = _split_scenes([entries[k].scene for k in usable], count=count)
        return [usable[k] for k in train], [usable[k] for k in held_out]
    count = max(1, round(share * len(usable)))
    return usable[:-count], usable[-count:]


def _split_scenes(scenes: Sequence[str], *, count: int) -> tuple[list[int], list[int]]:
    names = sorted(set(scenes))
    if "" in names:
        raise DatasetError(
            "the dataset does not say which scene every frame shows",
            hint="hold out blocks of neighbours: held_out_blocks in the recipe",
        )
    if len(names) <= count:
        raise DatasetError(
            f"{len(names)} scenes are too few to hold out {count}",
            hint="use more data, or fewer held_out_scenes",
        )
    kept = {names[int((k + 0.5) * len(names) / count)] for k in range(count)}
    held_out = [k for k, scene in enumerate(scenes) if scene in kept]
    return [k for k, scene in enumerate(scenes) if scene not in kept], held_out
