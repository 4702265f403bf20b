"""Checks of what depth's numbers are: bits, units, inverse depth, marks, holes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from leadline.core.sample import Entry
from leadline.flows.data.doctor_look import SHOWN, Looked
from leadline.flows.data.doctor_pictures import levels_picture, pair_picture
from leadline.flows.data.findings import Finding

__all__ = ["CHECKS_OF_NUMBERS"]

_PLAUSIBLE_M = (0.25, 90.0)
_FEWEST_PATCHES, _LEAST_GAIN = 4, 0.05


def _quantised(looked: Sequence[Looked], entries: Sequence[Entry], abstained: list[str]) -> list[Finding]:
    """Even steps and few of them: depth that went through 8 bits."""
    found = []
    for item in looked:
        if item.levels is None or len(item.levels) < 8 or not item.metric or item.valid < 0.05:
            continue
        gaps = np.diff(item.levels.astype(np.float64))
        step = float(np.min(gaps))
        even = float(np.abs(gaps / step - np.rint(gaps / step)).max()) < 0.05
        span = float(item.levels[-1] - item.levels[0])
        if even and step > 0.004 * span / 1.2 and step > 0.004:
            found.append((item, step))
    if len(found) < max(1, len(looked) // 3):
        return []
    step = float(np.median([gap for _, gap in found]))
    first = found[0][0]
    return [
        Finding(
            "8-bit quantised",
            "fault",
            f"depth went through 8 bits: it moves in even steps of {100 * step:.2g} cm",
            f"{len(found):,} of {len(looked):,} frames hold at most 256 evenly spaced values; "
            f"{first.id!r} holds {len(first.levels if first.levels is not None else ()):,}",
            "look for the 16-bit or float files; figures below a step mean nothing",
            tuple(item.id for item, _ in found[:SHOWN]),
            levels_picture(first.small[0], first.small[1]),
        )
    ]


def _filled(looked: Sequence[Looked], entries: Sequence[Entry], abstained: list[str]) -> list[Finding]:
    full = [item for item in looked if item.valid > 0.9999 and item.metric]
    if len(looked) < 5 or len(full) < 0.95 * len(looked):
        return []
    return [
        Finding(
            "filled",
            "warning",
            "depth has no holes at all: it was filled in, or rendered",
            f"{len(full):,} of {len(looked):,} frames know every pixel; no depth camera does",
            "score it as filled truth, apart from raw truth: published figures differ by which of the two was used",
            tuple(item.id for item in full[:3]),
            pair_picture(*full[0].small),
        )
    ]


def _units(looked: Sequence[Looked], entries: Sequence[Entry], abstained: list[str]) -> list[Finding]:
    medians = [item.median for item in looked if item.metric and np.isfinite(item.median)]
    if not medians:
        return []
    middle = float(np.median(medians))
    if _PLAUSIBLE_M[0] <= middle <= _PLAUSIBLE_M[1]:
        return []
    shown = [item for item in looked if item.metric and np.isfinite(item.median)]
    readings = {
        "millimetres read as metres": 1000.0,
        "1/5000 m read as millimetres": 5.0,
        "1/256 m read as millimetres": 1000 / 256,
    }
    readings |= {"bits rotated by 3 (SUN RGB-D)": 8.0, "metres read as millimetres": 0.001}
    readings |= {"millimetres read as 1/5000 m": 0.2, "centimetres read as millimetres": 0.1}
    better = [
        f"{words} ({middle / factor:.2g} m)"
        for words, factor in readings.items()
        if 0.5 <= middle / factor <= 30
    ]
    return [
        Finding(
            "wrong unit",
            "fault",
            f"the median depth is {_told_m(middle)}, which no camera's scene has",
            f"median over {len(medians):,} frames; plausible would be {'; '.join(better) or 'none of the usual units'}",
            "open it with the encoding the files have: 'leadline data info folder' lists them",
            tuple(item.id for item in shown[:3]),
            pair_picture(*shown[0].small),
        )
    ]


def _told_m(metres: float) -> str:
    return f"{metres:,.0f} m" if metres >= 100 else f"{metres:.3g} m"


def _inverse(looked: Sequence[Looked], entries: Sequence[Entry], abstained: list[str]) -> list[Finding]:
    """On flat, slanted things inverse depth is linear in the pixel, and depth is not."""
    judged = [item for item in looked if item.metric and item.plain.size]
    patches = np.concatenate([item.plain for item in judged]) if judged else np.zeros(0)
    if len(patches) < _FEWEST_PATCHES:
        abstained.append(f"inverse depth: {len(patches)} flat, slanted patches, fewer than {_FEWEST_PATCHES}")
        return []
    against, middle = int((patches < 0).sum()), float(np.median(patches))
    # Twice the spread of a fair coin, so that a handful of patches must agree altogether.
    if 2 * against - len(patches) < 2 * np.sqrt(len(patches)) or middle > -_LEAST_GAIN:
        return []
    worst = sorted(judged, key=lambda item: float(np.median(item.plain)))
    return [
        Finding(
            "inverse depth",
            "fault",
            "the numbers are inverse depth: on flat things they are linear in the pixel, as one over depth is",
            f"a plane fits the numbers better than one over them in {against:,} of {len(patches):,} flat, slanted patches, "
            f"with residuals {np.exp(-middle):.2g} times as small in the middle",
            "open it with --option kind=metric-inverse-depth (or disparity), or find the depth files",
            tuple(item.id for item in worst[:3]),
            pair_picture(*worst[0].small),
        )
    ]


def _marks(looked: Sequence[Looked], entries: Sequence[Entry], abstained: list[str]) -> list[Finding]:
    """A value far above all others that many pixels share is a mark, not a distance."""
    found = [item for item in looked if item.top_share > 0.01 and np.isfinite(item.top) and item.metric]
    tops = Counter(round(item.top, 3) for item in found)
    most = tops.most_common(1)
    if not most or most[0][1] < max(2, len(looked) // 3):
        return []
    top, count = most[0]
    marked = [item for item in found if round(item.top, 3) == top]
    share = float(np.mean([item.top_share for item in marked]))
    far = top > 60 or top > 4 * float(np.median([item.median for item in marked]))
    if not far:
        return []
    return [
        Finding(
            "undeclared mark",
            "warning",
            f"{100 * share:.1f}% of known pixels hold exactly {top:g} m: a mark for unknown, or a clipped range",
            f"the largest value of {count:,} of {len(looked):,} frames",
            "take it for unknown: leave such pixels out, or name the encoding that marks them",
            tuple(item.id for item in marked[:SHOWN]),
            pair_picture(*marked[0].small),
        )
    ]


def _empty(looked: Sequence[Looked], entries: Sequence[Entry], abstained: list[str]) -> list[Finding]:
    empty = [item for item in looked if item.valid == 0]
    if not empty:
        return []
    return [
        Finding(
            "no depth",
            "warning",
            f"{len(empty):,} frames know no pixel at all",
            f"of {len(looked):,}",
            "leave them out, or fetch their depth again",
            tuple(item.id for item in empty[:SHOWN]),
            pair_picture(*empty[0].small),
        )
    ]


CHECKS_OF_NUMBERS = (_units, _quantised, _inverse, _marks, _empty, _filled)
