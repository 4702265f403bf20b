"""Depth models of transformers as networks to be trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as PilImage
from torch import nn

import leadline
from leadline.core.errors import InputError, OutputError
from leadline.core.image import Image
from leadline.flows.naming import resolve_model
from leadline.io.weights import locate
from leadline.models.tuning.net import TunedNetwork, build
from leadline.plugins.registry import load
from leadline.training.network import predict

FAMILIES = (
    "depth-anything-tiny",
    "depth-anything-metric-tiny",
    "dpt-tiny",
    "glpn-tiny",
    "zoedepth-tiny",
    "tipsv2-dpt-tiny",
)
PHOTO = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)


def opened(name: str, *, trains: str = "all") -> TunedNetwork:
    spec = resolve_model(name)
    checkpoint = locate(spec.weights, name=name)
    return build(checkpoint, network=load(spec.network), kind=spec.kind, trains=trains, rank=2)


@pytest.mark.parametrize(
    "name", [name for name in FAMILIES if name != "zoedepth-tiny"]
)  # it pads photos first
def test_it_says_what_the_model_says(name: str) -> None:
    """On a photo of the size that the processor would bring it to, because training views are resized by another filter."""
    network = opened(name).eval()
    rows, columns = network.target_size(60, 80)
    assert network.target_size(rows, columns) == (rows, columns)
    photo = np.random.default_rng(0).integers(0, 256, (rows, columns, 3), dtype=np.uint8)
    said = predict(network, Image.from_array(photo))  # type: ignore[arg-type]
    with leadline.open_model(name) as model:
        due = model.predict(photo).depth
    assert said.kind == due.kind
    assert np.allclose(said.values, due.values, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_normalisation_is_the_processors(name: str) -> None:
    network = opened(name)
    rows, columns = network.target_size(60, 80)
    flat = np.empty((60, 80, 3), np.uint8)
    flat[:] = (200, 90, 17)
    due = network.processor(images=[PilImage.fromarray(flat)], return_tensors="pt")["pixel_values"]
    pixels = torch.tensor([200.0, 90.0, 17.0]).reshape(1, 3, 1, 1).expand(1, 3, rows, columns)
    assert torch.allclose(pixels * network.gain + network.offset, due, atol=1e-4)


@pytest.mark.parametrize("name", ["depth-anything-tiny", "glpn-tiny"])
def test_only_what_is_asked_for_moves(name: str) -> None:
    for trains, encoder_moves in (("all", True), ("head", False), ("low-rank", True)):
        network = opened(name, trains=trains)
        moving = [n for n, p in network.named_parameters() if p.requires_grad]
        assert any(n.startswith("encoder.") for n in moving) == encoder_moves
        assert any(n.startswith("whole.") for n in moving)
        if trains == "low-rank":
            assert all(n.endswith((".up", ".down")) for n in moving if n.startswith("encoder."))


def test_low_rank_changes_begin_at_nothing_and_are_merged(tmp_path: Path) -> None:
    plain, changed = (
        opened("depth-anything-tiny").eval(),
        opened("depth-anything-tiny", trains="low-rank").eval(),
    )
    pixels = torch.from_numpy(PHOTO).permute(2, 0, 1)[None].float()[:, :, :56, :70]
    with torch.no_grad():
        assert torch.allclose(plain(pixels), changed(pixels), atol=1e-5)
        for name, parameter in changed.named_parameters():
            if name.endswith(".up"):
                parameter.normal_(0, 0.2)
        moved = changed(pixels)
        assert not torch.allclose(plain(pixels), moved, atol=1e-2)
        assert torch.allclose(changed.folded()(pixels), moved, atol=1e-5)
    assert not any("parametrizations" in name for name, _ in changed.named_parameters())
    changed.save(tmp_path / "model")
    from transformers import AutoModelForDepthEstimation

    again: Any = AutoModelForDepthEstimation.from_pretrained(tmp_path / "model")
    with torch.no_grad():
        outside = again(pixel_values=pixels * changed.gain + changed.offset).predicted_depth
    assert torch.allclose(outside[:, None], moved, atol=1e-5)


def test_what_is_saved_opens_by_its_folder_with_the_kind_it_had(tmp_path: Path) -> None:
    network = opened("dpt-tiny").eval()  # nothing but what leadline writes says what a DPT predicts
    network.save(tmp_path / "model")
    network.save(tmp_path / "model")  # what was there is replaced
    assert [p.name for p in tmp_path.iterdir()] == ["model"]
    with leadline.open_model(str(tmp_path / "model")) as model, leadline.open_model("dpt-tiny") as original:
        assert model.spec.kind == original.spec.kind
        assert np.allclose(model.predict(PHOTO).depth.values, original.predict(PHOTO).depth.values)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        opened("glpn-tiny").save(tmp_path / "file" / "model")


def test_an_encoder_without_attention_has_nothing_to_change() -> None:
    network = opened("glpn-tiny")
    bare = nn.Sequential(nn.Conv2d(3, 3, 1))
    with pytest.raises(InputError, match="no attention"):
        TunedNetwork(bare, network.processor, kind=network.output_kind, trains="low-rank", rank=2)


def test_relative_inverse_depth_is_compared_with_one_over_metres() -> None:
    metres = torch.tensor([2.0, 4.0])
    assert opened("dpt-tiny").target(metres).tolist() == [0.5, 0.25]
    assert opened("dpt-tiny").metres(torch.tensor([0.5])).tolist() == [2.0]
    assert (
        opened("glpn-tiny").target(metres).tolist()
        == opened("glpn-tiny").metres(metres).tolist()
        == [2.0, 4.0]
    )
