"""How far a prediction is from the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError
from leadline.core.kind import Freedom, Quantity

__all__ = ["Scores", "score"]


@dataclass(frozen=True, slots=True)
class Scores:
    """The field's usual errors of one image, over the pixels whose truth counts.

    Convention:
        e = prediction - truth in metres, r = prediction / truth, d = ln r. Errors are relative to the truth, never to the
        prediction.

    Args:
        abs_rel: mean |e| / truth.
        sq_rel: mean e² / truth, in metres.
        rmse: sqrt mean e², in metres.
        rmse_log: sqrt mean d².
        log10: mean |log10 r|.
        silog: sqrt(mean d² - (mean d)²), the error of the logarithm that is left when scale does not count.
        delta1: Share of pixels with max(r, 1/r) < 1.25.
        delta2: The same below 1.25².
        delta3: The same below 1.25³.
        pixels: Number of pixels scored.
        coverage: Share of the pixels whose truth counts that have a prediction; the rest are not scored.
    """

    abs_rel: float
    sq_rel: float
    rmse: float
    rmse_log: float
    log10: float
    silog: float
    delta1: float
    delta2: float
    delta3: float
    pixels: int
    coverage: float


def score(
    prediction: DepthMap,
    truth: DepthMap,
    *,
    mask: NDArray[np.bool_] | None = None,
    limits_m: tuple[float, float] | None = None,
) -> Scores:
    """Scores a prediction in metres against the truth.

    Convention:
        Both are metric depth of the same pixels along the same direction. Nothing is aligned here.

    Args:
        prediction: What a model says.
        truth: What is so.
        mask: Pixels that count, bool (H, W), besides those whose truth is known.
        limits_m: Truth outside these limits does not count, and the prediction is clipped to them, as benchmarks do.

    Returns:
        The scores.

    Raises:
        KindError: One of the two is not metric depth, or they run along different directions.
        InputError: Sizes differ, or no pixel can be scored.

    Example:
        >>> from leadline.core.kind import Kind
        >>> truth = DepthMap(np.full((2, 2), 2.0), Kind())
        >>> scores = score(DepthMap(np.full((2, 2), 2.2), Kind()), truth)
        >>> round(scores.abs_rel, 3), scores.delta1
        (0.1, 1.0)
    """
    _check_kinds(prediction, truth)
    if prediction.values.shape != truth.values.shape:
        raise InputError(
            f"prediction of shape {prediction.values.shape} does not fit truth of {truth.values.shape}",
            hint="resize the prediction to the truth's size",
        )
    counts = truth.valid if mask is None else truth.valid & _mask(mask, truth.values.shape)
    if limits_m is not None:
        counts = (
            counts & (np.nan_to_num(truth.values) > limits_m[0]) & (np.nan_to_num(truth.values) < limits_m[1])
        )
    both = counts & prediction.valid
    if not both.any():
        raise InputError(
            f"none of {int(counts.sum())} pixels of known truth has a prediction",
            hint="leave this image out and say so",
        )
    p, t = prediction.values[both].astype(np.float64), truth.values[both].astype(np.float64)
    if limits_m is not None:
        p = np.clip(p, *limits_m)
    return _scores(p, t, coverage=float(both.sum() / counts.sum()))


def _scores(p: NDArray[np.float64], t: NDArray[np.float64], *, coverage: float) -> Scores:
    e, d = p - t, np.log(p) - np.log(t)
    worse = np.maximum(p / t, t / p)
    return Scores(
        abs_rel=float(np.mean(np.abs(e) / t)),
        sq_rel=float(np.mean(e**2 / t)),
        rmse=float(np.sqrt(np.mean(e**2))),
        rmse_log=float(np.sqrt(np.mean(d**2))),
        log10=float(np.mean(np.abs(d)) / np.log(10)),
        silog=float(np.std(d)),
        delta1=float(np.mean(worse < 1.25)),
        delta2=float(np.mean(worse < 1.25**2)),
        delta3=float(np.mean(worse < 1.25**3)),
        pixels=int(p.size),
        coverage=coverage,
    )


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


def _mask(mask: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    if mask.shape != shape or mask.dtype != np.bool_:
        raise InputError(
            f"mask of shape {mask.shape} and type {mask.dtype} is not bool {shape}",
            hint="make it one bool a pixel",
        )
    return mask
