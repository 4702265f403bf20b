"""Metres from a few known distances: the scale, or scale and shift, that a model's predictions leave unknown."""

from __future__ import annotations

import numpy as np

from leadline._version import __version__
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, UnknownName
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.core.results import ModelRecord, Prediction
from leadline.ops.align import Alignment
from leadline.ops.calibration import CalibratedPoint, Calibration
from leadline.ops.calibration_remarks import remarks_on
from leadline.ops.contradiction import check_agreement, said
from leadline.ops.fit import Floats, Method, fit, fit_relative
from leadline.ops.known_points import KnownPoints, distances_along

__all__ = ["FARTHEST_M", "NEAREST_M", "WINDOW", "calibrate"]

_METHODS = ("auto", "least-squares", "robust")

WINDOW = 5
"""A point's value is the median over so many pixels each way, so that no single pixel decides."""

NEAREST_M, FARTHEST_M = 0.001, 10_000.0
"""Distances that nobody measures in a photo are refused: a slip of the unit, more likely than not."""

ROBUST_FROM = 20
"""More points than this are fitted robustly unless said otherwise: nobody typed them, so some will be wrong."""

LEAST_SPREAD = 0.02
"""The share of the map's own range that the points must span for a shift to be found."""

HOPELESS = 0.5
"""A fit that is off by more than this share has nothing to do with the points."""

KEPT = 100
"""Points that a calibration keeps; of more it keeps so many, evenly drawn."""


def calibrate(
    prediction: Prediction | DepthMap,
    points: KnownPoints,
    *,
    method: str = "auto",
    window: int = WINDOW,
    model: ModelRecord | None = None,
    source: str = "",
) -> Calibration:
    """Finds what makes a model's predictions metric, from known distances in one of them.

    What the model leaves unknown is found and no more: a scale; a scale and a shift for affine-invariant models, in
    inverse depth where that is what they predict. A metric model's metres get a factor.

    Few points are fitted by least squares of the relative error, so that near and far points count alike; many by the
    robust fit of ``align``, which wrong points do not pull.

    Convention:
        A point's value is the median of the valid pixels in a window around it. Distances are along the axis or the ray, as
        the points say; a tape or a laser held at the lens measures along the RAY.

    Args:
        prediction: What the model said of the photo, or the depth map alone.
        points: Pixels of that photo whose distance was measured.
        method: ``"least-squares"``, ``"robust"``, or ``"auto"``: robust for more than 20 points.
        window: Rows and columns of the window, an odd number; 1 takes the pixel alone.
        model: Who made a map; a prediction says so itself. Without it the calibration fits every map of that kind, and only
            ``.apply`` takes it.
        source: What the photo of a map was called, likewise.

    Returns:
        The calibration; ``.apply(depth)`` turns further predictions of that model and camera into metres.

    Raises:
        InputError: The points cannot determine it: too few, all at one predicted distance, outside the photo, on unknown
            pixels, beyond what can be measured, in contradiction; the best scale is not positive; or the prediction was
            calibrated already.
        UnknownName: No such method.

    Example:
        >>> from leadline.core.kind import Kind
        >>> disparity = DepthMap(np.array([[8.0, 4.0], [2.0, 1.0]]), Kind(Quantity.INVERSE, Freedom.AFFINE))
        >>> known = KnownPoints(np.array([0, 0, 1]), np.array([0, 1, 1]), np.array([1.0, 1.8, 4.5]))
        >>> found = calibrate(disparity, known, window=1)
        >>> found.words
        'inverse depth = 0.111111 × prediction + 0.111111'
        >>> found.apply(disparity)
        DepthMap 2x2, metres, 1 to 4.5
    """
    if isinstance(prediction, Prediction):
        depth, model, source = prediction.depth, prediction.model, prediction.image.source
    else:
        depth = prediction
    _check_asked(points, method, window)
    if model is not None and model.calibrated:
        raise InputError(
            f"the prediction was calibrated already: {model.calibrated}",
            hint="calibrate what the model says itself, without --calibration",
        )
    known_m = distances_along(depth, points)
    here = _values_at(depth, points, window)
    _check_determined(depth, here)
    inverse = depth.kind.quantity is Quantity.INVERSE
    alignment = _alignment(points, depth.kind, here, 1 / known_m if inverse else known_m, method)
    found_m = _metres(alignment, here)
    known = np.isfinite(found_m)
    error = found_m[known] / known_m[known] - 1 if known.any() else np.array([np.inf])
    rms, worst = float(np.sqrt(np.mean(error**2))), float(np.abs(error).max())
    _check_good(rms)
    return Calibration(
        alignment,
        depth.kind,
        _kept(points, found_m * (points.depth_m / known_m)),
        len(points),
        rms,
        worst,
        points.along,
        model,
        depth.camera,
        source,
        remarks_on(depth, points, known_m=known_m, found_m=found_m, here=here, freedom=alignment.freedom),
        __version__,
    )


def _check_asked(points: KnownPoints, method: str, window: int) -> None:
    if method not in _METHODS:
        raise UnknownName("calibration method", method, known=_METHODS)
    if window < 1 or window % 2 == 0:
        raise InputError(f"a window of {window} pixels has no middle", hint="give an odd number, such as 5")
    if not len(points):
        raise InputError("there are no known points", hint="give at least two, such as --point 412,300=2.4m")
    absurd = (points.depth_m < NEAREST_M) | (points.depth_m > FARTHEST_M)
    if absurd.any():
        raise InputError(
            f"point {said(points, int(absurd.argmax()))} is no distance that is measured in a photo",
            hint=f"give {NEAREST_M:g} m to {FARTHEST_M:,.0f} m; check its unit",
        )


def _values_at(depth: DepthMap, points: KnownPoints, window: int) -> Floats:
    """The median of the valid pixels around each point; a point on an unknown pixel is refused."""
    rows, columns = points.rows.astype(np.intp), points.columns.astype(np.intp)
    unknown = ~depth.valid[rows, columns]
    if unknown.any():
        place = int(unknown.argmax())
        sky = " (it sees sky there)" if depth.infinite[rows[place], columns[place]] else ""
        raise InputError(
            f"the prediction says nothing at point {said(points, place)}{sky}",
            hint="choose a pixel where it does",
        )
    reach = np.arange(window) - window // 2
    r, c = np.broadcast_arrays(rows[:, None, None] + reach[:, None], columns[:, None, None] + reach)
    inside = (r >= 0) & (r < depth.height) & (c >= 0) & (c < depth.width)
    near = depth.values[r.clip(0, depth.height - 1), c.clip(0, depth.width - 1)].astype(np.float64)
    near[~(inside & np.isfinite(near))] = np.nan
    values: Floats = np.nanmedian(near.reshape(len(rows), -1), axis=1)
    return values


def _alignment(points: KnownPoints, kind: Kind, here: Floats, there: Floats, method: str) -> Alignment:
    freedom = max(kind.freedom, Freedom.SCALE)
    chosen: Method = "robust" if method == "robust" else "least-squares"
    if method == "auto" and len(here) > ROBUST_FROM:
        chosen = "robust"
    if chosen == "robust":
        scale, shift = fit(here, there, freedom=freedom, method="robust")
    else:
        check_agreement(points, here, there, freedom=freedom, quantity=kind.quantity)
        scale, shift = fit_relative(here, there, freedom=freedom)
    if not (np.isfinite(scale) and scale > 0):
        raise InputError(
            f"the best scale is {scale:.6g}, which is not positive: what was measured nearer is predicted farther",
            hint="check that no two points are swapped, that x comes before y, and that the kind is right",
        )
    residual = float(np.sqrt(np.mean((scale * here + shift - there) ** 2)))
    return Alignment(
        scale,
        shift,
        kind.quantity.value,
        chosen,
        len(here),
        residual,
        freedom,
        Freedom.NONE,
        kind.along,
    )


def _check_determined(depth: DepthMap, here: Floats) -> None:
    """A shift needs two points at least, and points that differ."""
    if depth.kind.freedom is not Freedom.AFFINE:
        return
    if len(here) < 2:
        raise InputError(
            f"one point cannot fix both the scale and the shift that {depth.kind} leaves unknown",
            hint="give two or more, some near and some far",
        )
    low, high = np.percentile(depth.values[depth.valid], (2, 98))
    if np.ptp(here) <= LEAST_SPREAD * float(high - low) or np.ptp(here) <= 1e-6 * np.abs(here).max():
        raise InputError(
            f"all points are at the same predicted {depth.kind.quantity.value} ({here.min():.4g} to {here.max():.4g}, "
            f"of {low:.4g} to {high:.4g} in the photo): they fix no scale and shift",
            hint="give points near and far",
        )


def _check_good(rms: float) -> None:
    if rms > HOPELESS:
        raise InputError(
            f"the points do not go with the prediction: the best fit is off by {100 * rms:.0f} % (root mean square)",
            hint="check that pixels count from the top left of the upright photo, x first, and the unit",
        )


def _metres(alignment: Alignment, here: Floats) -> Floats:
    """Calibrated distance along the prediction's own line; NaN where there is none."""
    values = alignment.scale * here + alignment.shift
    values = np.where(values > 0, values, np.nan)
    return 1 / values if alignment.space == "inverse-depth" else values


def _kept(points: KnownPoints, found_m: Floats) -> tuple[CalibratedPoint, ...]:
    places = np.unique(np.linspace(0, len(points) - 1, min(len(points), KEPT)).round().astype(int))
    return tuple(
        CalibratedPoint(
            int(points.columns[k]), int(points.rows[k]), float(points.depth_m[k]), float(found_m[k])
        )
        for k in places
    )
