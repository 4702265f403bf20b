"""Batches with holes, and the values at which losses tend to break."""

from __future__ import annotations

import pytest
import torch

from leadline.training.losses.comparison import Comparison


@pytest.fixture
def batch() -> Comparison:
    """Two images of positive numbers, a third of them unknown; the mask is one of truth values."""
    made = torch.Generator().manual_seed(3)
    said = torch.rand((2, 1, 24, 32), generator=made) * 4 + 0.5
    truth = said * (0.8 + 0.5 * torch.rand((2, 1, 24, 32), generator=made))
    return Comparison(said, truth, torch.rand((2, 1, 24, 32), generator=made) > 0.33)
