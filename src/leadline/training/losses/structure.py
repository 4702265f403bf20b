"""The structural similarity of prediction and truth as a loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from leadline.core.errors import InputError
from leadline.core.kind import Freedom
from leadline.training.losses.comparison import Comparison, Scale, masked_mean

__all__ = ["SSIM", "similarity"]


@dataclass(frozen=True, slots=True)
class SSIM:
    """One minus the structural similarity (Wang et al., IEEE TIP 2004), over the windows that are known throughout.

    Args:
        span: Largest difference that the values can have; it sizes the two constants.
        window: Side of the Gaussian window, odd.
        sigma: Its standard deviation in pixels.
        k1: Constant of the luminance term.
        k2: Constant of the contrast and structure term.

    Raises:
        InputError: The window is not odd, or a number is not positive.
    """

    name: ClassVar[str] = "ssim"
    span: float = 10.0
    window: int = 11
    sigma: float = 1.5
    k1: float = 0.01
    k2: float = 0.03

    def __post_init__(self) -> None:
        if self.window < 1 or self.window % 2 == 0:
            raise InputError(f"window = {self.window} is not an odd number of pixels", hint="use 7 or 11")
        for name in ("span", "sigma", "k1", "k2"):
            value = getattr(self, name)
            if not value > 0:
                raise InputError(f"{name} = {value:g} is not positive", hint="correct it in the recipe")

    def allows(self, scale: Scale) -> Freedom:
        """Nothing may be unknown."""
        return Freedom.NONE

    def __call__(self, compared: Comparison) -> Tensor:
        """See the class. A picture smaller than the window costs nothing."""
        if min(compared.said.shape[2:]) < self.window:
            return (compared.said * 0).sum()
        known = -functional.max_pool2d(-compared.mask, self.window, stride=1)
        # Where the truth is unknown both get the same number, so that nothing there moves the network.
        said, truth = compared.said * compared.mask, compared.truth * compared.mask
        alike = similarity(said, truth, window=self)
        return masked_mean(1 - alike, known).mean()


def similarity(one: Tensor, other: Tensor, *, window: SSIM) -> Tensor:
    """Structural similarity at every place where the whole window lies inside.

    Args:
        one: (N, 1, H, W).
        other: The same shape.
        window: Window and constants.

    Returns:
        (N, 1, H - window + 1, W - window + 1), from -1 to 1.
    """
    c1, c2 = (window.k1 * window.span) ** 2, (window.k2 * window.span) ** 2
    middle = other.mean(
        (1, 2, 3), keepdim=True
    )  # spreads do not see a shift, and small numbers keep their digits
    x, y = one - middle, other - middle
    blurred = _blurred(torch.cat([x, y, x * x + y * y, x * y], 1), window)
    mean_x, mean_y, squares, product = (blurred[:, k : k + 1] for k in range(4))
    mean_one, mean_other = mean_x + middle, mean_y + middle
    luminance = (2 * mean_one * mean_other + c1) / (mean_one**2 + mean_other**2 + c1)
    structure = (2 * (product - mean_x * mean_y) + c2) / (squares - mean_x**2 - mean_y**2 + c2)
    return luminance * structure


def _blurred(planes: Tensor, window: SSIM) -> Tensor:
    places = torch.arange(window.window, device=planes.device, dtype=planes.dtype) - window.window // 2
    bell = torch.exp(-(places**2) / (2 * window.sigma**2))
    bell = (bell / bell.sum()).expand(planes.shape[1], 1, 1, -1)
    across = functional.conv2d(planes, bell, groups=planes.shape[1])
    return functional.conv2d(across, bell.transpose(2, 3), groups=planes.shape[1])
