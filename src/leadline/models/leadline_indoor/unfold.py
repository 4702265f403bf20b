"""The way back from a model file to a network that can be trained: batch normalisation unfolded.

A file holds each convolution with the normalisation behind it folded in. To train on, the normalisation is put back so that
the function stays what it was: its statistics are measured on photos, its gain and shift undo them. Each convolution gets
back the size it had when the network was built, because an optimiser's steps do not grow with the weights.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from leadline.core.errors import WeightsError
from leadline.io.tensor_shapes import tell_apart
from leadline.models.leadline_indoor.net import IndoorNet, normalised_convs
from leadline.models.leadline_indoor.whole import read_file_weights

__all__ = ["unfold_file"]


def unfold_file(net: IndoorNet, path: Path, *, batches: Iterable[Tensor]) -> IndoorNet:
    """Gives a network with batch normalisation the function of a model file.

    Args:
        net: A network of the file's encoder and widths, not folded.
        path: A file that ``leadline.exporters.onnx`` wrote.
        batches: Photos to measure on, RGB 0 to 255, (N, 3, H, W), at least one batch.

    Returns:
        The network itself, in training mode. In evaluation mode it says what the file says.

    Raises:
        WeightsError: The file cannot be read or holds another network.
    """
    weights = {name: torch.from_numpy(array) for name, array in read_file_weights(path).items()}
    pairs = list(normalised_convs(net))
    sizes = [_size(conv) for conv, _ in pairs]
    own = {id(parameter): name for name, parameter in net.named_parameters()}
    names = {own[id(conv.weight)].removesuffix(".weight"): norm for conv, norm in pairs}
    state = {k: v for k, v in weights.items() if k.rpartition(".")[0] not in names or k.endswith(".weight")}
    kept = {k: v for k, v in net.state_dict().items() if k not in state and _is_of(k, net, names.values())}
    shifts = {f"{name}.bias": norm.bias.shape for name, norm in names.items()}
    found = {name: tensor.shape for name, tensor in {**kept, **weights}.items()}
    apart = tell_apart(found, {name: tensor.shape for name, tensor in net.state_dict().items()} | shifts)
    if apart:
        raise WeightsError(
            f"{str(path)!r} holds another network: {apart}", hint="build the network it was made from"
        )
    net.load_state_dict({**kept, **state})
    for name, norm in names.items():
        _pass_through(norm, shift=weights[f"{name}.bias"])
    _measure(net, list(names.values()), batches)
    for (conv, norm), size in zip(pairs, sizes, strict=True):
        _scale(conv, norm, factor=size / _size(conv))
    return net.train()


def _size(conv: nn.Conv2d) -> float:
    return float(conv.weight.detach().square().mean().sqrt())


def _scale(conv: nn.Conv2d, norm: nn.BatchNorm2d, *, factor: float) -> None:
    """Multiplies a convolution, and its normalisation's statistics with it; what comes out stays."""
    mean, variance = _statistics(norm)
    with torch.no_grad():
        conv.weight.mul_(factor)
        mean.mul_(factor)
        variance.mul_(factor**2)
        norm.weight.copy_((variance + norm.eps).sqrt() / factor)


def _statistics(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None
    assert variance is not None
    return mean, variance


def _is_of(key: str, net: IndoorNet, norms: Iterable[nn.Module]) -> bool:
    owner = net.get_submodule(key.rpartition(".")[0])
    return any(owner is norm for norm in norms)


def _pass_through(norm: nn.BatchNorm2d, *, shift: Tensor) -> None:
    """Makes a normalisation add a shift and nothing else."""
    mean, variance = _statistics(norm)
    with torch.no_grad():
        mean.zero_()
        variance.fill_(1 - norm.eps)
        norm.weight.fill_(1)
        norm.bias.copy_(shift)


def _measure(net: IndoorNet, norms: list[nn.BatchNorm2d], batches: Iterable[Tensor]) -> None:
    """Gives each normalisation the statistics of what it meets, and the gain and shift that undo them."""
    sums = {norm: torch.zeros(3, norm.num_features, dtype=torch.float64) for norm in norms}

    def note(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        x = inputs[0].double().transpose(0, 1).flatten(1)
        sums[norm] += torch.stack([torch.full_like(x[:, 0], x.shape[1]), x.sum(1), x.square().sum(1)])  # type: ignore[index]

    hooks = [norm.register_forward_pre_hook(note) for norm in norms]
    net.eval()
    with torch.no_grad():
        for batch in batches:
            net(batch)
        for norm, (count, total, squares) in sums.items():
            mean, variance = _statistics(norm)
            mean.copy_(total / count)
            variance.copy_((squares / count - (total / count) ** 2).clamp(min=0))
            norm.weight.copy_((variance + norm.eps).sqrt())
            norm.bias.add_(mean)
    for hook in hooks:
        hook.remove()
