"""Batch normalisation for averaged weights.

A moving average of weights is a network that never saw a batch: the statistics its normalisation layers carry are averages
too, of other networks. They are measured anew (Izmailov et al., "Averaging Weights Leads to Wider Optima", UAI 2018,
section 3.2); without it an average taken while the weights still move fast can be twice as wrong.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

__all__ = ["settle"]


def settle(network: nn.Module, batches: Iterable[Tensor]) -> None:
    """Measures the statistics of all batch normalisation layers anew.

    Everything else runs as in evaluation, so that the statistics are those of the network that will be used.

    Args:
        network: The network; its statistics are replaced, and it is left in evaluation mode.
        batches: What to measure on, RGB 0 to 255, (N, 3, H, W).
    """
    network.eval()
    layers = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # a plain mean over all batches
        layer.train()
    with torch.no_grad():
        for batch in batches:
            network(batch)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    network.eval()
