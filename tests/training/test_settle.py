"""Batch normalisation measured anew."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from leadline.training.settle import settle


def test_statistics_are_those_of_all_batches_and_nothing_else_changes() -> None:
    net = nn.Sequential(nn.BatchNorm2d(3), nn.Dropout(0.5), nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2))
    norm = net[0]
    norm.running_mean.fill_(100.0)
    weights = [p.detach().clone() for p in net.parameters()]
    batches = [torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(i)) * 3 + i for i in range(3)]
    settle(net, iter(batches))
    assert norm.running_mean.numpy() == pytest.approx(
        torch.stack([b.mean((0, 2, 3)) for b in batches]).mean(0).numpy(), abs=1e-5
    )
    assert norm.running_var.numpy() == pytest.approx(
        torch.stack([b.transpose(0, 1).flatten(1).var(1) for b in batches]).mean(0).numpy(), rel=1e-4
    )
    assert all(torch.equal(a, b) for a, b in zip(weights, net.parameters(), strict=True))
    assert norm.momentum == 0.1
    assert not any(module.training for module in net.modules())
