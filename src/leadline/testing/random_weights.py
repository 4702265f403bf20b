"""Random weights that show what a network does, and checkpoints of them; needs torch, and to save, transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from leadline.models.pretrained import quiet
from leadline.plugins.need import need

__all__ = ["saved", "strengthened"]


def strengthened(net: Any) -> Any:
    """Random weights large enough that the network's output varies over a photo, as a trained one's does.

    Fresh weights are so small that a deep network answers nearly the same everywhere, and two implementations would agree
    whatever they did to the photo.

    Args:
        net: A ``torch.nn.Module``.

    Returns:
        The same module, in evaluation mode.
    """
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if parameter.ndim > 1:
                fan_in = parameter[0].numel()
                parameter.normal_(0, 1.4 / fan_in**0.5)
            elif name.endswith("bias"):
                parameter.normal_(0, 0.1)
    return net.eval()


def saved(net: Any, processor: Any, home: Path) -> Path:
    """Writes a checkpoint as transformers does, without its bars.

    Args:
        net: A model of transformers.
        processor: Its image processor.
        home: The checkpoint's folder.

    Returns:
        The folder.
    """
    with quiet(need("transformers", who="a checkpoint", extra="transformers")):
        net.save_pretrained(home)
        processor.save_pretrained(home)
    return home
