"""What the stored numbers of plain folders say of themselves: how holes are marked, and in which encoding they are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import LeadlineError
from leadline.flows.data.collection import Collection
from leadline.flows.data.doctor_units import guessed
from leadline.flows.data.findings import Finding
from leadline.io.arrays import array_of
from leadline.io.depth_files import read_stored
from leadline.io.encodings import ENCODINGS
from leadline.io.rasters import plane_of
from leadline.io.trees import Tree

__all__ = ["holes", "marks_of", "misread"]

_GENERAL = ("folder", "manifest")
"""Layouts that say nothing of holes themselves; the others know their own marks."""

_TELLING = ("sun", "tum", "kinect", "8bit-10m")
"""Encodings that numbers show by themselves; of the others, one can only guess."""

_NEVER_PLAIN = ("sun", "kinect")
"""Encodings whose numbers always show it; metres times 5000 need not be multiples of five."""

_FRAMES = 24
_LEAST = 0.0005


def holes(parts: Sequence[Collection]) -> list[Finding]:
    """What stands for unknown depth in files whose layout does not say it.

    Args:
        parts: What was opened.

    Returns:
        One finding a mark: a fault where it counts as depth, else a note.
    """
    shares: dict[str, list[tuple[str, float, float]]] = defaultdict(list)
    for part in parts:
        if part.spec.name in _GENERAL:
            for mark, told in _marks_in(part):
                shares[mark].append(told)
    return [_finding(mark, told) for mark, told in shares.items()]


def misread(parts: Sequence[Collection]) -> list[Finding]:
    """Encodings that were said and that the stored numbers contradict.

    Rotated bits leave the low three empty, metres times 5000 made of millimetres are multiples of five, and Kinect
    disparities end at 2047: numbers like these are no plain millimetres, and numbers unlike them are not what they are
    said to be.

    Args:
        parts: What was opened.

    Returns:
        At most one fault a part.
    """
    found = []
    for part in parts:
        said = str(part.options.get("encoding", ""))
        if part.spec.name in _GENERAL and said in ENCODINGS:
            found += _contradicted(part, said)
    return found


def _contradicted(part: Collection, said: str) -> list[Finding]:
    seen = Counter(guessed(stored) for _, stored, _ in _read(part) if stored.dtype.kind != "f")
    if not seen:
        return []
    likely, count = seen.most_common(1)[0]
    tells = likely in _TELLING or said in _NEVER_PLAIN
    if likely == said or not tells or 5 * count < 4 * seen.total():
        return []
    return [
        Finding(
            "wrong unit",
            "fault",
            f"the numbers are not stored as {said!r} ({ENCODINGS[said].words}), but look like {likely!r}",
            f"{likely}: {ENCODINGS[likely].words}; so in {count:,} of {seen.total():,} files",
            f"open it with --option encoding={likely}",
            tuple(entry.id for entry in part.entries[:3]),
        )
    ]


def marks_of(stored: NDArray[Any]) -> dict[str, NDArray[np.bool_]]:
    """Where stored numbers are marks that people use for unknown.

    Args:
        stored: (H, W).

    Returns:
        Masks by mark, of those that are there: ``"0"``, ``"65535"``, ``"inf"``, ``"NaN"``, ``"negative numbers"``.

    Example:
        >>> list(marks_of(np.array([[0, 65535, 900]], np.uint16)))
        ['0', '65535']
    """
    found = {"0": stored == 0, "65535": stored == 65535}
    if stored.dtype.kind == "f":
        found |= {"inf": np.isposinf(stored), "NaN": np.isnan(stored), "negative numbers": stored < 0}
    return {mark: mask for mark, mask in found.items() if float(mask.mean()) > _LEAST}


def _marks_in(part: Collection) -> list[tuple[str, tuple[str, float, float]]]:
    """(mark, (sample, share of pixels, share of them that count as depth))."""
    found = []
    for id, stored, truth in _read(part):
        if stored.shape == truth.shape:
            found += [(mark, _told(id, mask, truth)) for mark, mask in marks_of(stored).items()]
    return found


def _read(part: Collection) -> Iterator[tuple[str, NDArray[Any], DepthMap]]:
    """A few samples: id, stored numbers and truth. What cannot be read is told by another finding."""
    chosen = part.spread(_FRAMES)
    for position, entry in enumerate(chosen.entries):
        try:
            stored = _stored(part.dataset.tree, entry.files[1])  # type: ignore[attr-defined]  # those layouts have one
            truth = chosen[position].truth
        except LeadlineError:
            continue
        yield entry.id, stored, truth


def _told(id: str, mask: NDArray[np.bool_], truth: DepthMap) -> tuple[str, float, float]:
    return id, float(mask.mean()), float(truth.valid[mask].mean())


def _stored(tree: Tree, name: str) -> NDArray[Any]:
    suffix = name.rpartition(".")[2].lower()
    if suffix in ("png", "pgm"):
        return plane_of(tree.read(name), name)
    if suffix == "npy":
        return np.squeeze(array_of(tree.read(name), name))
    return read_stored(tree.local(name)).numbers_HW


def _finding(mark: str, told: Sequence[tuple[str, float, float]]) -> Finding:
    share, counted = (float(np.mean([row[k] for row in told])) for k in (1, 2))
    evidence = f"{100 * share:.2g}% of the pixels of {len(told):,} frames hold {mark}"
    ids = tuple(row[0] for row in told[:3])
    if counted > 0.5:
        return Finding(
            "holes count as depth",
            "fault",
            f"{mark} marks holes, and is read as depth",
            evidence,
            "say an encoding that knows the mark (--option encoding=NAME), or write the holes as 0 or NaN",
            ids,
        )
    return Finding(
        "holes",
        "note",
        f"holes are marked by {mark}, and read as unknown",
        evidence,
        "nothing: this is understood",
        ids,
    )
