"""Checks of a set as a whole: files that are missing or too many, frames that come twice, scenes that leak."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from leadline.core.sample import Entry
from leadline.flows.data.collection import Collection, Skipped
from leadline.flows.data.doctor_look import SHOWN, Looked
from leadline.flows.data.doctor_pictures import two_photos
from leadline.flows.data.findings import Finding
from leadline.io.trees import Tree

__all__ = ["CHECKS_OF_SETS", "leftovers", "unreadable"]

_PICTURES = re.compile(r".*\.(?:png|jpe?g|npy|npz|pfm|exr|tiff?|h5|hdf5|dpt)", re.IGNORECASE)


def unreadable(broken: Sequence[Skipped], total: int) -> Finding:
    """Frames that could not be read.

    Args:
        broken: Which, and why.
        total: Of how many.

    Returns:
        The finding.
    """
    return Finding(
        "unreadable",
        "fault",
        f"{len(broken):,} of {total:,} frames cannot be read",
        broken[0].reason,
        "fetch these files again, or leave the frames out",
        tuple(item.id for item in broken),
    )


def leftovers(tree: Tree, parts: Sequence[Collection]) -> list[Finding]:
    """Photos and depths that belong to no sample: beside the samples, and in folders of their own.

    Args:
        tree: The place.
        parts: What was opened.

    Returns:
        At most two notes.
    """
    used = {name for part in parts for entry in part.dataset.entries for name in entry.files}
    if not used:
        return []
    folders = {name.rpartition("/")[0] for name in used}
    drawn = " ".join(
        part.spec.layout for part in parts
    )  # what a layout has besides, such as the other eye's photo
    rest = [name for name in tree.names if name not in used and _PICTURES.fullmatch(name)]
    extra = [n for n in rest if n.rpartition("/")[0] in folders and n.rpartition("/")[2] not in drawn]
    offered = {choice for part in parts for option in part.spec.options for choice in option.choices}
    apart = [n for n in rest if n.rpartition("/")[0] not in folders and not offered & set(n.split("/"))]
    return _extra(extra) + _apart(apart)


def _extra(names: Sequence[str]) -> list[Finding]:
    if not names:
        return []
    return [
        Finding(
            "extra files",
            "note",
            f"{len(names):,} files beside the samples belong to none",
            f"such as {names[0]!r}",
            "harmless, unless they should have been pairs",
        )
    ]


def _apart(names: Sequence[str]) -> list[Finding]:
    if not names:
        return []
    folders = sorted({name.rpartition("/")[0] or "." for name in names})
    told = ", ".join(folders[:4]) + (" …" if len(folders) > 4 else "")
    return [
        Finding(
            "other pictures",
            "note",
            f"{len(names):,} pictures in other folders are not of this layout and were not looked at",
            f"they are in {told}",
            "examine such a folder by itself, where it holds pairs too",
        )
    ]


def _doubles(looked: Sequence[Looked], entries: Sequence[Entry], abstained: list[str]) -> list[Finding]:
    findings = []
    scenes: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        if entry.scene and entry.split:
            scenes[entry.scene].add(entry.split)
    leaking = sorted(scene for scene, splits in scenes.items() if len(splits) > 1)
    if leaking:
        findings.append(
            Finding(
                "scenes leak",
                "fault",
                f"{len(leaking):,} scenes are in more than one split",
                f"such as {leaking[0]!r} in {' and '.join(sorted(scenes[leaking[0]]))}",
                "split by scene, never by frame: scores on seen places mean nothing",
                tuple(leaking[:SHOWN]),
                _two_of(looked, leaking[0]),
            )
        )
    same: dict[str, list[Looked]] = defaultdict(list)
    for item in looked:
        same[item.photo_sha].append(item)
    twins = [group for group in same.values() if len(group) > 1]
    if twins:
        across = [group for group in twins if len({item.split for item in group}) > 1]
        group = (across or twins)[0]
        findings.append(
            Finding(
                "duplicate frames",
                "fault" if across else "warning",
                f"{len(twins):,} photos come more than once"
                + (", some in more than one split" if across else ""),
                f"{' and '.join(repr(item.id) for item in group[:3])} are the same pixels",
                "keep one of each",
                tuple(item.id for item in group[:SHOWN]),
                two_photos(group[0].small[0], group[1].small[0], (group[0].id, group[1].id)),
            )
        )
    findings += _near_twins(looked)
    return findings


def _near_twins(looked: Sequence[Looked]) -> list[Finding]:
    """Nearly the same photo in two splits (difference hash, at most 2 of 64 bits apart)."""
    splits = {item.split for item in looked if item.split}
    if len(splits) < 2:
        return []
    hashes = np.array([item.thumb for item in looked], np.uint8)
    pairs = []
    for k, item in enumerate(looked):
        near = np.nonzero((hashes[k + 1 :] != hashes[k]).sum(1) <= 2)[0] + k + 1
        pairs += [
            (item, looked[int(j)])
            for j in near
            if looked[int(j)].split != item.split and looked[int(j)].photo_sha != item.photo_sha
        ]
    if not pairs:
        return []
    first, second = pairs[0]
    return [
        Finding(
            "near duplicates across splits",
            "warning",
            f"{len(pairs):,} pairs of nearly the same photo lie in different splits",
            f"{first.id!r} ({first.split}) and {second.id!r} ({second.split})",
            "split by scene, and leave a gap between neighbouring frames",
            (first.id, second.id),
            two_photos(first.small[0], second.small[0], (first.id, second.id)),
        )
    ]


def _two_of(looked: Sequence[Looked], scene: str) -> NDArray[np.uint8] | None:
    """A frame of the scene in each of two splits, where both were looked at."""
    of_split = {item.split: item for item in looked if item.scene == scene}
    if len(of_split) < 2:
        return None
    (one, first), (other, second) = list(of_split.items())[:2]
    return two_photos(first.small[0], second.small[0], (f"{first.id} ({one})", f"{second.id} ({other})"))


CHECKS_OF_SETS = (_doubles,)
