"""Files of tensors by name, as timm's hub, torchvision and PyTorch write them."""

from __future__ import annotations

from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from leadline.core.errors import WeightsError

__all__ = ["read_state"]


def read_state(path: Path) -> dict[str, Tensor]:
    """A network's tensors by name.

    Args:
        path: A state dict, as ``.safetensors`` or as torch saves it.

    Returns:
        The tensors, on the CPU; in the file's own order, which ``.safetensors`` does not keep.

    Raises:
        WeightsError: It cannot be read, or holds something else.
    """
    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
        [tensor.shape for tensor in state.values()]
    except (OSError, EOFError, AttributeError, RuntimeError, UnpicklingError, SafetensorError) as error:
        raise WeightsError(
            f"{str(path)!r} is no state dict that can be read: {type(error).__name__}",
            hint="give a classifier's weights as .safetensors or as torch saves them, or none for random ones",
        ) from error
    return state
