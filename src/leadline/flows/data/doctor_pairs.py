"""Checks of photo against depth: mirrored, turned, shifted, of other shapes, seen by the wrong lens."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from leadline.core.camera import Origin
from leadline.core.sample import Entry
from leadline.flows.data.doctor_look import SHOWN, Looked
from leadline.flows.data.doctor_pictures import lens_picture, pair_picture
from leadline.flows.data.findings import Finding
from leadline.ops.edge_agreement import agreement, placements

__all__ = ["CHECKS_OF_PAIRS"]

_MOST_NAMED = 40


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
        for item, scores, best_one in found[:_MOST_NAMED]
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
            f"such as {misfits[0].id!r}: {misfits[0].sizes}",
            "crop or resize both alike, or find the pair that belongs together",
            tuple(item.id for item in misfits[:SHOWN]),
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
            tuple(item.id for item, _ in found[:SHOWN]),
            lens_picture(item.small[0], camera),
        )
    ]


CHECKS_OF_PAIRS = (_sizes, _turned, _shifted, _lenses)
