"""Several looks at one scene brought together: their mean, and how far they disagree."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.kind import Freedom
from leadline.ops.fit import Floats, fit

__all__ = ["agree"]


def agree(looks: Iterable[DepthMap]) -> tuple[DepthMap, NDArray[np.float32]]:
    """The mean of several looks at one scene, and their standard deviation.

    What a kind leaves unknown may differ from look to look, so it is fitted to the first look and taken out before looks
    are compared: nothing for metres; a factor, by the median of the ratios, for scale-invariant maps; a factor and a
    shift, by a robust line, for affine-invariant ones. Where no line with a positive factor fits, the look gets the first
    look's median and mean absolute deviation, so that it counts as the disagreement that it is.

    The mean, and not the median, because two looks are the usual case and have no other; because it is what the field's
    flip averaging takes (monodepth, ZoeDepth); and because mean and standard deviation are of one sample, in the map's own
    quantity.

    Convention:
        All looks are of one frame, kind and size. The kind never changes. What is known and what is sky are the first
        look's; a pixel that another look does not know is averaged over those that do.

    Args:
        looks: The looks; each is dropped when it is taken in.

    Returns:
        The map with the first look's masks and camera; and float32 (H, W), the sample standard deviation (n - 1) in the
        map's unit, NaN where fewer than two looks know the pixel.

    Raises:
        InputError: There is no look, or one is of another size or kind.

    Example:
        >>> from leadline.core.kind import Kind
        >>> one, other = (DepthMap(np.full((1, 2), metres), Kind()) for metres in (2.0, 4.0))
        >>> mean, spread = agree([one, other])
        >>> mean, spread.round(3).tolist()
        (DepthMap 1x2, metres, 3 to 3, [[1.414..., 1.414...]])
    """
    rest = iter(looks)
    first = next(rest, None)
    if first is None:
        raise InputError("there is no look to bring together", hint="give at least one depth map")
    count = first.valid.astype(np.float64)
    mean = np.where(first.valid, first.values, 0.0).astype(np.float64)
    squares = np.zeros(first.shape)
    for look in rest:
        _check(look, first)
        both = look.valid & first.valid
        if not bool(both.any()):
            continue
        scale, shift = _onto(
            look.values[both].astype(np.float64), first.values[both].astype(np.float64), first
        )
        # Welford's running mean and sum of squares: one look is in memory at a time.
        off = scale * look.values[both] + shift - mean[both]
        count[both] += 1
        mean[both] += off / count[both]
        squares[both] += off * (off - off / count[both])
    spread = np.full(first.shape, np.nan, np.float32)
    several = count > 1
    spread[several] = np.sqrt(squares[several] / (count[several] - 1))
    values = mean.astype(np.float32)
    agreed = DepthMap(
        values, first.kind, first.valid, first.infinite, first.camera, scale_uncertain=first.scale_uncertain
    )
    return agreed, spread


def _check(look: DepthMap, first: DepthMap) -> None:
    if look.shape != first.shape or look.kind != first.kind:
        raise InputError(
            f"a look of {look.shape}, {look.kind}, does not go with the first, of {first.shape}, {first.kind}",
            hint="bring all into one frame, and compare looks of one model",
        )


def _onto(here: Floats, there: Floats, first: DepthMap) -> tuple[float, float]:
    """The factor and the shift that bring a look onto the first, as far as the kind leaves them unknown."""
    freedom = first.kind.freedom
    if freedom is Freedom.NONE:
        return 1.0, 0.0
    if freedom is Freedom.SCALE:
        return fit(here, there, freedom=freedom, method="robust")
    try:
        scale, shift = fit(here, there, freedom=freedom, method="robust")
    except InputError:  # a constant look
        scale, shift = 0.0, 0.0
    if np.isfinite(scale) and np.isfinite(shift) and scale > 0:
        return scale, shift
    return _by_spread(here, there)


def _by_spread(here: Floats, there: Floats) -> tuple[float, float]:
    """Median onto median, mean absolute deviation onto mean absolute deviation."""
    middle_here, middle_there = float(np.median(here)), float(np.median(there))
    wide_here, wide_there = (float(np.abs(x - np.median(x)).mean()) for x in (here, there))
    scale = wide_there / wide_here if wide_here > 0 else 1.0
    return scale, middle_there - scale * middle_here
