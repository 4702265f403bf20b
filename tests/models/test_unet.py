"""The U-Net beside the tutorial's own network in Keras 3, its losses, its target, and what is mended."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch

from leadline.core.errors import InputError
from leadline.datasets.diode import unet_tutorial_target
from leadline.models.unet.net import TutorialUNet, UNet, build, build_tutorial
from leadline.plugins.need import has
from leadline.testing.tiny import strengthened
from leadline.training.losses.comparison import Scale, compare
from leadline.training.losses.weighted import make_loss
from leadline.training.network import DepthNetwork
from leadline.training.objective import Objective
from leadline.training.recipe import LossRecipe

TUTORIAL_SSIM = {"span": 256.0, "window": 7, "k1": 1e-4, "k2": 9e-4}
TERMS = (
    LossRecipe("ssim", 0.85, {key: str(value) for key, value in TUTORIAL_SSIM.items()}),
    LossRecipe("l1", 0.1),
    LossRecipe("target-edge-smoothness", 0.9),
)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Tests share their cores; threads that wait for each other do not."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> tuple[TutorialUNet, dict[str, np.ndarray]]:
    """The torch network, and what Keras says of the same batch with the same weights."""
    if not has("keras"):
        pytest.skip("keras is not installed (pip install 'leadline[dev]')")
    folder = tmp_path_factory.mktemp("keras")
    torch.manual_seed(4)
    net = strengthened(build_tutorial())
    with torch.no_grad():
        for name, buffer in net.named_buffers():
            if name.endswith("running_mean"):
                buffer.normal_(0, 0.2)
            if name.endswith("running_var"):
                buffer.uniform_(0.5, 1.5)
        net.head.weight.mul_(0.1)  # within the part of the tanh that is not flat
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (2, 3, 256, 256)).astype(np.float32)
    target = rng.uniform(0.1, 1.5, (2, 1, 256, 256)).astype(np.float32)
    state = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
    np.savez(folder / "weights.npz", rgb=rgb, target=target, **state)
    script = Path(__file__).parent / "keras_unet.py"
    subprocess.run(
        [sys.executable, str(script), "weights.npz", "said.npz"], cwd=folder, check=True, timeout=200
    )
    return net, {**np.load(folder / "said.npz"), "rgb": rgb, "target": target}


def test_it_says_what_the_network_in_keras_says(beside: tuple[TutorialUNet, dict[str, np.ndarray]]) -> None:
    net, keras = beside
    rgb = torch.from_numpy(keras["rgb"])
    with torch.no_grad():
        evaluated, trained = net.eval()(rgb).numpy(), net.train()(rgb).numpy()
    assert np.std(keras["evaluated"]) > 0.05
    assert np.abs(evaluated - keras["evaluated"]).max() < 1e-4
    assert np.abs(trained - keras["trained"]).max() < 1e-4
    assert sum(t.numel() for n, t in net.state_dict().items() if "tracked" not in n) == keras["parameters"]


def test_its_losses_are_the_tutorials(beside: tuple[TutorialUNet, dict[str, np.ndarray]]) -> None:
    _, keras = beside
    said, target = torch.from_numpy(keras["evaluated"]), torch.from_numpy(keras["target"])
    everything = torch.ones_like(said)
    seen = compare(said, target, mask=everything, scale=Scale.LOG)
    terms = [make_loss(term.name, term.options)(seen).item() for term in TERMS]
    assert terms == pytest.approx(keras["terms"].tolist(), rel=1e-4)


def test_the_tutorials_target_and_its_dropped_mask() -> None:
    """Beside the construction in full resolution that the DIODE reader offers, at the network's own size."""
    rng = np.random.default_rng(1)
    depth = rng.uniform(0.0, 9.0, (256, 256)).astype(np.float32)
    depth[:40] = 0
    wanted = unet_tutorial_target(depth, depth > 0)
    net, metres = TutorialUNet(), torch.from_numpy(depth)[None, None]
    assert np.abs(net.target(metres)[0, 0].numpy() - wanted).max() < 1e-5
    assert net.known(metres).all()
    assert not UNet().known(metres).all()


def test_the_tutorials_head_ends_at_e_metres_and_ours_does_not() -> None:
    rgb = torch.zeros(1, 3, 32, 32)
    for net, farthest in ((TutorialUNet((4, 6, 8)), math.e), (UNet((4, 6, 8)), 300.0)):
        with torch.no_grad():
            net.head.bias.fill_(1e3)  # type: ignore[union-attr, operator]
            assert net.eval().metres(net(rgb)).max().item() == pytest.approx(farthest, rel=1e-5)
            net.head.bias.fill_(-1e3)  # type: ignore[union-attr, operator]
            assert net.metres(net(rgb)).min().item() == pytest.approx(
                min(0.1 if farthest == 300 else 1 / math.e, 1)
            )


def test_ours_begins_at_a_rooms_depth_and_goes_there_and_back() -> None:
    net = UNet((4, 6, 8)).eval()
    with torch.no_grad():
        assert net.metres(net(torch.zeros(1, 3, 32, 32))).median().item() == pytest.approx(2.5, rel=0.5)
    metres = torch.tensor([0.2, 3.0, 250.0])
    assert torch.allclose(net.metres(net.target(metres)), metres, rtol=1e-5)
    assert torch.isfinite(net.target(torch.zeros(1))).all()


def test_unknown_pixels_move_the_tutorials_network_and_not_ours() -> None:
    truth = torch.full((1, 1, 16, 16), 2.0)
    truth[..., :8] = 0
    for net, moves in ((TutorialUNet(), True), (UNet(), False)):
        said = torch.full((1, 1, 16, 16), 0.3, requires_grad=True)
        objective = Objective(TERMS, network=cast(DepthNetwork, net))
        objective(said, truth, rgb=torch.zeros(1, 3, 16, 16)).backward()
        assert said.grad is not None
        assert bool(said.grad[..., :5].any()) is moves


def test_the_same_seed_makes_the_same_network_as_keras_begins() -> None:
    one, two, other = build(seed=1), build(seed=1), build(seed=2)
    assert torch.equal(one.head.weight, two.head.weight)
    assert not torch.equal(one.head.weight, other.head.weight)
    weight = cast(torch.Tensor, one.bottleneck.conv_a.weight)
    most = math.sqrt(6 / (9 * 128 + 9 * 256))  # Glorot's bound
    assert 0.99 * most < weight.abs().max().item() <= most


def test_options_it_does_not_have_are_refused() -> None:
    with pytest.raises(InputError, match="no encoder of its own"):
        build(encoder="resnet50")
    with pytest.raises(InputError, match="no encoder of its own"):
        build_tutorial(drop_path=0.1)
    with pytest.raises(InputError, match=r"widths = \[16\] leave no block"):
        build(widths=[16])
