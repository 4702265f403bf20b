"""Checkpoints that cannot be used say so."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from leadline.core.errors import OutputError, WeightsError
from leadline.training.checkpoint import WholeFiles, load_average, read_checkpoint


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
    with pytest.raises(
        WeightsError, match="there is no checkpoint" if content is None else "is not a checkpoint of"
    ):
        load_average(torch.nn.Linear(2, 1), path)


@pytest.mark.parametrize(
    ("found", "what"),
    [
        ({"epoch": 3}, "KeyError"),
        ([1], "TypeError"),
        ([], "TypeError"),
        ({"state_dict": [torch.ones(1)]}, "AttributeError"),
        ({"state_dict": {"network.weight": 3}}, "AttributeError"),
    ],
    ids=["no state", "list", "empty", "state as a list", "number"],
)
def test_other_things_that_torch_saved_are_refused(tmp_path: Path, found: object, what: str) -> None:
    path = tmp_path / "last.ckpt"
    torch.save(found, path)
    with pytest.raises(WeightsError, match=f"is not a checkpoint of a training run: {what}"):
        read_checkpoint(path)


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    torch.save({"state_dict": {"network.weight": torch.ones(5, 5)}}, path)
    with pytest.raises(WeightsError, match="'bias' is absent there and 1 here; train again into an empty"):
        load_average(torch.nn.Linear(2, 1), path)


def test_a_full_disk_leaves_the_last_good_checkpoint(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: the same calls fail in the same place."""
    resource = pytest.importorskip("resource")
    path = tmp_path / "last.ckpt"
    WholeFiles().save_checkpoint({"state_dict": {"network.weight": torch.ones(3)}}, path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(OutputError, match="cannot be written: it is larger than this file system allows"):
            WholeFiles().save_checkpoint({"state_dict": {"network.weight": torch.zeros(100_000)}}, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert read_checkpoint(path)["state_dict"]["network.weight"].tolist() == [1.0, 1.0, 1.0]
    assert [entry.name for entry in tmp_path.iterdir()] == ["last.ckpt"]


def test_only_numbers_are_read(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    torch.save({"state_dict": {"network.weight": Path("x")}}, path)
    with pytest.raises(WeightsError, match="UnpicklingError"):
        WholeFiles().load_checkpoint(path)
