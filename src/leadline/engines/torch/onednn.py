"""Matrix products through oneDNN where PyTorch would go through a library that is slow on this processor.

PyTorch gives matrix products in float32 to Intel's MKL, which runs its slower kernels on other makers' processors: on two
cores of an AMD EPYC with AVX-512, oneDNN, which PyTorch carries too and runs convolutions with, does 2.3 times as many
products a second. So linear layers and attention go to oneDNN there. The arithmetic is float32 still.
"""

from __future__ import annotations

import platform
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

__all__ = [
    "OneDnnAttention",
    "OneDnnLinear",
    "attention",
    "can_do",
    "linear",
    "onednn_is_faster",
    "use_onednn",
]

_MOST_THREADS = 8
"""With more, PyTorch's own attention, which shares heads out among threads, was not compared."""

_ROWS = 128
"""Rows of scores a thread at once, which stay in its cache."""

_SHORTEST = 256
"""Tokens; of fewer, attention is no matter."""


def onednn_is_faster(*, cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether this is a processor on which oneDNN was found to be faster than MKL: AMD's with AVX-512.

    Args:
        cpuinfo: Where Linux tells about processors.

    Returns:
        True where linear layers should go to oneDNN.
    """
    there = bool(torch._C.has_mkl and torch._C._has_mkldnn)
    wide = torch.backends.cpu.get_cpu_capability().startswith("AVX512")
    return there and wide and "AuthenticAMD" in _maker(cpuinfo)


def _maker(cpuinfo: Path) -> str:
    try:
        return next(line for line in cpuinfo.read_text().splitlines() if line.startswith("vendor_id"))
    except (OSError, StopIteration):
        return platform.processor()


class OneDnnLinear(torch.nn.Linear):
    """A linear layer whose product oneDNN does; its weights are those of the layer it was."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """The product.

        Args:
            input: Shape (..., features).

        Returns:
            Shape (..., output features).
        """
        done: torch.Tensor = linear(input, self.weight, self.bias)
        return done


def use_onednn(module: torch.nn.Module) -> None:
    """Lets oneDNN do the linear layers of a network on the CPU.

    Args:
        module: The network; its plain linear layers become ``OneDnnLinear`` where they stand.
    """
    for layer in module.modules():
        if type(layer) is torch.nn.Linear:
            layer.__class__ = OneDnnLinear


class OneDnnAttention(TorchFunctionMode):
    """While it is entered, attention without a mask goes to oneDNN."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Passes on whatever is called, but for attention that can be done here."""
        given = kwargs or {}
        if func is functional.scaled_dot_product_attention and can_do(args, given):
            query, key, value = args
            return attention(query, key, value, given.get("scale") or query.shape[-1] ** -0.5)
        return func(*args, **given)

    @classmethod
    def where_it_pays(cls) -> AbstractContextManager[Any]:
        """The mode, or nothing where there are more threads than it was measured with.

        Returns:
            What to enter.
        """
        return cls() if torch.get_num_threads() <= _MOST_THREADS else nullcontext()


def can_do(args: tuple[Any, ...], given: dict[str, Any]) -> bool:
    """Whether attention can be done here.

    Args:
        args: Query, key and value; more by place is not plain.
        given: The rest, by name.

    Returns:
        True where nothing is masked and the values are of one sort, on the CPU, and of enough tokens.
    """
    plain = len(args) == 3 and not any(given.get(name) for name in ("is_causal", "dropout_p", "enable_gqa"))
    if not plain or given.get("attn_mask") is not None:
        return False
    query, key, value = args
    one_kind = query.dtype == key.dtype == value.dtype and query.dtype in (torch.float32, torch.bfloat16)
    alike = query.ndim == 4 and query.shape[:2] == key.shape[:2] == value.shape[:2]
    return one_kind and alike and query.device.type == "cpu" and query.shape[2] >= _SHORTEST


def attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float) -> torch.Tensor:
    """Softmax of the scaled products of queries and keys, times the values (Vaswani et al., 2017, eq. 1).

    A block of queries at a time, so that its scores never leave the processor's cache.

    Args:
        query: Shape (N, heads, tokens, features).
        key: Likewise.
        value: Likewise.
        scale: Factor of the products.

    Returns:
        Shape (N, heads, tokens, features).
    """
    done: torch.Tensor = torch.ops.leadline.attention(query, key, value, scale)
    return done


def linear(rows: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    """A linear layer.

    Args:
        rows: Shape (..., features).
        weight: Shape (output features, features).
        bias: Shape (output features,).

    Returns:
        Shape (..., output features).
    """
    done: torch.Tensor = torch.ops.leadline.linear(rows, weight, bias)
    return done


def _attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float) -> torch.Tensor:
    batch, heads, tokens, _ = query.shape
    made = torch.empty(batch, tokens, heads, value.shape[-1], dtype=query.dtype)
    rows = _ROWS * torch.get_num_threads()
    for one in range(batch):
        for head in range(heads):
            queries = (query[one, head] * scale).contiguous()
            keys, values = key[one, head].contiguous(), value[one, head].t().contiguous()
            for top in range(0, tokens, rows):
                share = torch.softmax(_product(queries[top : top + rows], keys, None), -1)
                made[one, top : top + rows, head] = _product(share, values, None)
    return made.transpose(1, 2)


def _attention_shape(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float
) -> torch.Tensor:
    batch, heads, tokens, _ = query.shape
    return query.new_empty(batch, tokens, heads, value.shape[-1]).transpose(1, 2)


def _linear_shape(rows: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    return rows.new_empty(*rows.shape[:-1], weight.shape[0])


def _product(rows: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    """Rows times the transposed weight, plus bias: what PyTorch's own compiler calls for linear layers of half precision."""
    done: torch.Tensor = torch.ops.mkldnn._linear_pointwise(rows, weight, bias, "none", [], "")
    return done


# Not ``torch.library.custom_op``: its first call imports PyTorch's compiler, which takes as long as a photo.
torch.library.define("leadline::attention", "(Tensor query, Tensor key, Tensor value, float scale) -> Tensor")
torch.library.impl("leadline::attention", "cpu", _attention)
torch.library.register_fake("leadline::attention", _attention_shape)
torch.library.define("leadline::linear", "(Tensor rows, Tensor weight, Tensor? bias) -> Tensor")
torch.library.impl("leadline::linear", "cpu", _product)
torch.library.register_fake("leadline::linear", _linear_shape)
