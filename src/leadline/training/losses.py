"""Losses on the logarithm of depth. All leave unknown pixels out and forgive a batch without any known one."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from leadline.training.recipe import LossRecipe

__all__ = ["depth_loss", "gradient_loss", "l1_log", "silog"]

TINY = 1e-6


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    return (values * mask).flatten(1).sum(1) / mask.flatten(1).sum(1).clamp(min=1)


def silog(error: Tensor, *, mask: Tensor, forgiven: float) -> Tensor:
    """Scale-invariant logarithmic error (Eigen, Puhrsch & Fergus, NeurIPS 2014, equation 4), its root, image by image.

    Args:
        error: log prediction - log truth, (N, 1, H, W).
        mask: 1 where the truth is known, the same shape.
        forgiven: How much of the squared mean error is taken off, from 0 (none) to 1 (scale does not count).

    Returns:
        The mean over the images of sqrt(mean e² - forgiven (mean e)²).
    """
    spread = _mean(error**2, mask) - forgiven * _mean(error, mask) ** 2
    return (spread.clamp(min=0) + TINY).sqrt().mean()


def l1_log(error: Tensor, *, mask: Tensor) -> Tensor:
    """Mean absolute difference of logarithms.

    Args:
        error: log prediction - log truth, (N, 1, H, W).
        mask: 1 where the truth is known, the same shape.

    Returns:
        The mean over the images of mean |e|.
    """
    return _mean(error.abs(), mask).mean()


def gradient_loss(error: Tensor, *, mask: Tensor, scales: int) -> Tensor:
    """Multi-scale gradient matching (Li & Snavely, MegaDepth, CVPR 2018, equation 3): edges where the truth has them.

    Args:
        error: log prediction - log truth, (N, 1, H, W).
        mask: 1 where the truth is known, the same shape.
        scales: Number of scales; each halves the resolution of the one before.

    Returns:
        The sum over the scales of the mean absolute differences of neighbours.
    """
    total = error.new_zeros(())
    for scale in range(scales):
        if scale:
            weight = functional.avg_pool2d(mask, 2)
            error = functional.avg_pool2d(error * mask, 2) / weight.clamp(min=TINY)
            mask = (weight > 0).to(error.dtype)
        across = (error[..., :, 1:] - error[..., :, :-1]).abs()
        down = (error[..., 1:, :] - error[..., :-1, :]).abs()
        total = total + _mean(across, mask[..., :, 1:] * mask[..., :, :-1]).mean()
        total = total + _mean(down, mask[..., 1:, :] * mask[..., :-1, :]).mean()
    return total


def depth_loss(log_depth: Tensor, truth_m: Tensor, *, recipe: LossRecipe) -> Tensor:
    """The weighted sum of all terms.

    Args:
        log_depth: What the network says, (N, 1, H, W).
        truth_m: Depth for the network's camera, the same shape; 0 where unknown.
        recipe: Weights of the terms.

    Returns:
        One number.
    """
    mask = (truth_m > 0).to(log_depth.dtype)
    error = (log_depth - torch.log(truth_m.clamp(min=TINY))) * mask
    return (
        recipe.silog_weight * silog(error, mask=mask, forgiven=recipe.silog_lambda)
        + recipe.l1_weight * l1_log(error, mask=mask)
        + recipe.gradient_weight * gradient_loss(error, mask=mask, scales=recipe.gradient_scales)
    )
