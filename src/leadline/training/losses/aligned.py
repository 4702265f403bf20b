"""The loss for relative depth: prediction and truth are laid onto each other first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from leadline.core.errors import InputError
from leadline.core.kind import Freedom
from leadline.training.losses.comparison import TINY, Comparison, Scale, masked_mean
from leadline.training.losses.edges import gradient_of

__all__ = ["ScaleShiftInvariant", "fit_scale_shift", "normalised"]

HOWS = ("least-squares", "robust")


@dataclass(frozen=True, slots=True)
class ScaleShiftInvariant:
    """Scale-and-shift-invariant error with multi-scale gradients (Ranftl et al., MiDaS, TPAMI 2022, section 5).

    ``least-squares``: the prediction is fitted to the truth, and half the mean squared residual is paid (equations 2 and 3).
    ``robust``: both are brought to median 0 and mean absolute deviation 1, and half the mean absolute residual is paid,
    without the largest ones (equations 5 to 7). Both add the gradients of the residual (equation 11).

    Args:
        how: ``"least-squares"`` or ``"robust"``.
        trimmed: Share of the largest residuals that is left out where robust.
        gradient: Weight of the gradients.
        scales: Number of their scales.

    Raises:
        InputError: ``how`` is another word, a share is not from 0 to below 1, or there is no scale.
    """

    name: ClassVar[str] = "scale-shift-invariant"
    how: str = "robust"
    trimmed: float = 0.2
    gradient: float = 0.5
    scales: int = 4

    def __post_init__(self) -> None:
        if self.how not in HOWS:
            raise InputError(f"how = {self.how!r} is not one of {', '.join(HOWS)}", hint="choose one")
        if not 0 <= self.trimmed < 1:
            raise InputError(
                f"trimmed = {self.trimmed:g} is not from 0 to below 1", hint="the article has 0.2"
            )
        if self.scales < 1:
            raise InputError(f"scales = {self.scales} is not at least 1", hint="the article has 4")

    def allows(self, scale: Scale) -> Freedom:
        """A factor and a shift may be unknown; with an unknown shift there is no logarithm."""
        return Freedom.AFFINE if scale is Scale.LINEAR else Freedom.SCALE

    def __call__(self, compared: Comparison) -> Tensor:
        """See the class."""
        mask = compared.mask
        if self.how == "robust":
            residual = (normalised(compared.said, mask) - normalised(compared.truth, mask)) * mask
            paid = _kept(residual.abs(), mask, share=1 - self.trimmed)
        else:
            scale, shift = fit_scale_shift(compared.said, compared.truth, mask=mask)
            residual = (scale * compared.said + shift - compared.truth) * mask
            paid = masked_mean(residual**2, mask)
        return paid.mean() / 2 + self.gradient * gradient_of(residual, mask=mask, scales=self.scales)


def fit_scale_shift(said: Tensor, truth: Tensor, *, mask: Tensor) -> tuple[Tensor, Tensor]:
    """The factor and the shift that lay a prediction onto the truth, in least squares, image by image.

    A prediction that is the same everywhere has no factor: it gets 0, and the truth's mean as its shift.

    Args:
        said: (N, 1, H, W).
        truth: The same shape.
        mask: 1 where the truth is known.

    Returns:
        Factor and shift, each (N, 1, 1, 1).
    """
    mean_said, mean_truth = masked_mean(said, mask), masked_mean(truth, mask)
    a, b = said - _spread(mean_said), truth - _spread(mean_truth)
    variance = masked_mean(a * a, mask)
    scale = torch.where(variance > TINY**2, masked_mean(a * b, mask) / variance.clamp(min=TINY**2), 0)
    return _spread(scale), _spread(mean_truth - scale * mean_said)


def normalised(values: Tensor, mask: Tensor) -> Tensor:
    """Values less their median, over their mean absolute deviation from it, image by image.

    Args:
        values: (N, 1, H, W).
        mask: 1 where known.

    Returns:
        The same shape.
    """
    known = torch.where(mask > 0, values, torch.nan)
    middle = known.flatten(1).nanmedian(1).values.nan_to_num(0.0)
    centred = values - _spread(middle)
    return centred / _spread(masked_mean(centred.abs(), mask).clamp(min=TINY))


def _spread(values: Tensor) -> Tensor:
    return values.reshape(-1, 1, 1, 1)


def _kept(residual: Tensor, mask: Tensor, *, share: float) -> Tensor:
    """The sum of the smallest residuals over the count of all known ones, image by image."""
    count = mask.flatten(1).sum(1)
    ordered = torch.where(mask > 0, residual, torch.inf).flatten(1).sort(1).values
    place = torch.arange(ordered.shape[1], device=ordered.device)
    kept = place[None] < (share * count)[:, None].floor()
    return torch.where(kept, ordered, 0).sum(1) / count.clamp(min=1)
