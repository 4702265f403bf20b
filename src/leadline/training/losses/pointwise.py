"""Losses that look at one pixel at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from leadline.core.errors import InputError
from leadline.core.kind import Freedom
from leadline.training.losses.comparison import TINY, Comparison, Scale, masked_mean

__all__ = ["L1", "L2", "BerHu", "SILog"]


@dataclass(frozen=True, slots=True)
class L1:
    """Mean absolute difference. On logarithms it is a relative error."""

    name: ClassVar[str] = "l1"

    def allows(self, scale: Scale) -> Freedom:
        """Nothing may be unknown."""
        return Freedom.NONE

    def __call__(self, compared: Comparison) -> Tensor:
        """See the class."""
        return masked_mean(compared.error.abs(), compared.mask).mean()


@dataclass(frozen=True, slots=True)
class L2:
    """Mean squared difference."""

    name: ClassVar[str] = "l2"

    def allows(self, scale: Scale) -> Freedom:
        """Nothing may be unknown."""
        return Freedom.NONE

    def __call__(self, compared: Comparison) -> Tensor:
        """See the class."""
        return masked_mean(compared.error**2, compared.mask).mean()


@dataclass(frozen=True, slots=True)
class BerHu:
    """Reverse Huber: absolute below a threshold, squared above it (Laina et al., 3DV 2016, equation 1).

    Args:
        share: The threshold, as a share of the largest difference in the batch; the article has a fifth.

    Raises:
        InputError: The share is not between 0 and 1.
    """

    name: ClassVar[str] = "berhu"
    share: float = 0.2

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise InputError(f"share = {self.share:g} is not between 0 and 1", hint="the article has 0.2")

    def allows(self, scale: Scale) -> Freedom:
        """Nothing may be unknown."""
        return Freedom.NONE

    def __call__(self, compared: Comparison) -> Tensor:
        """See the class."""
        error = compared.error.abs()
        c = (self.share * error.detach().max()).clamp(min=TINY)
        return masked_mean(torch.where(error <= c, error, (error**2 + c**2) / (2 * c)), compared.mask).mean()


@dataclass(frozen=True, slots=True)
class SILog:
    """Scale-invariant logarithmic error, its root, image by image (Eigen, Puhrsch & Fergus, NeurIPS 2014, equation 4).

    Args:
        forgiven: How much of the squared mean error is taken off, from 0 (none) to 1 (scale does not count).

    Raises:
        InputError: It is not between 0 and 1.
    """

    name: ClassVar[str] = "silog"
    forgiven: float = 0.85

    def __post_init__(self) -> None:
        if not 0 <= self.forgiven <= 1:
            raise InputError(
                f"forgiven = {self.forgiven:g} is not between 0 and 1", hint="0.85 is the common value"
            )

    def allows(self, scale: Scale) -> Freedom:
        """A factor may be unknown only where all of it is forgiven."""
        return Freedom.SCALE if self.forgiven == 1 else Freedom.NONE

    def __call__(self, compared: Comparison) -> Tensor:
        """See the class."""
        error = compared.error
        if compared.scale is Scale.LINEAR:
            ratio = compared.said.clamp(min=TINY) / compared.truth.clamp(min=TINY)
            error = torch.where(compared.mask > 0, ratio, 1).log()
        spread = masked_mean(error**2, compared.mask) - self.forgiven * masked_mean(error, compared.mask) ** 2
        root: Tensor = (spread.clamp(min=0) + TINY).sqrt() - math.sqrt(TINY)
        return root.mean()
