"""Linear layers and attention through oneDNN against float64."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
if not (torch._C._has_mkldnn and torch._C.has_mkl):
    pytest.skip("this build of PyTorch has no oneDNN, or no MKL", allow_module_level=True)

from torch.nn import functional  # noqa: E402

from leadline.engines.torch import onednn  # noqa: E402
from leadline.engines.torch.onednn import OneDnnAttention, OneDnnLinear, onednn_is_faster, use_onednn  # noqa: E402


def relative(made: Any, truth: Any) -> float:
    return float(((made.double() - truth).abs().max() / truth.abs().max()).detach())


@pytest.mark.parametrize("shape", [(5,), (1, 7, 5), (2, 300, 5), (2, 3, 4, 5)])
@pytest.mark.parametrize("bias", [True, False])
def test_a_linear_layer_gives_the_product_of_float64(shape: tuple[int, ...], bias: bool) -> None:
    torch.manual_seed(0)
    layer, rows = torch.nn.Linear(5, 9, bias=bias), torch.randn(shape)
    truth = rows.double() @ layer.weight.double().T + (layer.bias.double() if bias else 0)
    use_onednn(layer)
    with torch.inference_mode():
        made = layer(rows)
    assert type(layer) is OneDnnLinear
    assert made.shape == truth.shape
    assert relative(made, truth) < 1e-6


def test_only_plain_linear_layers_are_changed_and_their_weights_stay() -> None:
    class Own(torch.nn.Linear):  # type: ignore[misc]
        pass

    net = torch.nn.Sequential(torch.nn.Linear(3, 3), Own(3, 3), torch.nn.Conv2d(3, 3, 1))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    use_onednn(net)
    assert [type(layer).__name__ for layer in net] == ["OneDnnLinear", "Own", "Conv2d"]
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def _truth(query: Any, key: Any, value: Any, scale: float) -> Any:
    scores = query.double() @ key.double().transpose(-1, -2) * scale
    return torch.softmax(scores, -1) @ value.double()


@pytest.mark.parametrize("tokens", [(256, 256), (301, 301), (700, 40)])
def test_attention_gives_the_softmax_of_float64(
    tokens: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    query = torch.randn(2, tokens[0], 3, 16).transpose(1, 2)
    key, value = (torch.randn(2, tokens[1], 3, 16).transpose(1, 2) for _ in range(2))
    called: list[Any] = []
    whole = onednn.attention

    def counted(*given: Any) -> Any:
        called.append(given)
        return whole(*given)

    monkeypatch.setattr(onednn, "attention", counted)
    for scale in (None, 0.3):
        with torch.inference_mode(), OneDnnAttention():
            made = functional.scaled_dot_product_attention(query, key, value, scale=scale)
        assert relative(made, _truth(query, key, value, scale or 16**-0.5)) < 2e-6
        assert made.shape == (2, 3, tokens[0], 16)
    assert len(called) == 2


def test_attention_that_is_not_plain_is_left_to_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> Any:
        raise AssertionError

    monkeypatch.setattr(onednn, "attention", never)
    query = torch.randn(1, 2, 300, 8)
    mask = torch.zeros(300, 300, dtype=torch.bool).fill_diagonal_(True)
    short = query[:, :, :100]
    with torch.inference_mode(), OneDnnAttention():
        masked = functional.scaled_dot_product_attention(query, query, query, attn_mask=mask)
        functional.scaled_dot_product_attention(query, query, query, is_causal=True)
        functional.scaled_dot_product_attention(short, short, short)
        functional.scaled_dot_product_attention(query.double(), query.double(), query.double())
    torch.testing.assert_close(masked, query)


def test_it_is_used_on_the_processors_it_was_measured_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    amd, intel = tmp_path / "amd", tmp_path / "intel"
    amd.write_text("processor: 0\nvendor_id\t: AuthenticAMD\n")
    intel.write_text("processor: 0\nvendor_id\t: GenuineIntel\n")
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    assert onednn_is_faster(cpuinfo=amd)
    assert not onednn_is_faster(cpuinfo=intel)
    monkeypatch.setattr(onednn.platform, "processor", lambda: "AMD64 Family 26, AuthenticAMD")
    assert onednn_is_faster(cpuinfo=tmp_path / "none")
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    assert not onednn_is_faster(cpuinfo=amd)


def test_with_many_threads_attention_is_left_to_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(OneDnnAttention.where_it_pays(), OneDnnAttention)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 64)
    assert not isinstance(OneDnnAttention.where_it_pays(), OneDnnAttention)


def test_it_can_be_compiled_in_its_shapes() -> None:
    """The compiler learns the shapes of what it must not look into."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        query = torch.empty(2, 7, 3, 5).transpose(1, 2)
        made = torch.ops.leadline.attention(query, query, query, 0.5)
        assert (made.shape, made.stride()) == (query.shape, query.stride())
        assert torch.ops.leadline.linear(torch.empty(2, 4, 5), torch.empty(9, 5), None).shape == (2, 4, 9)
    assert np.isfinite(float(torch.ops.leadline.linear(torch.ones(1, 5), torch.ones(1, 5), None)))
