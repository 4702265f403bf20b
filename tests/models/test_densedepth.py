"""DenseDepth: the article's size, its encoder beside torchvision's, its numbers, and that it learns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch.nn import functional

from leadline.core.errors import InputError, WeightsError
from leadline.models.densedepth.net import DenseDepth, build
from leadline.training.network import DepthNetwork, build_network
from leadline.training.objective import Objective
from leadline.training.recipe_files import load_recipe

TINY = {"encoder": "test_resnet", "widths": (16, 12, 8, 8, 4)}


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Tests share their cores; threads that wait for each other do not."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def photo(seed: int, *, height: int = 64, width: int = 96) -> torch.Tensor:
    return torch.rand((1, 3, height, width), generator=torch.Generator().manual_seed(seed)) * 255


@pytest.mark.parametrize(
    ("encoder", "millions"), [("densenet169", 42.6577), ("densenet121", 18.9914), ("resnet50", 77.7707)]
)
def test_it_is_as_large_as_published_and_ends_at_half_resolution(encoder: str, millions: float) -> None:
    """42.6 million for DenseNet-169 (the article's table 1); 121 has fewer, ResNet-50 more."""
    net = build(encoder=encoder).eval()
    assert sum(p.numel() for p in net.parameters()) / 1e6 == pytest.approx(millions, abs=1e-4)
    with torch.no_grad():
        assert net(photo(0)).shape == (1, 1, 32, 48)


def decoded(net: DenseDepth, skips: list[torch.Tensor], top: torch.Tensor) -> torch.Tensor:
    """The article's decoder, written out once more over plain tensors."""
    state = net.state_dict()

    def conv(x: torch.Tensor, name: str, padding: int = 1) -> torch.Tensor:
        return functional.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], padding=padding)

    x = conv(top, "top", padding=0)
    for number, skip in enumerate(reversed(skips)):
        x = torch.nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)(x)
        x = torch.cat((x, skip), dim=1)
        for part in ("conv_a", "conv_b"):
            x = conv(x, f"up.{number}.{part}")
            x = torch.maximum(x, 0.2 * x)
    return conv(x, "head")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_its_encoder_is_torchvisions_densenet_with_its_weights(tmp_path: Path, suffix: str) -> None:
    torch.manual_seed(0)
    other = torchvision.models.densenet121().eval()
    path = tmp_path / f"densenet121{suffix}"
    save_file(other.state_dict(), path) if suffix == ".safetensors" else torch.save(other.state_dict(), path)
    net = build(encoder="densenet121", encoder_weights=path, seed=9).eval()
    rgb = photo(1)
    mean, spread = (
        torch.tensor(v).reshape(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    )
    with torch.no_grad():
        x, made = (rgb / 255 - mean) / spread, {}
        for name, part in other.features.named_children():
            x = part(x)
            made[name] = x
        skips = [made["relu0"], made["pool0"], made["transition1"], made["transition2"]]
        wanted = decoded(net, skips, functional.relu(made["norm5"]))
        said = net(rgb)
    assert float((said - wanted).abs().max()) < 1e-4 * float(wanted.abs().max())


def test_near_is_large_and_metres_come_back() -> None:
    net = build(**TINY)  # type: ignore[arg-type]
    metres = torch.tensor([0.05, 0.1, 2.0, 10.0, 40.0])
    assert net.target(metres).tolist() == pytest.approx([100, 100, 5, 1, 1])
    assert net.metres(net.target(metres)).tolist() == pytest.approx([0.1, 0.1, 2, 10, 10])
    assert net.metres(torch.tensor([-3.0, 0.0, 1e9])).tolist() == pytest.approx([10, 10, 0.1])
    assert torch.isfinite(net.target(torch.zeros(1))).all()
    assert net.target_size(3000, 40) == (480, 640)


def test_its_loss_is_the_articles() -> None:
    """.1 mean |e| + mean |e_x| + mean |e_y| + (1 - SSIM) / 2 with a range of 100, on 10 / metres."""
    network = build(**TINY)  # type: ignore[arg-type]
    objective = Objective(load_recipe("densedepth-nyu").loss, network=cast(DepthNetwork, network))
    rng = np.random.default_rng(0)
    metres = rng.uniform(0.5, 9, (1, 1, 24, 32)).astype(np.float32)
    said = 10 / metres + rng.normal(0, 1, metres.shape).astype(np.float32)
    e = (said - 10 / metres)[0, 0].astype(float)
    bell = np.exp(-((np.arange(11) - 5.0) ** 2) / (2 * 1.5**2))
    window = np.outer(bell, bell) / bell.sum() ** 2
    x, y = (
        np.lib.stride_tricks.sliding_window_view(p[0, 0].astype(float), (11, 11)) for p in (said, 10 / metres)
    )
    mx, my, xx, yy, xy = (np.einsum("hwab,ab->hw", v, window) for v in (x, y, x * x, y * y, x * y))
    c1, c2 = 1.0, 9.0
    ssim = (
        (2 * mx * my + c1)
        * (2 * (xy - mx * my) + c2)
        / ((mx**2 + my**2 + c1) * (xx + yy - mx**2 - my**2 + c2))
    )
    wanted = (
        0.1 * np.abs(e).mean()
        + np.abs(np.diff(e, axis=0)).mean()
        + np.abs(np.diff(e, axis=1)).mean()
        + (1 - ssim.mean()) / 2
    )
    loss = objective(torch.from_numpy(said), torch.from_numpy(metres), rgb=photo(0))
    assert loss.item() == pytest.approx(wanted, rel=1e-4)


def test_what_is_exported_is_the_logarithm_of_its_metres() -> None:
    net = build(**TINY).eval()  # type: ignore[arg-type]
    with torch.no_grad():
        net.head.bias.fill_(5.0)  # type: ignore[union-attr, operator]
        assert torch.allclose(net.folded()(photo(2)).exp(), net.metres(net(photo(2))), rtol=1e-5)


def test_it_learns() -> None:
    net = build(**TINY, seed=1)  # type: ignore[arg-type]
    objective = Objective(load_recipe("densedepth-nyu").loss, network=cast(DepthNetwork, net))
    rgb = torch.cat([photo(k) for k in range(4)])
    truth = functional.avg_pool2d(rgb.mean(1, keepdim=True), 2) / 40 + 0.5
    optimiser = torch.optim.Adam(net.parameters(), lr=3e-3)
    losses = []
    for _ in range(20):
        loss = objective(net(rgb), truth, rgb=rgb)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        losses.append(loss.item())
    assert np.mean(losses[-5:]) < 0.5 * losses[0]


def test_a_file_from_before_batches_were_counted_is_taken(tmp_path: Path) -> None:
    torch.manual_seed(0)
    state = {
        name: tensor
        for name, tensor in torchvision.models.densenet121().state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    torch.save(state, tmp_path / "old.pth")
    features = build(encoder="densenet121", encoder_weights=tmp_path / "old.pth").encoder.features
    assert torch.equal(features.conv0.weight, state["features.conv0.weight"])
    del state["features.norm0.running_mean"]
    torch.save(state, tmp_path / "less.pth")
    with pytest.raises(WeightsError, match=r"norm0\.running_mean"):
        build(encoder="densenet121", encoder_weights=tmp_path / "less.pth")


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="encoder 'vit_tiny_patch16_224' is no DenseNet or ResNet"):
        build(encoder="vit_tiny_patch16_224")
    with pytest.raises(InputError, match=r"widths = \[8, 4\] are not five"):
        build(encoder="test_resnet", widths=(8, 4))
    with pytest.raises(InputError, match=r"drop_path = 0\.1"):
        build(encoder="test_resnet", drop_path=0.1)
    other = tmp_path / "other.pth"
    torch.save(torchvision.models.resnet18().state_dict(), other)
    broken, list_file = tmp_path / "broken.safetensors", tmp_path / "list.pth"
    broken.write_bytes(b"no weights")
    torch.save([1, 2], list_file)
    for path in (other, broken, list_file, tmp_path / "absent.pth"):
        with pytest.raises(
            WeightsError, match=r"holds no weights of this encoder|is no state dict that can be read"
        ):
            build(encoder="test_resnet", encoder_weights=path)


def test_a_recipe_takes_weights_from_a_path_or_none_and_says_what_is_not_there(tmp_path: Path) -> None:
    torch.manual_seed(3)
    kept = build(**TINY)  # type: ignore[arg-type]
    path = tmp_path / "encoder.pth"
    torch.save(kept.encoder.features.state_dict(), path)
    small = ["network.encoder=test_resnet", "network.widths=[16, 12, 8, 8, 4]"]
    made = build_network(load_recipe("densedepth-nyu", changes=[*small, f"network.encoder_weights={path}"]))
    first = next(iter(kept.encoder.parameters()))
    assert torch.equal(next(iter(cast(DenseDepth, made).encoder.parameters())), first)
    fresh = build_network(load_recipe("densedepth-nyu", changes=[*small, "network.encoder_weights="]))
    assert not torch.equal(next(iter(cast(DenseDepth, fresh).encoder.parameters())), first)
    with pytest.raises(WeightsError, match=r"there is no file 'nowhere\.pth'"):
        build_network(load_recipe("densedepth-nyu", changes=[*small, "network.encoder_weights=nowhere.pth"]))
