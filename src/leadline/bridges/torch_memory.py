"""How much memory torch has held on a graphics processor."""

from __future__ import annotations

from leadline.plugins.need import need

__all__ = ["peak_gpu_bytes"]


def peak_gpu_bytes() -> int | None:
    """The most memory that torch has taken on the first CUDA device since the process began.

    Returns:
        Bytes; None where there is no such device or nothing was taken.

    Raises:
        MissingExtra: torch is not installed.
    """
    torch = need("torch", who="the memory of a graphics processor", extra="torch")
    if not torch.cuda.is_available():
        return None
    held = int(torch.cuda.max_memory_reserved())
    return held or None
