"""How far a prediction is from the truth."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError, UnknownName
from leadline.core.kind import Freedom, Quantity
from leadline.ops.metrics_boundary import measure_boundary
from leadline.ops.metrics_order import measure_order
from leadline.ops.metrics_pair import MeasureOptions, Pair
from leadline.ops.metrics_pixels import measure_pixels
from leadline.ops.metrics_scores import Scores, pool
from leadline.ops.metrics_space import measure_cloud, measure_normals
from leadline.ops.metrics_structure import measure_structure
from leadline.ops.metrics_table import METRICS, Family, Metric, Pooling

__all__ = ["METRICS", "Family", "MeasureOptions", "Metric", "Pooling", "Scores", "measure", "pool", "score"]

_USUAL = ("abs_rel", "sq_rel", "rmse", "rmse_log", "log10", "silog", "delta1", "delta2", "delta3")


def measure(
    prediction: DepthMap,
    truth: DepthMap,
    *,
    names: Sequence[str],
    mask: NDArray[np.bool_] | None = None,
    limits_m: tuple[float, float] | None = None,
    clamp_m: tuple[float, float] | None = None,
    options: MeasureOptions | None = None,
) -> Scores:
    """Measures a prediction in metres against the truth; only what is asked for is computed.

    A pixel is scored where its truth is known, inside the mask and inside the limits, and the prediction is known. What has
    no prediction (NaN, infinite, zero or negative, which no ``DepthMap`` holds as valid) is counted by ``coverage`` and
    never scored.

    Convention:
        Both are metric depth of the same pixels along the same direction. Nothing is aligned here: align first where the
        prediction is up to scale or shift.

    Args:
        prediction: What a model says.
        truth: What is so.
        names: Metrics, by their names in ``METRICS``.
        mask: Pixels that count, bool (H, W), besides those whose truth is known; a protocol's crop.
        limits_m: Only truth strictly between these counts; the upper one is a protocol's cap.
        clamp_m: The prediction is clipped to these before it is measured.
        options: What the metrics' definitions leave open.

    Returns:
        The scores.

    Raises:
        KindError: One of the two is not metric depth, or they run along different directions.
        InputError: Sizes differ, limits that leave nothing, PSNR or SSIM without a data range, or no pixel can be scored.
        UnknownName: No such metric.

    Example:
        >>> from leadline.core.kind import Kind
        >>> truth = DepthMap(np.full((2, 2), 2.0), Kind())
        >>> scores = measure(DepthMap(np.full((2, 2), 2.2), Kind()), truth, names=["abs_rel", "delta1"])
        >>> round(scores.abs_rel, 3), scores.delta1, scores.rmse
        (0.1, 1.0, nan)
    """
    options = options or MeasureOptions()
    _check_names(names, options)
    _check_limits("limits_m", limits_m)
    _check_limits("clamp_m", clamp_m)
    _check_kinds(prediction, truth)
    counts = _counting(truth, mask, limits_m)
    both = _scored(prediction, counts)
    clipped = prediction.values if clamp_m is None else np.clip(prediction.values, *clamp_m)
    pair = Pair(clipped, truth.values, counts, both, truth.kind.along, truth.camera)
    figures: dict[str, float] = {}
    for family in {METRICS[name].family for name in names}:
        figures |= _FAMILIES[family](pair, names, options)
    wanted = {name: figure for name, figure in figures.items() if name in names or name not in METRICS}
    pixels, known = int(np.count_nonzero(both)), int(np.count_nonzero(counts))
    return Scores(pixels=pixels, known=known, coverage=pixels / known, **wanted)


def score(
    prediction: DepthMap,
    truth: DepthMap,
    *,
    mask: NDArray[np.bool_] | None = None,
    limits_m: tuple[float, float] | None = None,
) -> Scores:
    """The nine errors that most tables print, with the prediction clipped to the limits, as benchmarks do.

    Args:
        prediction: What a model says, in metres.
        truth: What is so.
        mask: Pixels that count, bool (H, W), besides those whose truth is known.
        limits_m: Truth outside these limits does not count, and the prediction is clipped to them.

    Returns:
        The scores, as ``measure`` gives them.

    Raises:
        KindError: One of the two is not metric depth, or they run along different directions.
        InputError: Sizes differ, or no pixel can be scored.
    """
    return measure(prediction, truth, names=_USUAL, mask=mask, limits_m=limits_m, clamp_m=limits_m)


def _check_names(names: Sequence[str], options: MeasureOptions) -> None:
    for name in names:
        if name not in METRICS:
            raise UnknownName("metric", name, known=METRICS)
    ranged = [name for name in names if name in ("psnr", "ssim")]
    if ranged and options.data_range_m is None:
        raise InputError(
            f"{ranged[0]} needs a data range",
            hint="pass MeasureOptions(data_range_m=10.0), say: the protocol's cap",
        )


def _check_limits(name: str, limits: tuple[float, float] | None) -> None:
    if limits is not None and not 0 <= limits[0] < limits[1]:
        raise InputError(f"{name}={limits} are not two rising depths", hint="give (1e-3, 10.0), say")


def _check_kinds(prediction: DepthMap, truth: DepthMap) -> None:
    for name, depth in (("prediction", prediction), ("truth", truth)):
        if depth.kind.quantity is not Quantity.DEPTH or depth.kind.freedom is not Freedom.NONE:
            raise KindError(
                f"the {name} holds {depth.kind.words}, not metres",
                hint="align it to metric truth first (leadline.align), or turn it into depth",
            )
    if prediction.kind.along is not truth.kind.along:
        raise KindError(
            f"the prediction holds {prediction.kind.words}, the truth {truth.kind.words}",
            hint="turn one into the other with its camera",
        )
    if prediction.values.shape != truth.values.shape:
        raise InputError(
            f"prediction of shape {prediction.values.shape} does not fit truth of {truth.values.shape}",
            hint="resize the prediction to the truth's size",
        )


def _counting(
    truth: DepthMap, mask: NDArray[np.bool_] | None, limits_m: tuple[float, float] | None
) -> NDArray[np.bool_]:
    """Where truth counts."""
    counts = truth.valid if mask is None else truth.valid & _mask(mask, truth.values.shape)
    if limits_m is not None:
        with np.errstate(invalid="ignore"):
            counts = counts & (truth.values > limits_m[0])
            counts &= truth.values < limits_m[1]
    return counts


def _scored(prediction: DepthMap, counts: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where truth counts and a prediction is known."""
    both = counts & prediction.valid
    if not both.any():
        raise InputError(
            f"none of {np.count_nonzero(counts)} pixels of known truth has a prediction",
            hint="leave this image out and say so",
        )
    return both


def _mask(mask: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    if mask.shape != shape or mask.dtype != np.bool_:
        raise InputError(
            f"mask of shape {mask.shape} and type {mask.dtype} is not bool {shape}",
            hint="make it one bool a pixel",
        )
    return mask


def _pixels(pair: Pair, names: Sequence[str], options: MeasureOptions) -> dict[str, float]:
    asked = [name for name in names if METRICS[name].family is Family.PIXELS]
    p, t = pair.p_HW.ravel(), pair.t_HW.ravel()
    if not pair.scored_HW.all():
        where = np.flatnonzero(pair.scored_HW)
        p, t = p.take(where), t.take(where)
    return measure_pixels(p, t, names=asked, data_range_m=options.data_range_m or math.nan)


_FAMILIES: Mapping[Family, Callable[[Pair, Sequence[str], MeasureOptions], dict[str, float]]] = {
    Family.PIXELS: _pixels,
    Family.STRUCTURE: lambda pair, _, options: measure_structure(pair, options),
    Family.ORDER: lambda pair, _, options: measure_order(pair, options),
    Family.BOUNDARY: lambda pair, _, options: measure_boundary(pair),
    Family.NORMALS: lambda pair, _, options: measure_normals(pair),
    Family.CLOUD: lambda pair, _, options: measure_cloud(pair, options),
}
