"""From a model file back to a network that can be trained, without a change of what it says."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from leadline.core.errors import WeightsError
from leadline.io.weights import locate
from leadline.models.leadline_indoor.net import IndoorNet, build, normalised_convs
from leadline.models.leadline_indoor.spec import SMALL
from leadline.models.leadline_indoor.whole import load_file_weights
from leadline.testing.tiny import indoor, indoor_net


@pytest.fixture(scope="module")
def tiny_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return indoor(tmp_path_factory.mktemp("tiny"))


def photos(seed: int) -> Tensor:
    coarse = torch.rand((4, 3, 6, 8), generator=torch.Generator().manual_seed(seed)) * 255
    return torch.nn.functional.interpolate(coarse, size=(96, 128), mode="bilinear")


def tiny_net(seed: int) -> IndoorNet:
    torch.manual_seed(seed)
    return indoor_net()


def test_the_file_that_ships_says_the_same_unfolded() -> None:
    path = locate(SMALL.weights, name=SMALL.name)
    net = build(seed=5)
    sizes = [conv.weight.square().mean() for conv, _ in normalised_convs(net)]
    net.unfold(path, batches=[photos(0), photos(1)])
    assert net.training
    with torch.no_grad():
        said, wanted = net.eval()(photos(2)), load_file_weights(build(), path)(photos(2))
    assert float((said - wanted).abs().max()) < 1e-4 * float(wanted.abs().max())
    for (conv, norm), size in zip(normalised_convs(net), sizes, strict=True):
        assert float(conv.weight.square().mean().detach()) == pytest.approx(float(size.detach()), rel=1e-4)
        assert norm.running_var is not None
        assert float(norm.running_var.mean()) > 0


def test_its_normalisation_is_that_of_the_photos_it_was_measured_on(tiny_file: Path) -> None:
    net = tiny_net(1)
    net.unfold(tiny_file, batches=[photos(0)])
    with torch.no_grad():
        by_batch, by_memory = net.train()(photos(0)), net.eval()(photos(0))
    # One batch was all that was measured, so statistics of the batch and statistics that are kept are the same.
    assert torch.allclose(by_batch, by_memory, atol=2e-3)


def test_a_file_of_another_network_is_refused(tiny_file: Path) -> None:
    with pytest.raises(WeightsError, match="holds another network"):
        build().unfold(tiny_file, batches=[photos(0)])
    with pytest.raises(WeightsError, match="holds another network"):
        indoor_net().unfold(locate(SMALL.weights, name=SMALL.name), batches=[photos(0)])
