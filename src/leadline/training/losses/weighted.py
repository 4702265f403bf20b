"""Losses by name, and weighted sums of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any, ClassVar, cast

from torch import Tensor

from leadline.core.errors import InputError, UnknownName
from leadline.core.kind import Freedom
from leadline.training.losses.aligned import ScaleShiftInvariant
from leadline.training.losses.comparison import Comparison, Loss, Scale
from leadline.training.losses.edges import EdgeAwareSmoothness, Gradient, TargetEdgeSmoothness
from leadline.training.losses.pointwise import L1, L2, BerHu, SILog
from leadline.training.losses.structure import SSIM

__all__ = ["LOSSES", "WeightedSum", "make_loss"]

LOSSES: dict[str, Any] = {
    loss.name: loss
    for loss in (
        L1,
        L2,
        BerHu,
        SILog,
        SSIM,
        Gradient,
        EdgeAwareSmoothness,
        TargetEdgeSmoothness,
        ScaleShiftInvariant,
    )
}


@dataclass(frozen=True, slots=True)
class WeightedSum:
    """Several losses at once.

    Args:
        terms: Weights and losses.
    """

    name: ClassVar[str] = "weighted-sum"
    terms: Sequence[tuple[float, Loss]]

    def allows(self, scale: Scale) -> Freedom:
        """What its strictest term allows."""
        return min((loss.allows(scale) for _, loss in self.terms), default=Freedom.AFFINE)

    def __call__(self, compared: Comparison) -> Tensor:
        """See the class."""
        total = compared.said.new_zeros(())
        for weight, loss in self.terms:
            total = total + weight * loss(compared)
        return total


def make_loss(name: str, options: Mapping[str, str | float]) -> Loss:
    """A loss by its name.

    Args:
        name: Such as ``"silog"``.
        options: What its class lets one choose.

    Returns:
        The loss.

    Raises:
        UnknownName: No loss has that name.
        InputError: It has no such option, or the option has no such value.

    Example:
        >>> make_loss("ssim", {"window": 7})
        SSIM(span=10.0, window=7, sigma=1.5, k1=0.01, k2=0.03)
    """
    if name not in LOSSES:
        raise UnknownName("loss", name, known=LOSSES)
    cls = LOSSES[name]
    kinds: dict[str, Any] = {option.name: type(option.default) for option in fields(cls)}
    for key in options:
        if key not in kinds:
            near = get_close_matches(key, kinds, n=1)
            known = f"it has {', '.join(kinds)}" if kinds else "it has none"
            raise InputError(
                f"loss {name!r} has no option {key!r}", hint=f"did you mean {near[0]!r}?" if near else known
            )
    try:
        return cast(Loss, cls(**{key: kinds[key](value) for key, value in options.items()}))
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"loss {name!r}: {error}", hint="correct it in the recipe") from error
