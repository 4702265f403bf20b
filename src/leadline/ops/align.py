"""Finding what a kind leaves unknown, against a reference: the only way to refine a kind (law 1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError, UnknownName
from leadline.core.kind import Along, Freedom, Kind, Quantity
from leadline.ops.fit import Floats, Method, fit
from leadline.ops.geometry import rays, to_axis, to_depth, to_inverse, to_ray

__all__ = ["Alignment", "KnownPoints", "align"]

NonPositive = Literal["invalid", "clamp"]

_METHODS = ("least-squares", "robust")
_NON_POSITIVE = ("invalid", "clamp")


@dataclass(frozen=True, eq=False)
class KnownPoints:
    """A few pixels whose distance somebody measured.

    Convention:
        Row 0 is at the top, column 0 at the left. A tape from the lens to the object measures along the RAY.

    Args:
        rows: Row of each point.
        columns: Column of each point.
        depth_m: Distance of each point in metres.
        along: What was measured: z along the optical axis, or distance along the ray.

    Raises:
        InputError: The three do not have one length, a row or column is not a whole number, or a distance is not
            positive and finite.

    Example:
        >>> len(KnownPoints(rows=np.array([10, 200]), columns=np.array([5, 300]), depth_m=np.array([1.2, 3.4])))
        2
    """

    rows: NDArray[np.integer]
    columns: NDArray[np.integer]
    depth_m: Floats
    along: Along = Along.AXIS

    def __post_init__(self) -> None:
        rows, columns = np.array(self.rows), np.array(self.columns)
        depth_m = np.array(self.depth_m, np.float64)
        if depth_m.ndim != 1 or rows.shape != depth_m.shape or columns.shape != depth_m.shape:
            raise InputError(
                f"{rows.shape} rows, {columns.shape} columns and {depth_m.shape} distances do not fit together",
                hint="give one row, one column and one distance a point",
            )
        for name, places in (("rows", rows), ("columns", columns)):
            if places.size and places.dtype.kind not in "iu":
                raise InputError(f"{name} of type {places.dtype} are not whole numbers", hint="round them")
        bad = ~(np.isfinite(depth_m) & (depth_m > 0))
        if bool(bad.any()):
            raise InputError(
                f"known distance {depth_m[bad][0]} is not positive and finite",
                hint="give metres, or leave it out",
            )
        for field, array in (("rows", rows), ("columns", columns), ("depth_m", depth_m)):
            array.flags.writeable = False
            object.__setattr__(self, field, array)

    def __len__(self) -> int:
        return len(self.depth_m)


@dataclass(frozen=True, slots=True)
class Alignment:
    """A scale and a shift that were fitted, ready to be applied, also to further frames of the same source.

    Convention:
        aligned = scale x value + shift, in ``space``.

    Args:
        scale: Factor, always positive.
        shift: Added after the factor; 0 where only a scale was fitted.
        space: Where the two hold: ``"depth"`` or ``"inverse-depth"``.
        method: ``"least-squares"`` or ``"robust"``.
        n_pixels: How many pixels both had.
        residual: Root mean square of aligned - reference over them, in the space's unit.
        freedom: What was fitted: SCALE, or AFFINE for scale and shift.
        result: What is left unknown afterwards: that of the reference.
        along: Axis or ray, that of the prediction.
        floor: The smallest value of the reference in the space: its nearest depth, or the inverse of its farthest.
    """

    scale: float
    shift: float
    space: Literal["depth", "inverse-depth"]
    method: Method
    n_pixels: int
    residual: float
    freedom: Freedom
    result: Freedom
    along: Along
    floor: float

    def apply(self, depth: DepthMap, *, nonpositive: NonPositive = "invalid") -> DepthMap:
        """A map with the scale and shift applied, and its kind refined.

        Args:
            depth: The prediction that was aligned, or another of the same kind.
            nonpositive: What becomes of values that the shift makes 0 or negative: ``"invalid"`` marks them so;
                ``"clamp"`` lifts every value below the reference's smallest in the space to it, which for inverse depth
                is the far limit, as the MiDaS protocol does.

        Returns:
            The same quantity with the reference's freedom. Never a negative value.

        Raises:
            KindError: The map leaves more unknown than was fitted, or runs along another line.
            UnknownName: No such treatment of non-positive values.
        """
        if nonpositive not in _NON_POSITIVE:
            raise UnknownName("treatment of non-positive values", nonpositive, known=_NON_POSITIVE)
        if depth.kind.freedom > self.freedom or depth.kind.along is not self.along:
            raise KindError(
                f"{depth.kind} is not what this alignment fits: it finds "
                f"{'a scale' if self.freedom is Freedom.SCALE else 'a scale and a shift'} along the {self.along.value}",
                hint="align this map itself",
            )
        there = _in_space(depth, Quantity(self.space))
        with np.errstate(invalid="ignore", over="ignore"):
            values = (self.scale * there.values.astype(np.float64) + self.shift).astype(np.float32)
            if nonpositive == "clamp":
                values = np.maximum(values, np.float32(self.floor))
            valid = there.valid & (values > 0) & np.isfinite(values)
        aligned = DepthMap(
            values, replace(there.kind, freedom=self.result), valid, there.infinite, depth.camera
        )
        return _in_space(aligned, depth.kind.quantity)


def align(
    prediction: DepthMap,
    reference: DepthMap | KnownPoints,
    *,
    freedom: Freedom | None = None,
    space: Quantity | str | None = None,
    method: Method = "least-squares",
) -> Alignment:
    """Fits the scale, or the scale and the shift, that bring a prediction onto a reference.

    Least squares minimises the sum of (scale x prediction + shift - reference)² in closed form. The robust scale is the
    median of reference / prediction. The robust scale and shift start from the line of least median error among lines
    through two pixels (Rousseeuw, 1984), so that predictions that are wrong by any amount do not pull, and are refined
    with Tukey's bisquare weights at 4.685 sigma, sigma from the median absolute error (Yohai, 1987). It is the same each
    time: the pixels tried are drawn with a fixed seed.

    Convention:
        aligned = scale x prediction + shift, in depth or in inverse depth. Only pixels valid in both count.

    Args:
        prediction: What is to be aligned.
        reference: Truth of the same size and below AFFINE, or a few known points in metres.
        freedom: SCALE, or AFFINE for scale and shift. Where not said, what the prediction leaves unknown, and at
            least a scale.
        space: ``"depth"`` or ``"inverse-depth"``. Where not said, that of the prediction's own values.
        method: ``"least-squares"`` or ``"robust"``.

    Returns:
        The alignment, to be applied with ``.apply(prediction)``.

    Raises:
        KindError: The reference itself leaves a shift unknown, the prediction leaves more unknown than is to be
            fitted, or it cannot be brought into the space.
        InputError: Sizes differ, a point lies outside, too few pixels, a constant prediction, or the best scale is not
            positive: the two run in opposite directions.
        UnknownName: No such space or method.

    Example:
        >>> truth = DepthMap(np.array([[1.0, 2.0, 4.0]]), Kind())
        >>> prediction = DepthMap(np.array([[5.0, 3.0, 2.0]]), Kind(Quantity.INVERSE, Freedom.AFFINE))
        >>> found = align(prediction, truth)
        >>> round(found.scale, 6), round(found.shift, 6), found.space
        (0.25, -0.25, 'inverse-depth')
        >>> to_depth(found.apply(prediction))
        DepthMap 1x3, metres, 1 to 4
    """
    if method not in _METHODS:
        raise UnknownName("alignment method", method, known=_METHODS)
    fitted = _to_fit(prediction.kind, freedom)
    quantity = _quantity(prediction.kind.quantity if space is None else space)
    here, there, result = _pairs(prediction, reference, quantity)
    fewest = 1 if fitted is Freedom.SCALE else 2
    if len(here) < fewest:
        raise InputError(
            f"{len(here)} pixels are valid in both, too few to align (at least {fewest})",
            hint="give a reference that overlaps the prediction",
        )
    scale, shift = fit(here, there, freedom=fitted, method=method)
    if not (np.isfinite(scale) and np.isfinite(shift) and scale > 0):
        raise InputError(
            f"the best scale is {scale:.6g}, which is not positive: prediction and reference run in opposite directions",
            hint=f"check that the prediction is {prediction.kind.quantity.value} and not the other way round",
        )
    residual = float(np.sqrt(np.mean((scale * here + shift - there) ** 2)))
    return Alignment(
        scale=scale,
        shift=shift,
        space=quantity.value,
        method=method,
        n_pixels=len(here),
        residual=residual,
        freedom=fitted,
        result=result,
        along=prediction.kind.along,
        floor=float(there.min()),
    )


def _to_fit(kind: Kind, freedom: Freedom | None) -> Freedom:
    if freedom is None:
        return max(kind.freedom, Freedom.SCALE)
    if freedom < max(kind.freedom, Freedom.SCALE):
        raise KindError(
            f"{kind} cannot be aligned by freedom {freedom.name} alone",
            hint=f"fit freedom={max(kind.freedom, Freedom.SCALE).name}",
        )
    return freedom


def _quantity(space: Quantity | str) -> Quantity:
    known = [quantity.value for quantity in Quantity]
    if not isinstance(space, Quantity) and space not in known:
        raise UnknownName("alignment space", space, known=known)
    return Quantity(space)


def _in_space(depth: DepthMap, quantity: Quantity) -> DepthMap:
    return to_depth(depth) if quantity is Quantity.DEPTH else to_inverse(depth)


def _pairs(
    prediction: DepthMap, reference: DepthMap | KnownPoints, quantity: Quantity
) -> tuple[Floats, Floats, Freedom]:
    """Values of both where both are valid, in the space, and the reference's freedom."""
    there = _in_space(prediction, quantity)
    if isinstance(reference, KnownPoints):
        known = _at_points(prediction, reference)
        here, valid = (plane[reference.rows, reference.columns] for plane in (there.values, there.valid))
        truth = known if quantity is Quantity.DEPTH else 1 / known
        return here[valid].astype(np.float64), truth[valid], Freedom.NONE
    if reference.kind.freedom is Freedom.AFFINE:
        raise KindError(
            f"a reference of {reference.kind} cannot fix a scale",
            hint="align to metric or scale-invariant depth",
        )
    if reference.shape != prediction.shape:
        raise InputError(
            f"a reference of {reference.width}x{reference.height} does not fit a prediction of "
            f"{prediction.width}x{prediction.height}",
            hint="resize the prediction to the reference",
        )
    if reference.kind.along is not prediction.kind.along:
        reference = to_axis(reference) if prediction.kind.along is Along.AXIS else to_ray(reference)
    truth_map = _in_space(reference, quantity)
    both = there.valid & truth_map.valid
    here, truth = (plane[both].astype(np.float64) for plane in (there.values, truth_map.values))
    return here, truth, reference.kind.freedom


def _at_points(prediction: DepthMap, points: KnownPoints) -> Floats:
    """The known distances along the prediction's own line, after a check that the points lie in the picture."""
    outside = (points.rows < 0) | (points.rows >= prediction.height)
    outside |= (points.columns < 0) | (points.columns >= prediction.width)
    if bool(outside.any()):
        row, column = points.rows[outside][0], points.columns[outside][0]
        raise InputError(
            f"known point (row {row}, column {column}) lies outside {prediction.width}x{prediction.height}",
            hint="count from 0 at the top left",
        )
    if points.along is prediction.kind.along:
        return points.depth_m
    if prediction.camera is None:
        raise InputError(
            f"points measured along the {points.along.value} need a camera to meet {prediction.kind}",
            hint="give the prediction a camera with .with_camera(...)",
        )
    directions = rays(prediction.camera)[points.rows, points.columns].astype(np.float64)
    length: Floats = np.sqrt((directions**2).sum(axis=-1))
    return points.depth_m * (length if points.along is Along.AXIS else 1 / length)
