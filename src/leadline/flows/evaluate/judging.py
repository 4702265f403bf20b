"""One prediction against one truth: on the protocol's own terms, and on the other rungs that its kind allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError
from leadline.core.kind import Along, Freedom, Kind, Quantity
from leadline.flows.evaluate.counting import clamped, counting
from leadline.flows.evaluate.profiles import profile_of
from leadline.flows.evaluate.protocol import ALIGNMENTS, Protocol, can_become
from leadline.flows.evaluate.records import Profile, Rung
from leadline.ops.align import align
from leadline.ops.eight_bit import measure_eight_bit
from leadline.ops.geometry import to_axis, to_depth
from leadline.ops.metrics import MeasureOptions, Scores, measure
from leadline.ops.resize import resize
from leadline.ops.windows import WINDOWS, window

__all__ = ["ALONGSIDE", "LADDER", "Verdict", "fitting", "judge"]

LADDER: dict[Rung, str] = {
    "metric": "none",
    "scale": "median",
    "affine-depth": "affine-depth",
    "affine-inverse-depth": "affine-inverse-depth",
}
"""The rungs beside the protocol's own, with the alignment each stands for: what is still wrong when nothing, the scale, or
scale and shift no longer count."""

ALONGSIDE = ("abs_rel", "rmse", "log10", "delta1")
"""What is measured on those rungs."""

_MIRROR_MARGIN = 0.03
"""How much better the correlation with the truth must be mirrored to be remarked on."""
_LEAST_SHAPE = 0.01
"""How far the two sides' ratios may be apart: ScanNet's photos and depths are apart by .004, a crop to Eigen's window by .014."""
_WHOLE = 0.9995
"""Coverage below this is remarked on."""
_UNITS = {
    1000.0: "millimetres",
    100.0: "centimetres",
    0.001: "kilometres",
    256.0: "KITTI's steps of 1/256 m",
    5000.0: "TUM's steps of 1/5000 m",
}
_UNIT_MARGIN = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What came of one image.

    Args:
        prediction: The prediction at the truth's size, of its own kind.
        depth: What was scored: the same in metres.
        scores: By rung.
        profile: Where the errors are; None where the protocol scores pictures.
        remarks: What else is to be said.
    """

    prediction: DepthMap
    depth: DepthMap
    scores: dict[Rung, Scores]
    profile: Profile | None
    remarks: tuple[str, ...]


def judge(prediction: DepthMap, truth: DepthMap, protocol: Protocol) -> Verdict:
    """Scores one prediction.

    Args:
        prediction: What a model said, at the photo's size.
        truth: What is so, in metres.
        protocol: How it is scored.

    Returns:
        The verdict.

    Raises:
        KindError: The truth is not metric, or the prediction cannot become what the protocol needs.
        InputError: No truth counts, none of it has a prediction, the sizes are of different shapes, or the alignment is not
            determined: a constant prediction, or one that runs the other way.
    """
    protocol.check(prediction.kind, who="the prediction")
    truth, remarks = _metric(truth), []
    prediction, resized = _at_size(prediction, truth)
    if resized:
        remarks.append(resized)
    if protocol.eight_bit:
        pictures = measure_eight_bit(prediction, truth, stored=protocol.stored)
        return Verdict(prediction, prediction, {"protocol": pictures}, None, tuple(remarks))
    counted = counting(truth, protocol)
    depth = clamped(fitting(prediction, counted, protocol.alignment, protocol), protocol)
    scores = {"protocol": _measured(depth, counted, protocol, protocol.metrics)}
    for rung, alignment in _rungs(prediction.kind, protocol):
        try:
            aligned = clamped(fitting(prediction, counted, alignment, protocol), protocol)
            scores[rung] = _measured(aligned, counted, protocol, ALONGSIDE)
        except InputError as error:
            remarks.append(f"no figures of the rung {rung}: {error.message}")
    if scores["protocol"].coverage < _WHOLE:
        lacking = 1 - scores["protocol"].coverage
        remarks.append(f"{lacking:.1%} of the pixels that count have no prediction and are not scored")
    remarks += _suspicions(prediction, counted)
    return Verdict(
        prediction, depth, scores, profile_of(prediction, depth, counted, protocol), tuple(remarks)
    )


def fitting(prediction: DepthMap, truth: DepthMap, alignment: str, protocol: Protocol) -> DepthMap:
    """A prediction as metric depth, with what an alignment finds against the truth.

    Args:
        prediction: What a model said.
        truth: What is so, valid only where it counts; of the same size.
        alignment: One of ``ALIGNMENTS``.
        protocol: Its limits.

    Returns:
        Depth in metres.

    Raises:
        InputError: The alignment is not determined.
        KindError: The prediction cannot become metres by this alignment.
    """
    if alignment == "none":
        return to_depth(prediction)
    if alignment == "median":
        return _median_scaled(to_depth(prediction), truth)
    needs = ALIGNMENTS[alignment]
    found = align(prediction, truth, freedom=needs.freedom, space=needs.quantity)
    if needs.quantity is Quantity.INVERSE:
        return to_depth(found.apply(prediction, nonpositive="clamp", limit_m=protocol.far_m))
    aligned = to_depth(found.apply(prediction))
    return _lifted(aligned, prediction.valid, protocol.near_m) if protocol.clamp else aligned


def _median_scaled(depth: DepthMap, truth: DepthMap) -> DepthMap:
    """Depth times the ratio of the two medians over the pixels both know (Zhou et al., CVPR 2017)."""
    both = depth.valid & truth.valid
    if not both.any():
        raise InputError("no pixel of known truth has a prediction", hint="leave this image out and say so")
    ratio = np.median(truth.values[both]) / np.median(depth.values[both])
    kind = replace(depth.kind, freedom=Freedom.NONE)
    values = depth.values * np.float32(ratio)
    valid = depth.valid & (values > 0) & np.isfinite(values)
    return DepthMap(values, kind, valid, depth.infinite & ~valid, depth.camera)


def _lifted(aligned: DepthMap, known: NDArray[np.bool_], near_m: float) -> DepthMap:
    """Depth that a shift brought to zero or below, at the nearest that counts, as clipping has it."""
    below = known & ~aligned.valid & ~aligned.infinite
    if not below.any():
        return aligned
    values = np.where(below, np.float32(max(near_m, 1e-6)), aligned.values)
    return DepthMap(values, aligned.kind, aligned.valid | below, aligned.infinite, aligned.camera)


def _measured(depth: DepthMap, counted: DepthMap, protocol: Protocol, names: tuple[str, ...]) -> Scores:
    return measure(depth, counted, names=names, options=MeasureOptions(data_range_m=protocol.data_range_m))


def _rungs(kind: Kind, protocol: Protocol) -> Iterator[tuple[Rung, str]]:
    """The rungs that a kind allows, but for the one that is the protocol's own."""
    for rung, alignment in LADDER.items():
        if alignment != protocol.alignment and can_become(kind, ALIGNMENTS[alignment]):
            yield rung, alignment


def _metric(truth: DepthMap) -> DepthMap:
    if truth.kind.freedom is not Freedom.NONE:
        raise KindError(
            f"the truth holds {truth.kind.words}, not metres",
            hint="evaluate on a dataset whose truth is metric",
        )
    truth = to_depth(truth)
    return truth if truth.kind.along is Along.AXIS else to_axis(truth)


def _at_size(prediction: DepthMap, truth: DepthMap) -> tuple[DepthMap, str]:
    """The prediction along the axis, in the truth's frame, and what was done about its size."""
    if prediction.kind.along is Along.RAY:
        prediction = to_axis(prediction)
    if prediction.shape == truth.shape:
        return prediction, ""
    own, frame = (f"{one.width}x{one.height}" for one in (prediction, truth))
    for name in WINDOWS:
        rows, columns = _window(name, truth)
        if (rows.stop - rows.start, columns.stop - columns.start) == prediction.shape:
            return _placed(
                prediction, truth, (rows, columns)
            ), f"of {own}, taken for the window {name} of {frame}"
    wide, high = prediction.width / truth.width, prediction.height / truth.height
    if abs(wide / high - 1) > _LEAST_SHAPE and abs(prediction.width - truth.width * high) > 1:
        raise InputError(
            f"the prediction is {own}, the truth {frame}: they are of different shapes",
            hint="give predictions of the whole photo, neither cropped nor turned, or of a benchmark's whole window",
        )
    return resize(
        prediction, width=truth.width, height=truth.height
    ), f"resized from {own} to the truth's {frame}"


def _window(name: str, truth: DepthMap) -> tuple[slice, slice]:
    try:
        return window(name, height=truth.height, width=truth.width)
    except InputError:  # too small for it
        return slice(0), slice(0)


def _placed(prediction: DepthMap, truth: DepthMap, place: tuple[slice, slice]) -> DepthMap:
    """A prediction of a window in the whole frame, unknown around it."""
    values = np.full(truth.shape, np.nan, np.float32)
    valid, infinite = np.zeros(truth.shape, bool), np.zeros(truth.shape, bool)
    values[place], valid[place], infinite[place] = prediction.values, prediction.valid, prediction.infinite
    return DepthMap(values, prediction.kind, valid, infinite, truth.camera)


def _suspicions(prediction: DepthMap, truth: DepthMap) -> Iterator[str]:
    """Signs that the prediction is not what it is said to be."""
    step = max(1, min(truth.shape) // 60)
    known = truth.valid[::step, ::step]
    if known.sum() < 200:
        return
    with np.errstate(divide="ignore", invalid="ignore"):
        near = np.log(truth.values[::step, ::step])
        said = prediction.values[::step, ::step]
        if prediction.kind.quantity is Quantity.DEPTH and prediction.kind.freedom < Freedom.AFFINE:
            said = np.log(said)
    here, there = _correlation(said, near, known), _correlation(said[:, ::-1], near, known)
    if abs(there) > abs(here) + _MIRROR_MARGIN:
        yield "fits the truth better mirrored left to right"
    if prediction.kind.freedom is Freedom.NONE:
        yield from _units(to_depth(prediction), truth)


def _units(depth: DepthMap, truth: DepthMap) -> Iterator[str]:
    """Whether metres look as if they were another unit."""
    both = depth.valid & truth.valid
    if not both.any():
        return
    factor = float(np.median(depth.values[both]) / np.median(truth.values[both]))
    for times, unit in _UNITS.items():
        if max(factor / times, times / factor) < _UNIT_MARGIN:
            yield f"about {times:g} times the truth: is it in {unit}?"


def _correlation(said: NDArray[np.float32], near: NDArray[np.float32], known: NDArray[np.bool_]) -> float:
    both = known & np.isfinite(said) & np.isfinite(near)
    if both.sum() < 50:
        return 0.0
    a, b = said[both].astype(np.float64), near[both].astype(np.float64)
    a, b = a - a.mean(), b - b.mean()
    power = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / power if power > 0 else 0.0
