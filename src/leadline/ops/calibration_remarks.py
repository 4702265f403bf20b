"""What a user should know of a calibration besides its errors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from leadline.core.camera import Origin
from leadline.core.depth_map import DepthMap
from leadline.core.kind import Along, Freedom
from leadline.ops.fit import Floats
from leadline.ops.known_points import KnownPoints

__all__ = ["remarks_on"]

OFF = 0.2
"""A point that is off by more than this share is remarked on."""

SLANT = 0.02
"""A ray that is longer than its z by more than this share makes the lens matter."""


def remarks_on(
    depth: DepthMap,
    points: KnownPoints,
    *,
    known_m: Floats,
    found_m: Floats,
    here: Floats,
    freedom: Freedom,
) -> tuple[str, ...]:
    """Remarks on a calibration, in words.

    Args:
        depth: The prediction that was calibrated.
        points: The points it rests on.
        known_m: What was measured, along the prediction's own line.
        found_m: What the calibrated prediction says there; NaN where nothing.
        here: What the prediction itself says there.
        freedom: What was fitted.

    Returns:
        One sentence each; none where there is nothing to say.
    """
    return (
        *_on_number(len(points), freedom),
        *_on_errors(known_m, found_m),
        *_on_reach(depth, here, freedom),
        *_on_lens(depth, points, known_m),
    )


def _on_number(number: int, freedom: Freedom) -> Iterator[str]:
    if number == freedom:
        fewest = "one point fixes the scale" if number == 1 else "two points fix scale and shift"
        yield f"{fewest} exactly: the errors say nothing of how good it is; one point more would"


def _on_errors(known_m: Floats, found_m: Floats) -> Iterator[str]:
    lost = int((~np.isfinite(found_m)).sum())
    if lost:
        yield f"{lost} of {len(found_m)} points {'comes' if lost == 1 else 'come'} out at no distance at all"
    off = int((np.abs(found_m / known_m - 1) > OFF).sum())
    if off:
        yield f"{off} of {len(found_m)} points {'is' if off == 1 else 'are'} off by more than {100 * OFF:.0f} %"


def _on_reach(depth: DepthMap, here: Floats, freedom: Freedom) -> Iterator[str]:
    """A line is only known between its points."""
    if freedom is not Freedom.AFFINE:
        return
    values = depth.values[depth.valid]
    share = float(((values >= here.min()) & (values <= here.max())).mean())
    if share < 0.5:
        yield (
            f"only {100 * share:.0f} % of the photo lies between the nearest and the farthest point; beyond them distances "
            "are extrapolated"
        )


def _on_lens(depth: DepthMap, points: KnownPoints, known_m: Floats) -> Iterator[str]:
    camera = depth.camera
    if camera is None or camera.origin is not Origin.ASSUMED or points.along is depth.kind.along:
        return
    slant = float(np.abs(points.depth_m / known_m - 1).max())
    if slant > SLANT:
        way = "z along the axis" if points.along is Along.RAY else "distance along the ray"
        yield (
            f"distances were turned into {way} by an assumed lens, by up to {100 * slant:.0f} %: give --fov, or points near the "
            "middle"
        )
