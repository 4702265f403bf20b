"""Lines through pairs of numbers: least squares in closed form, and a fit that outliers cannot pull."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from leadline.core.errors import InputError
from leadline.core.kind import Freedom

__all__ = ["BISQUARE", "MAD_TO_SIGMA", "Floats", "Method", "fit", "fit_relative"]

Method = Literal["least-squares", "robust"]
Floats = NDArray[np.float64]

BISQUARE = 4.685
"""Where Tukey's bisquare weight ends, in standard deviations: 95 % efficiency on normal errors."""

MAD_TO_SIGMA = 1.4826
"""Standard deviations a median absolute deviation, for normal errors."""

_ROBUST_PAIRS = 1 << 16
"""The robust fit iterates; of more pairs than this it uses so many, drawn by lot."""

_CANDIDATES = 500
"""Lines through two pairs that are tried as a start, on at most four times as many pairs."""


def fit(here: Floats, there: Floats, *, freedom: Freedom, method: Method) -> tuple[float, float]:
    """The scale, or scale and shift, of least error: there = scale x here + shift.

    Args:
        here: Values of the prediction, shape (N,); positive where only a scale is fitted.
        there: Values of the reference, shape (N,).
        freedom: SCALE, or AFFINE for scale and shift.
        method: Least squares in closed form, or the robust fit that ``align`` describes.

    Returns:
        Scale and shift.

    Raises:
        InputError: A scale and a shift are asked of a constant prediction.

    Example:
        >>> fit(np.array([1.0, 2.0]), np.array([2.0, 4.0]), freedom=Freedom.SCALE, method="least-squares")
        (2.0, 0.0)
    """
    if freedom is Freedom.SCALE:
        if method == "robust":
            return float(np.median(there / here)), 0.0
        return _dot(here, there) / _dot(here, here), 0.0
    if _constant(here):
        raise InputError(
            f"the prediction is constant ({here[0]:.6g}) where the reference is known: it fixes no scale and shift",
            hint="fit a scale only, or give points at different depths",
        )
    if method == "least-squares":
        return _line(here, there)
    return _bisquare_line(here, there)


def fit_relative(here: Floats, there: Floats, *, freedom: Freedom) -> tuple[float, float]:
    """The scale, or scale and shift, of least relative error: sum of ((scale x here + shift) / there - 1)² in closed form.

    For a few measured distances, near and far: least squares proper would hear the far ones only, or, in inverse depth,
    the near ones.

    Args:
        here: Values of the prediction, shape (N,).
        there: Values of the reference, shape (N,), none of them 0.
        freedom: SCALE, or AFFINE for scale and shift.

    Returns:
        Scale and shift.

    Example:
        >>> scale, shift = fit_relative(np.array([1.0, 2.0]), np.array([3.0, 5.0]), freedom=Freedom.AFFINE)
        >>> round(scale, 9), round(shift, 9)
        (2.0, 1.0)
    """
    if freedom is Freedom.SCALE:
        ratio = here / there
        return float(ratio.sum() / (ratio @ ratio)), 0.0
    return _line(here, there, 1 / there**2)


def _constant(here: Floats) -> bool:
    return bool(np.ptp(here) <= 1e-6 * np.abs(here).max())


def _sample(here: Floats, there: Floats, lots: np.random.Generator) -> tuple[Floats, Floats]:
    """At most ``_ROBUST_PAIRS`` pairs drawn by lot, or all of them where those drawn do not vary."""
    if len(here) <= _ROBUST_PAIRS:
        return here, there
    chosen = lots.choice(len(here), _ROBUST_PAIRS, replace=False, shuffle=False)
    return (here, there) if _constant(here[chosen]) else (here[chosen], there[chosen])


def _dot(one: Floats, other: Floats) -> float:
    """The sum of products, pairwise; BLAS would start threads that get in the way of images scored side by side."""
    return float(np.sum(one * other))


def _line(here: Floats, there: Floats, weight: Floats | None = None) -> tuple[float, float]:
    """The least-squares line in closed form, about the means for accuracy; weighted where weights are given."""
    if weight is None:
        mean_here, mean_there = float(here.mean()), float(there.mean())
    else:
        total = float(weight.sum())
        mean_here, mean_there = _dot(weight, here) / total, _dot(weight, there) / total
    offset = here - mean_here
    pull = offset if weight is None else weight * offset
    scale = _dot(pull, there - mean_there) / _dot(pull, offset)
    return scale, mean_there - scale * mean_here


def _bisquare_line(here: Floats, there: Floats) -> tuple[float, float]:
    """Iteratively reweighted least squares with Tukey's weights, from a start that outliers cannot move."""
    lots = np.random.default_rng(0)
    here, there = _sample(here, there, lots)
    scale, shift = _consensus_line(here, there, lots) or _line(here, there)
    smallest = 1e-9 * float(np.abs(there).max())
    for _ in range(100):
        error = np.abs(scale * here + shift - there)
        bend = max(BISQUARE * MAD_TO_SIGMA * float(np.median(error)), smallest)
        weight = np.maximum(0.0, 1 - (error / bend) ** 2) ** 2
        if np.ptp(here[weight > 0]) == 0:
            break
        before = scale, shift
        scale, shift = _line(here, there, weight)
        if np.allclose((scale, shift), before, rtol=1e-8, atol=smallest):
            break
    return scale, shift


def _consensus_line(here: Floats, there: Floats, lots: np.random.Generator) -> tuple[float, float] | None:
    """Among lines through two pairs drawn by lot, the one of least median error; None where no two drawn differ."""
    if len(here) > 4 * _CANDIDATES:
        chosen = lots.choice(len(here), 4 * _CANDIDATES, replace=False)
        here, there = here[chosen], there[chosen]
    one, other = lots.integers(0, len(here), (2, _CANDIDATES))
    apart = here[one] != here[other]
    one, other = one[apart], other[apart]
    if not len(one):
        return None
    scales = (there[one] - there[other]) / (here[one] - here[other])
    shifts = there[one] - scales * here[one]
    errors = [np.median(np.abs(s * here + t - there)) for s, t in zip(scales, shifts, strict=True)]
    best = int(np.argmin(errors))
    return float(scales[best]), float(shifts[best])
