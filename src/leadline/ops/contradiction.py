"""Whether a few measured distances go together, and, where they do not, which one is wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadline.core.errors import InputError
from leadline.core.kind import Freedom, Quantity
from leadline.ops.fit import Floats, fit_relative
from leadline.ops.known_points import KnownPoints

__all__ = ["check_agreement", "said"]

AGREE = float(np.log(1.2))
"""Points that one fit brings within a fifth of what was measured do not contradict each other: models are no better."""

WRONG = float(np.log(2.5))
"""A point that the others put farther off than by this factor is wrong: inches for centimetres, feet for metres, a digit. Less
than that happens to true points: small models err by a factor of two where they do not know what they see."""

AGAINST = 3.0
"""A point is only wrong if it is so many times farther off than the worst of the others without it."""

CLEARLY = 2.0
"""Without the wrong point the others agree so many times better than without any other."""


def check_agreement(
    points: KnownPoints, here: Floats, there: Floats, *, freedom: Freedom, quantity: Quantity
) -> None:
    """Refuses points that contradict each other, and says which is wrong where that can be told.

    Each point in turn is left out; where the others agree and put it somewhere else altogether, it is wrong. Of just one
    point more than is needed any can be left out, so none is blamed, unless all other ways lead nowhere.

    Args:
        points: The points as they were given, shape (N,).
        here: Values of the prediction there.
        there: What was measured, in the prediction's own quantity and along its line.
        freedom: What is fitted: SCALE, or AFFINE for scale and shift.
        quantity: The prediction's quantity.

    Raises:
        InputError: They contradict each other.

    Example:
        >>> points = KnownPoints(np.zeros(3, int), np.arange(3), np.array([2.0, 2.0, 20.0]))
        >>> check_agreement(points, np.ones(3), points.depth_m, freedom=Freedom.SCALE, quantity=Quantity.DEPTH)
        Traceback (most recent call last):
        leadline.core.errors.InputError: point 2,0=20m does not go with the others, which put it at 2 m; ...
    """
    everyone = np.ones(len(here), bool)
    if len(here) <= freedom or np.abs(_off(here, there, freedom, everyone)).max() <= AGREE:
        return
    ways = sorted(
        (way for place in range(len(here)) if (way := _without(place, here, there, freedom))),
        key=lambda way: way.rest,
    )
    if not ways:
        return
    if len(ways) == 1 or ways[0].rest * CLEARLY < ways[1].rest:
        place, off = ways[0].place, ways[0].off
        there_m = points.depth_m[place] * np.exp(off if quantity is Quantity.DEPTH else -off)
        where = f"at {there_m:.3g} m" if np.isfinite(off) else "beyond all distance"
        raise InputError(
            f"point {said(points, place)} does not go with the others, which put it {where}",
            hint="check its pixel and its unit, measure it again, or leave it out: the model may be wrong there",
        )
    raise InputError(
        f"the {len(here)} points contradict each other, and so few cannot tell which is wrong: "
        f"{', '.join(said(points, place) for place in range(len(here)))}",
        hint="check their pixels and units, or add another point",
    )


def said(points: KnownPoints, place: int) -> str:
    """A point as it is typed.

    Args:
        points: The points.
        place: Which.

    Returns:
        ``"412,300=2.4m"``.

    Example:
        >>> said(KnownPoints(np.array([300]), np.array([412]), np.array([2.4])), 0)
        '412,300=2.4m'
    """
    return f"{points.columns[place]},{points.rows[place]}={points.depth_m[place]:.6g}m"


@dataclass(frozen=True, slots=True)
class _Way:
    """Leaving one point out: how far the rest are off at most, and how far it is, in logarithms."""

    place: int
    rest: float
    off: float


def _without(place: int, here: Floats, there: Floats, freedom: Freedom) -> _Way | None:
    """The way of leaving one out; None where the rest then determine nothing, disagree, or go with it."""
    rest = np.arange(len(here)) != place
    if freedom is Freedom.AFFINE and np.ptp(here[rest]) == 0:
        return None
    off = _off(here, there, freedom, rest)
    apart = float(np.abs(off[rest]).max())
    if abs(off[place]) <= WRONG or apart * AGAINST > abs(off[place]):
        return None
    return _Way(place, apart, float(off[place]))


def _off(here: Floats, there: Floats, freedom: Freedom, used: NDArray[np.bool_]) -> Floats:
    """Log of found / measured of every point when some are used for the fit; infinite where there is no distance."""
    scale, shift = fit_relative(here[used], there[used], freedom=freedom)
    found = scale * here + shift
    off = np.full(len(here), np.inf)
    if np.isfinite(scale) and scale > 0:
        off[found > 0] = np.log(found[found > 0] / there[found > 0])
    return off
