"""What a loss looks at, and the kinds it can look at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from leadline.core.errors import InputError, KindError
from leadline.core.kind import Freedom, Kind

__all__ = ["TINY", "Comparison", "Loss", "Scale", "check_kind", "compare", "masked_mean"]

TINY = 1e-6


class Scale(Enum):
    """Whether the numbers are the quantity itself or its natural logarithm."""

    LINEAR = "linear"
    LOG = "logarithmic"


@dataclass(frozen=True, eq=False, slots=True)
class Comparison:
    """A batch of predictions beside the truth.

    Args:
        said: What the network says, float32, (N, 1, H, W).
        truth: What it should say; 0 where unknown.
        mask: 1 where the truth is known, else 0.
        scale: Whether both are the quantity itself or its logarithm.
        rgb: The photos, 0 to 255, (N, 3, H', W'); only losses that look at pictures need them.
    """

    said: Tensor
    truth: Tensor
    mask: Tensor
    scale: Scale = Scale.LINEAR
    rgb: Tensor | None = None

    @property
    def error(self) -> Tensor:
        """Prediction minus truth, 0 where unknown."""
        return (self.said - self.truth) * self.mask


class Loss(Protocol):
    """A term to make small. Unknown pixels are left out; a batch without a known one costs nothing and moves nothing."""

    name: ClassVar[str]

    def allows(self, scale: Scale) -> Freedom:
        """The most that may be unknown of what it compares."""
        ...

    def __call__(self, compared: Comparison) -> Tensor:
        """The mean over the images: one number."""
        ...


def compare(
    said: Tensor, truth: Tensor, *, mask: Tensor, scale: Scale = Scale.LINEAR, rgb: Tensor | None = None
) -> Comparison:
    """Lays a prediction beside the truth, in single precision and with numbers everywhere.

    Half precision is widened, because squares and logarithms leave its range; what stands where the truth is unknown
    (NaN, infinity) becomes 0, because 0 times NaN is NaN.

    Args:
        said: What the network says, (N, 1, H, W).
        truth: What it should say, the same shape.
        mask: Where the truth is known, bool or 0 and 1.
        scale: Whether both are the quantity itself or its logarithm.
        rgb: The photos, 0 to 255, (N, 3, H', W').

    Returns:
        The comparison.

    Raises:
        InputError: Prediction, truth and mask have different shapes.
    """
    if said.shape != truth.shape or mask.shape != truth.shape:
        raise InputError(
            f"prediction {tuple(said.shape)}, truth {tuple(truth.shape)} and mask {tuple(mask.shape)} differ in shape",
            hint="resize the truth to the network's output size",
        )
    known = mask > 0
    return Comparison(said.float(), torch.where(known, truth, 0).float(), known.float(), scale, rgb)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Means over known pixels, image by image; 0 where an image has none.

    Args:
        values: (N, C, H, W).
        mask: 1 where known, the same shape.

    Returns:
        (N,).
    """
    return (values * mask).flatten(1).sum(1) / mask.flatten(1).sum(1).clamp(min=1)


def check_kind(loss: Loss, kind: Kind, *, scale: Scale = Scale.LINEAR) -> None:
    """Refuses a loss that cannot compare a kind; to be asked before the first step.

    Args:
        loss: The loss.
        kind: What network and truth have in common.
        scale: Whether they are compared as they are or as logarithms.

    Raises:
        KindError: More is unknown than the loss allows.

    Example:
        >>> from leadline.training.losses.pointwise import L1
        >>> check_kind(L1(), Kind.parse("disparity"))
        Traceback (most recent call last):
        ...
        leadline.core.errors.KindError: loss 'l1' cannot compare inverse depth, scale unknown
    """
    if kind.freedom > loss.allows(scale):
        ways = {
            Freedom.SCALE: "use silog with forgiven = 1, gradient on logarithms, or scale-shift-invariant",
            Freedom.AFFINE: "use scale-shift-invariant",
        }
        raise KindError(f"loss {loss.name!r} cannot compare {kind.words}", hint=ways[kind.freedom])
