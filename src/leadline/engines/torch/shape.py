"""The shape a network runs in: where, in which precision, and by which library."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import torch

from leadline.engines.torch.onednn import OneDnnAttention, onednn_is_faster, use_onednn
from leadline.engines.torch.precision import cast

__all__ = ["Shape"]


@dataclass(frozen=True)
class Shape:
    """Where a network runs, and how.

    Args:
        device: The device it is on.
        precision: What its numbers are held in.
        as_it_is: Whether its numbers must stay to the bit, so that nothing is put in another order.
        onednn: Whether oneDNN does its linear layers.
    """

    device: str
    precision: str
    as_it_is: bool = False
    onednn: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "onednn", self.device == "cpu" and not self.as_it_is and onednn_is_faster())

    def given_to(self, module: Any) -> Any:
        """Brings a network into this shape.

        Args:
            module: The ``torch.nn.Module``.

        Returns:
            The same module.
        """
        module.eval().requires_grad_(False).to(self.device)
        cast(module, self.precision)
        if not self.device.startswith("mps") and not self.as_it_is:
            module.to(memory_format=torch.channels_last)
        if self.onednn:
            use_onednn(module)
        return module

    def attention(self) -> AbstractContextManager[Any]:
        """What is entered around the network, so that oneDNN does its attention where that pays.

        Returns:
            A context.
        """
        return OneDnnAttention.where_it_pays()

    def attends(self) -> bool:
        """Whether oneDNN does attention now, with as many threads as there are."""
        return self.onednn and isinstance(self.attention(), OneDnnAttention)
