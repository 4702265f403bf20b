"""The checks of the data doctor. Each takes what was looked at and gives findings; none opens a file by itself."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera, Origin
from leadline.core.depth_map import DepthMap
from leadline.core.image import Image
from leadline.core.kind import Freedom, Quantity
from leadline.core.sample import Entry, Sample
from leadline.flows.data.collection import Collection, Skipped
from leadline.flows.data.doctor_pictures import levels_picture, pair_picture
from leadline.flows.data.findings import Finding
from leadline.io.trees import Tree
from leadline.ops.edge_agreement import Edges, agreement, edges_of, placements

__all__ = ["CHECKS", "Looked", "leftovers", "look", "unreadable"]

_KEPT_PICTURES = 40
_PLAUSIBLE_M = (0.25, 90.0)
_SHOWN = 8


@dataclass(frozen=True, eq=False)
class Looked:
    """What is kept of a sample that was looked at.

    Args:
        id: The sample.
        scene: Its scene.
        split: Its split.
        photo_sha: Digest of the photo's pixels.
        thumb: The photo at 9x8 pixels of grey, for near duplicates.
        camera: Of the photo.
        metric: Whether the truth is metric depth.
        valid: Share of known pixels.
        median: Of the known values; NaN where none.
        levels: Distinct known values, at most 300; None where there are more.
        top_share: Share of known pixels that hold the largest value.
        top: The largest value.
        fits: Whether photo and truth have one aspect ratio.
        rising: Correlation of values with the row: positive where numbers grow downward.
        edges: For comparing photo and depth.
        small: A small copy for pictures.
    """

    id: str
    scene: str
    split: str
    photo_sha: str
    thumb: NDArray[np.bool_]
    camera: Camera
    metric: bool
    valid: float
    median: float
    levels: NDArray[np.float32] | None
    top_share: float
    top: float
    fits: bool
    rising: float
    edges: Edges
    small: tuple[Image, DepthMap]


def look(sample: Sample) -> Looked:
    """Looks at one sample; little of it is kept.

    Args:
        sample: The sample.

    Returns:
        What the checks need.
    """
    from PIL import Image as PilImage

    image, truth = sample.image, sample.truth
    known = truth.values[truth.valid]
    levels = np.unique(known[:: max(1, known.size // 200_000)]) if known.size else np.zeros(0, np.float32)
    top = float(known.max()) if known.size else float("nan")
    grey = PilImage.fromarray(image.rgb_HW3).convert("L").resize((9, 8), PilImage.Resampling.BOX)
    shades = np.asarray(grey, np.int16)
    return Looked(
        sample.id,
        sample.scene,
        sample.split,
        sha256(np.ascontiguousarray(image.rgb_HW3).data).hexdigest(),
        (shades[:, 1:] > shades[:, :-1]).ravel(),
        image.camera,
        truth.kind.freedom is Freedom.NONE and truth.kind.quantity is Quantity.DEPTH,
        float(truth.valid.mean()),
        float(np.median(known)) if known.size else float("nan"),
        levels if len(levels) <= 300 else None,
        float((known == top).mean()) if known.size else 0.0,
        top,
        abs(truth.width / truth.height - image.width / image.height) < 0.02,
        _rising(truth),
        edges_of(image, truth),
        _small(image, truth),
    )


def _rising(truth: DepthMap) -> float:
    rows, _ = np.nonzero(truth.valid)
    values = truth.values[truth.valid]
    if len(values) < 1000 or float(values.std()) == 0:
        return 0.0
    every = max(1, len(values) // 50_000)
    return float(np.corrcoef(rows[::every], values[::every])[0, 1])


def _small(image: Image, truth: DepthMap) -> tuple[Image, DepthMap]:
    from PIL import Image as PilImage

    width = 240
    height = max(1, round(width * image.height / image.width))
    rgb = np.asarray(PilImage.fromarray(image.rgb_HW3).resize((width, height), PilImage.Resampling.BOX))
    rows = (2 * np.arange(height) + 1) * truth.height // (2 * height)
    columns = (2 * np.arange(width) + 1) * truth.width // (2 * width)
    at = np.ix_(rows, columns)
    return Image.from_array(rgb), DepthMap(truth.values[at], truth.kind, truth.valid[at], truth.infinite[at])


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
    """Photos and depths that lie in the same folders and belong to no sample.

    Args:
        tree: The place.
        parts: What was opened.

    Returns:
        At most one note.
    """
    used = {name for part in parts for entry in part.dataset.entries for name in entry.files}
    folders = {name.rpartition("/")[0] for name in used}
    pictures = re.compile(r".*\.(?:png|jpe?g|npy|npz|pfm|exr|tiff?|h5|hdf5|dpt)", re.IGNORECASE)
    extra = [
        n for n in tree.names if n.rpartition("/")[0] in folders and n not in used and pictures.fullmatch(n)
    ]
    if not extra or not used:
        return []
    return [
        Finding(
            "extra files",
            "note",
            f"{len(extra):,} files beside the samples belong to none",
            f"such as {extra[0]!r}",
            "harmless, unless they should have been pairs",
        )
    ]


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
            tuple(item.id for item, _ in found[:_SHOWN]),
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
            f"the median depth is {middle:.3g} m, which no camera's scene has",
            f"median over {len(medians):,} frames; plausible would be {'; '.join(better) or 'none of the usual units'}",
            "open it with the encoding the files have: 'leadline data info folder' lists them",
        )
    ]


def _inverse(looked: Sequence[Looked], entries: Sequence[Entry], abstained: list[str]) -> list[Finding]:
    """Depth falls toward the bottom of a picture, where the floor comes near; inverse depth rises."""
    judged = [item for item in looked if item.metric and item.valid > 0.2]
    if len(judged) < 4:
        abstained.append("inverse depth: fewer than 4 frames with enough depth")
        return []
    rising = np.array([item.rising for item in judged])
    share = float((rising > 0.15).mean())
    if share < 0.75 or float(np.median(rising)) < 0.3:
        return []
    return [
        Finding(
            "inverse depth",
            "fault",
            "the numbers grow toward the bottom of the pictures, as inverse depth does and depth does not",
            f"correlation with the row {np.median(rising):+.2f} in the middle; over +0.15 in {100 * share:.0f}% of frames",
            "open it with --option kind=metric-inverse-depth (or disparity), or find the depth files",
            tuple(item.id for item in judged[:3]),
            pair_picture(*judged[0].small),
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
            tuple(item.id for item in marked[:_SHOWN]),
            pair_picture(*marked[0].small),
        )
    ]


def _empty(looked: Sequence[Looked], entries: Sequence[Entry], abstained: list[str]) -> list[Finding]:
    empty = [item.id for item in looked if item.valid == 0]
    if not empty:
        return []
    return [
        Finding(
            "no depth",
            "warning",
            f"{len(empty):,} frames know no pixel at all",
            f"of {len(looked):,}",
            "leave them out, or fetch their depth again",
            tuple(empty[:_SHOWN]),
        )
    ]


def _turned(looked: Sequence[Looked], entries: Sequence[Entry], abstained: list[str]) -> list[Finding]:
    """Pairs whose edges agree better with the photo mirrored or turned."""
    judged = [(item, agreement(item.edges)) for item in looked if item.edges.enough]
    judged = [(item, scores) for item, scores in judged if np.isfinite(scores["as it is"])]
    if not judged:
        abstained.append("mirrored or turned pairs: too little depth is known")
        return []
    others = ("mirrored", "upside down", "turned by 180")
    margins = np.array([scores["as it is"] - max(scores[o] for o in others) for _, scores in judged])
    best_of = [max(others, key=lambda o, s=scores: s[o]) for _, scores in judged]  # type: ignore[misc]
    best = float(np.median([max(scores.values()) for _, scores in judged]))
    if len(judged) >= 4 and float(np.median(margins)) < -0.05 and best > 0.12:
        common = Counter(best_of).most_common(1)[0][0]
        item = judged[0][0]
        return [
            Finding(
                "mirrored" if common == "mirrored" else "turned",
                "fault",
                f"photos and depths are {common} against each other throughout",
                f"edges agree better {common} by {-np.median(margins):.2f} in the middle of {len(judged):,} frames",
                "turn one of the two, or open the set with the layout that does",
                tuple(item.id for item, _ in judged[:3]),
                pair_picture(*item.small),
            )
        ]
    sure = len(judged) < 4 or float(np.median(margins)) > 0.05
    if not sure:
        abstained.append("single mirrored pairs: edges of photo and depth hardly agree in this set")
        return []
    many = len(judged) >= 8
    found = [
        (item, scores, best_one)
        for (item, scores), margin, best_one in zip(judged, margins, best_of, strict=True)
        if margin < -_least_margin(best_one, many=many) and scores[best_one] > (0.1 if many else 0.15)
    ]
    return [
        Finding(
            "mirrored" if best_one == "mirrored" else "turned",
            "fault",
            f"photo and depth of this frame are {best_one} against each other",
            f"edge correlation {scores['as it is']:.2f} as it is, {scores[best_one]:.2f} {best_one}; "
            f"the set's frames are better as they are by {np.median(margins):.2f}",
            "turn one of the two, or fetch both again",
            (item.id,),
            pair_picture(*item.small),
        )
        for item, scores, best_one in found[:_KEPT_PICTURES]
    ]


def _least_margin(turn: str, *, many: bool) -> float:
    """How much better edges must agree another way. Mirroring happens; turning hardly ever does, so it needs more."""
    if turn != "mirrored":
        return 0.15
    return 0.06 if many else 0.1


def _shifted(looked: Sequence[Looked], entries: Sequence[Entry], abstained: list[str]) -> list[Finding]:
    """Depth whose edges lie beside the photo's."""
    groups: dict[tuple[int, int], list[Looked]] = defaultdict(list)
    single = len({item.scene for item in looked}) == 1 and len(looked) <= 4
    for number, item in enumerate(looked):
        size = (item.camera.width, item.camera.height)
        groups[(size[0] * 10 + number if single else size[0], size[1])].append(item)
    found = []
    for group in groups.values():
        judged = [item for item in group if item.edges.enough]
        chosen = judged[:: max(1, len(judged) // 24)][:24]
        place = placements([item.edges for item in chosen])
        if place is None:
            abstained.append("registration: too little depth is known")
            continue
        least = 0.05 if len(chosen) >= 4 else 0.08
        gain = place.best - place.here
        # Where edges do not agree at all as they are, a better place is mostly chance, unless it is much better.
        chance = place.best < 0.2 or (place.here < 0.03 and place.best < 0.4)
        if chance or gain < least or not place.inside:
            continue
        found.append(
            Finding(
                "not registered",
                "fault",
                "depth edges lie beside the photo's: depth is not registered to the photo",
                f"edges agree best with depth scaled by {place.scale:g} and moved {place.right_px:+.0f} px to the right, "
                f"{place.down_px:+.0f} px down: correlation {place.best:.2f} against {place.here:.2f} as it is",
                "register depth with the calibration of both cameras (leadline.ops.registration.register)",
                tuple(item.id for item in chosen[:3]),
                pair_picture(*chosen[0].small),
            )
        )
    return found


def _sizes(looked: Sequence[Looked], entries: Sequence[Entry], abstained: list[str]) -> list[Finding]:
    misfits = [item for item in looked if not item.fits]
    if not misfits:
        return []
    return [
        Finding(
            "sizes differ",
            "fault",
            f"photo and depth of {len(misfits):,} frames have other shapes: they are not one view",
            f"such as {misfits[0].id!r}",
            "crop or resize both alike, or find the pair that belongs together",
            tuple(item.id for item in misfits[:_SHOWN]),
            pair_picture(*misfits[0].small),
        )
    ]


def _lenses(looked: Sequence[Looked], entries: Sequence[Entry], abstained: list[str]) -> list[Finding]:
    found = []
    for item in looked:
        camera = item.camera
        if camera.origin is Origin.ASSUMED:
            continue
        off = max(
            abs(camera.cx - (camera.width - 1) / 2) / camera.width,
            abs(camera.cy - (camera.height - 1) / 2) / camera.height,
        )
        stretched = abs(np.log(camera.fx / camera.fy)) > 0.15
        if off > 0.2 or not 15 < camera.fov_long_deg < 135 or stretched:
            found.append((item, off))
    if not found:
        return []
    item, off = found[0]
    camera = item.camera
    return [
        Finding(
            "intrinsics do not fit",
            "fault",
            f"the camera of {len(found):,} frames does not fit their photos",
            f"{item.id!r}: fx {camera.fx:.4g}, fy {camera.fy:.4g}, centre ({camera.cx:.4g}, {camera.cy:.4g}) of "
            f"{camera.width}x{camera.height}: {camera.fov_long_deg:.0f}° across, centre {100 * off:.0f}% off the middle",
            "the intrinsics may be of another resolution or of another camera: scale them, or find the right ones",
            tuple(item.id for item, _ in found[:_SHOWN]),
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
                tuple(leaking[:_SHOWN]),
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
                tuple(item.id for item in group[:_SHOWN]),
                pair_picture(*group[0].small),
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
            pair_picture(first.small[0], second.small[1]),
        )
    ]


Check = Callable[[Sequence[Looked], Sequence[Entry], list[str]], list[Finding]]
CHECKS: tuple[Check, ...] = (
    _sizes,
    _units,
    _quantised,
    _inverse,
    _marks,
    _empty,
    _filled,
    _turned,
    _shifted,
    _lenses,
    _doubles,
)
"""Every check, in the order they are made."""
