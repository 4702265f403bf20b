"""Losses that look at differences of neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from leadline.core.errors import InputError
from leadline.core.kind import Freedom
from leadline.training.losses.comparison import TINY, Comparison, Scale, masked_mean

__all__ = ["EdgeAwareSmoothness", "Gradient", "TargetEdgeSmoothness", "gradient_of"]


@dataclass(frozen=True, slots=True)
class Gradient:
    """Multi-scale gradient matching (Li & Snavely, MegaDepth, CVPR 2018, equation 3): edges where the truth has them.

    Args:
        scales: Number of scales; each halves the resolution of the one before.

    Raises:
        InputError: There is no scale.
    """

    name: ClassVar[str] = "gradient"
    scales: int = 4

    def __post_init__(self) -> None:
        if self.scales < 1:
            raise InputError(f"scales = {self.scales} is not at least 1", hint="4 is the common value")

    def allows(self, scale: Scale) -> Freedom:
        """On logarithms a factor is a shift, which no difference sees."""
        return Freedom.SCALE if scale is Scale.LOG else Freedom.NONE

    def __call__(self, compared: Comparison) -> Tensor:
        """See the class."""
        return gradient_of(compared.error, mask=compared.mask, scales=self.scales)


@dataclass(frozen=True, slots=True)
class EdgeAwareSmoothness:
    """Depth should change where the photo does (Godard et al., monodepth, CVPR 2017, equation 5). It needs no truth.

    Convention:
        Values are divided by their mean first, image by image, so that a small world is not a smooth one (monodepth2).
    """

    name: ClassVar[str] = "edge-aware-smoothness"

    def allows(self, scale: Scale) -> Freedom:
        """A factor may be unknown."""
        return Freedom.SCALE

    def __call__(self, compared: Comparison) -> Tensor:
        """See the class.

        Raises:
            InputError: There is no photo to look at.
        """
        if compared.rgb is None:
            raise InputError(f"loss {self.name!r} needs the photos", hint="give rgb to compare()")
        photo = functional.interpolate(
            compared.rgb.float() / 255, size=compared.said.shape[2:], mode="bilinear", antialias=True
        )
        values = compared.said
        if compared.scale is Scale.LINEAR:
            values = values / values.mean((2, 3), keepdim=True).clamp(min=TINY)
        total = values.new_zeros(())
        for axis in (2, 3):
            edges = photo.diff(dim=axis).abs().mean(1, keepdim=True)
            total = total + (values.diff(dim=axis).abs() * torch.exp(-edges)).mean()
        return total


@dataclass(frozen=True, slots=True)
class TargetEdgeSmoothness:
    """The smoothness term of the Keras tutorial on monocular depth: the prediction's steps, weighted by *one number*.

    The weight is exp(mean |step of the target|), one for each direction and batch: the tutorial reduces over all pixels.
    The prediction pays for every step, and more so where the target has many.

    Convention:
        Means are over all known pixels, as if the last row and column made a step of 0 (``tf.image.image_gradients``).
    """

    name: ClassVar[str] = "target-edge-smoothness"

    def allows(self, scale: Scale) -> Freedom:
        """Nothing may be unknown."""
        return Freedom.NONE

    def __call__(self, compared: Comparison) -> Tensor:
        """See the class. With everything known it is the tutorial's number."""
        total = compared.said.new_zeros(())
        count = compared.mask.sum().clamp(min=1)
        for axis in (2, 3):
            mask = _pairs(compared.mask, axis)
            weight = torch.exp((compared.truth.diff(dim=axis).abs() * mask).sum() / count)
            total = total + (compared.said.diff(dim=axis) * weight * mask).abs().sum() / count
        return total


def _pairs(mask: Tensor, axis: int) -> Tensor:
    count = mask.shape[axis] - 1
    return mask.narrow(axis, 0, count) * mask.narrow(axis, 1, count)


def gradient_of(error: Tensor, *, mask: Tensor, scales: int) -> Tensor:
    """Mean absolute differences of neighbours, summed over scales; no difference crosses an unknown pixel.

    Args:
        error: Prediction minus truth, 0 where unknown, (N, 1, H, W).
        mask: 1 where the truth is known, the same shape.
        scales: Number of scales; where a side is down to one pixel, there are no more.

    Returns:
        One number.
    """
    total = error.new_zeros(())
    for scale in range(scales):
        if scale:
            if min(error.shape[2:]) < 2:
                break
            weight = functional.avg_pool2d(mask, 2)
            error = functional.avg_pool2d(error * mask, 2) / weight.clamp(min=TINY)
            mask = (weight > 0).to(error.dtype)
        for axis in (3, 2):
            total = total + masked_mean(error.diff(dim=axis).abs(), _pairs(mask, axis)).mean()
    return total
