"""Checkpoints that cannot be used say so."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from leadline.core.errors import WeightsError
from leadline.training.checkpoint import load_average


def test_the_average_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    torch.save(
        {"state_dict": {"network.weight": torch.full((1, 2), 3.0), "network.bias": torch.ones(1)}}, path
    )
    linear = load_average(torch.nn.Linear(2, 1), path)
    assert linear(torch.ones(1, 2)).item() == 7.0


@pytest.mark.parametrize("content", [b"", b"PK nothing", None])
def test_absent_and_damaged_checkpoints_are_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "last.ckpt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WeightsError, match="is not a checkpoint of"):
        load_average(torch.nn.Linear(2, 1), path)


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    torch.save({"state_dict": {"network.weight": torch.ones(5, 5)}}, path)
    with pytest.raises(WeightsError, match="train again into an empty folder"):
        load_average(torch.nn.Linear(2, 1), path)
