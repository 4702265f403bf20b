"""Depth scored as 8-bit pictures, as a widely read tutorial does it; here to check its figures, not to rank models by.

Source: J. Marks, "How to Estimate Depth from a Single Image" (Voxel51, January 2024), and "Monocular Depth Estimation with
FiftyOne" in FiftyOne's documentation, which has the same code.

What it gets wrong:

* A prediction of inverse depth x is turned round as 255 - x. That is not depth: depth is one over x, with an unknown shift
  besides.
* Marigold predicts depth, near dark, and is turned round all the same: it is scored upside down.
* Nothing is aligned. Each picture is divided by its own largest value, so one far pixel sets the scale of a whole map.
* Pixels without truth are 0 and are scored as if something were there, at no distance.
* SUN RGB-D's stored numbers are used without turning their bits back. Below 8.192 m that is a factor of 8, which falls out;
  farther pixels become near ones.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError
from leadline.core.kind import Freedom, Quantity
from leadline.ops.metrics_scores import Scores
from leadline.ops.metrics_structure import ssim

__all__ = ["StoredAs", "eight_bit_prediction", "eight_bit_truth", "measure_eight_bit"]

StoredAs = Literal["metres", "sunrgbd"]
"""What the truth's picture is made of: its metres, or the numbers that SUN RGB-D's files hold for them."""

_WHITE = 255
_ROUNDING = _WHITE * 2.0**-23
"""How far float32 metres can bring x·255/max off what the stored integers give."""


def measure_eight_bit(prediction: DepthMap, truth: DepthMap, *, stored: StoredAs = "metres") -> Scores:
    """The tutorial's RMSE, PSNR and SSIM of one image, in grey levels of 255.

    Args:
        prediction: What a model says, of any kind.
        truth: What is so, in metres.
        stored: What the truth's picture is made of.

    Returns:
        ``rmse``, ``psnr`` (infinite where the pictures are alike) and ``ssim`` (NaN below 7x7 pixels); no other figure.
        Every pixel is scored, holes too, as the tutorial has it.

    Raises:
        KindError: The truth is not metric depth.
        InputError: The sizes differ, or one of the two has no positive value.

    Example:
        >>> from leadline.core.kind import Kind
        >>> depth = DepthMap(np.linspace(1, 4, 64).reshape(8, 8), Kind())
        >>> measure_eight_bit(depth, depth).ssim
        1.0
    """
    if prediction.shape != truth.shape:
        raise InputError(
            f"prediction of shape {prediction.shape} does not fit truth of {truth.shape}",
            hint="resize the prediction to the truth's size",
        )
    made, so = eight_bit_prediction(prediction), eight_bit_truth(truth, stored=stored)
    square = float(np.mean((made.astype(np.float64) - so) ** 2))
    structure = ssim(
        made.astype(np.float32),
        so.astype(np.float32),
        counts_HW=np.ones(so.shape, bool),
        data_range=float(_WHITE),
    )
    psnr = math.inf if square == 0 else 10 * math.log10(_WHITE**2 / square)
    return Scores(
        pixels=so.size, known=so.size, coverage=1.0, rmse=math.sqrt(square), psnr=psnr, ssim=structure
    )


def eight_bit_truth(truth: DepthMap, *, stored: StoredAs = "metres") -> NDArray[np.uint8]:
    """The picture the tutorial makes of a depth file: x·255/max, cut to whole numbers; 0 where nothing is known.

    The tutorial divides the integers of the file. Metres are those integers over a step, rounded to float32: quotients that
    are whole but for this rounding count as whole, so that the picture is the same.

    Args:
        truth: Depth in metres.
        stored: ``"sunrgbd"`` turns millimetres into the numbers in SUN RGB-D's files first: their bits are rotated by three,
            and depth of 8.192 m and more wraps.

    Returns:
        uint8 (H, W).

    Raises:
        KindError: It is not metric depth.
        InputError: Nothing in it is known.
    """
    if truth.kind.quantity is not Quantity.DEPTH or truth.kind.freedom is not Freedom.NONE:
        raise KindError(f"the truth holds {truth.kind.words}, not metres", hint="score against metric depth")
    x = np.where(truth.valid, truth.values, 0).astype(np.float64)
    if stored == "sunrgbd":
        mm = np.rint(x * 1000).astype(np.int64)
        x = ((mm << 3 | mm >> 13) & 0xFFFF).astype(np.float64)
    levels = x * _WHITE / _largest(x, "the truth")
    nearest = np.rint(levels)
    whole: NDArray[np.uint8] = np.where(np.abs(levels - nearest) <= _ROUNDING, nearest, levels).astype(
        np.uint8
    )
    return whole


def eight_bit_prediction(prediction: DepthMap) -> NDArray[np.uint8]:
    """The picture the tutorial makes of a prediction, by its kind.

    Convention:
        Inverse depth (DPT): 255 - x·255/max, then cut to whole numbers. Depth up to scale and shift (Marigold): x·255/max cut
        to whole numbers, as the service's grey picture, then 255 minus that. The tutorial has no other model; depth in metres
        or up to scale is made as the truth is. What is not known is 0 before it is turned round.

    Args:
        prediction: A prediction of any kind.

    Returns:
        uint8 (H, W). Negative values of an AFFINE kind wrap where they leave 0 to 255, as numpy's cast does.

    Raises:
        InputError: Its largest value is not positive.
    """
    x = np.where(prediction.valid, prediction.values, np.float32(0))
    levels = x * np.float32(_WHITE) / np.float32(_largest(x, "the prediction"))
    if prediction.kind.quantity is Quantity.INVERSE:
        return _cut(_WHITE - levels)
    if prediction.kind.freedom is Freedom.AFFINE:
        return np.uint8(_WHITE) - _cut(levels)
    return _cut(levels)


def _largest(x: NDArray[np.floating], what: str) -> float:
    largest = float(x.max())
    if not largest > 0:
        raise InputError(
            f"{what} has no positive value, and the tutorial divides by the largest",
            hint="leave this image out",
        )
    return largest


def _cut(levels: NDArray[np.floating]) -> NDArray[np.uint8]:
    return levels.astype(np.int64).astype(np.uint8)
