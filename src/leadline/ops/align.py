"""Finding what a kind leaves unknown, against a reference: the only way to refine a kind (law 1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError, UnknownName
from leadline.core.kind import Along, Freedom, Kind, Quantity
from leadline.ops.fit import Floats, Method, fit
from leadline.ops.geometry import to_axis, to_depth, to_inverse, to_ray
from leadline.ops.known_points import KnownPoints, distances_along

__all__ = ["Alignment", "align"]

NonPositive = Literal["invalid", "clamp"]

_METHODS = ("least-squares", "robust")
_NON_POSITIVE = ("invalid", "clamp")


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
        scale_uncertain: Whether the reference's own metres rest on an assumed focal length; never so for points.
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
    scale_uncertain: bool = False

    def apply(
        self, depth: DepthMap, *, nonpositive: NonPositive = "invalid", limit_m: float | None = None
    ) -> DepthMap:
        """A map with the scale and shift applied, its kind refined, and its scale as sure as the reference's.

        Convention:
            ``limit_m`` is distance along the map's own line, axis or ray.

        Args:
            depth: The prediction that was aligned, or another of the same kind.
            nonpositive: What becomes of values that the shift makes 0 or negative: ``"invalid"`` marks them so;
                ``"clamp"``, in inverse depth only, takes them and all that is farther than ``limit_m`` to that limit, as
                the MiDaS protocol does. Nothing nearer is touched.
            limit_m: The farthest depth for ``"clamp"``: the MiDaS protocol caps NYU at 10 m and KITTI at 80 m.

        Returns:
            The same quantity with the reference's freedom. Never a negative value.

        Raises:
            KindError: The map leaves more unknown than was fitted, or runs along another line; or it is to be clamped,
                and the alignment is not in inverse depth or not metric.
            InputError: ``"clamp"`` without a positive and finite limit, or a limit without ``"clamp"``.
            UnknownName: No such treatment of non-positive values.
        """
        smallest = self._smallest(nonpositive, limit_m)
        if depth.kind.freedom > self.freedom or depth.kind.along is not self.along:
            raise KindError(
                f"{depth.kind} is not what this alignment fits: it finds "
                f"{'a scale' if self.freedom is Freedom.SCALE else 'a scale and a shift'} along the {self.along.value}",
                hint="align this map itself",
            )
        there = _in_space(depth, Quantity(self.space))
        with np.errstate(invalid="ignore", over="ignore"):
            values = (self.scale * there.values.astype(np.float64) + self.shift).astype(np.float32)
            if smallest > 0:
                values = np.maximum(values, np.float32(smallest))
            valid = there.valid & (values > 0) & np.isfinite(values)
        kind = replace(there.kind, freedom=self.result)
        aligned = DepthMap(values, kind, valid, there.infinite, depth.camera, self.scale_uncertain)
        return _in_space(aligned, depth.kind.quantity)

    def _smallest(self, nonpositive: NonPositive, limit_m: float | None) -> float:
        """What smaller values are lifted to, in the space; 0 where none are."""
        if nonpositive not in _NON_POSITIVE:
            raise UnknownName("treatment of non-positive values", nonpositive, known=_NON_POSITIVE)
        if nonpositive == "invalid":
            if limit_m is not None:
                raise InputError(
                    f"limit_m={limit_m} does nothing where non-positive values become invalid",
                    hint='pass nonpositive="clamp" with it, or leave it out',
                )
            return 0.0
        if self.space != "inverse-depth" or self.result is not Freedom.NONE:
            found = self.space if self.result is Freedom.NONE else f"{self.space} of unknown scale"
            raise KindError(
                f"there is no farthest depth in metres to clamp to after an alignment in {found}",
                hint='align in metric inverse depth, or pass nonpositive="invalid"',
            )
        if limit_m is None or not (np.isfinite(limit_m) and limit_m > 0):
            raise InputError(
                f"clamping needs the farthest depth in metres, not {limit_m}",
                hint="pass limit_m=10.0, say, for a room, or limit_m=80.0 for a street",
            )
        return 1 / limit_m


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
    doubt = isinstance(reference, DepthMap) and reference.scale_uncertain
    scale, shift, residual = _line(here, there, prediction.kind, freedom=fitted, method=method)
    n_pixels, along = len(here), prediction.kind.along
    return Alignment(
        scale, shift, quantity.value, method, n_pixels, residual, fitted, result, along, scale_uncertain=doubt
    )


def _line(
    here: Floats, there: Floats, kind: Kind, *, freedom: Freedom, method: Method
) -> tuple[float, float, float]:
    """Scale, shift and residual of a fit that has enough pixels and runs the right way."""
    fewest = 1 if freedom is Freedom.SCALE else 2
    if len(here) < fewest:
        raise InputError(
            f"{len(here)} pixels are valid in both, too few to align (at least {fewest})",
            hint="give a reference that overlaps the prediction",
        )
    scale, shift = fit(here, there, freedom=freedom, method=method)
    if not (np.isfinite(scale) and np.isfinite(shift) and scale > 0):
        raise InputError(
            f"the best scale is {scale:.6g}, which is not positive: prediction and reference run in opposite directions",
            hint=f"check that the prediction is {kind.quantity.value} and not the other way round",
        )
    residual = float(np.sqrt(np.mean((scale * here + shift - there) ** 2)))
    return scale, shift, residual


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
        known = distances_along(prediction, reference)
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
