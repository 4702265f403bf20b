"""Batches where they arrive: the workers' buffers, lent for as long as somebody holds a tensor that lies in one."""

from __future__ import annotations

import os
import weakref
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.bridges.handover import Packed
from leadline.bridges.layout import FREE, LENT, arrays_in, new_arrays
from leadline.bridges.tensors import Arrays, Form
from leadline.plugins.need import need

need("torch", who="feeding a network", extra="torch")
import torch  # noqa: E402 - after the line that says how to install it

__all__ = ["Lender"]

_MOST_LENT = 3
"""Batches held at once beyond this are copied, so that a list of all batches needs no more shared memory than a loop."""


class Lender:
    """Makes tensors of batches where they arrive.

    Args:
        form: The form of the tensors.
        pin_memory: Whether they are put where a GPU fetches them fastest, which copies them.
    """

    def __init__(self, form: Form, *, pin_memory: bool = False) -> None:
        self.form, self.pin_memory = form, pin_memory
        self._held: dict[tuple[int, int], torch.Tensor] = {}
        self._out: set[object] = set()

    def unpack(self, packed: Packed) -> dict[str, Any]:
        """A batch as tensors.

        Args:
            packed: The batch; at least one sample.

        Returns:
            ``pixel_values``, ``labels``, ``valid``, ``camera`` and ``id``.
        """
        if packed.arrays is None:
            pixels, labels, valid = self._arrived(packed)
        elif self.pin_memory:
            pixels, labels, valid = self._copied(packed.arrays)
        else:
            pixels, labels, valid = map(torch.from_numpy, packed.arrays)
        cameras = torch.tensor(packed.cameras, dtype=torch.float32)
        return {
            "pixel_values": pixels,
            "labels": labels,
            "valid": valid,
            "camera": cameras,
            "id": packed.ids,
        }

    def _arrived(self, packed: Packed) -> list[torch.Tensor]:
        """Tensors in the buffer, which is lent; or copies, and it goes back at once."""
        if packed.buffer is not None:
            self._held[packed.place] = packed.buffer
        buffer = self._held[packed.place]
        memory: NDArray[np.uint8] = buffer.numpy()
        arrays = arrays_in(memory, packed.shape, self.form)
        if self.pin_memory or len(self._out) >= _MOST_LENT:
            copies = self._copied(arrays)
            memory[0] = FREE
            return copies
        memory[0] = LENT
        lease = object()
        self._out.add(lease)
        # Every tensor and view keeps the array ``memory`` alive, which is of this batch alone.
        weakref.finalize(memory, _give_back, buffer, self._out, lease, os.getpid()).atexit = False
        return [torch.from_numpy(array) for array in arrays]

    def _copied(self, arrays: Arrays) -> list[torch.Tensor]:
        if self.pin_memory:
            room = [
                torch.empty(one.shape, dtype=torch.from_numpy(one).dtype, pin_memory=True) for one in arrays
            ]
        else:
            room = [torch.from_numpy(one) for one in new_arrays(arrays[1].shape, self.form)]
        for copy, array in zip(room, arrays, strict=True):
            np.copyto(copy.numpy(), array)
        return room


def _give_back(buffer: torch.Tensor, out: set[object], lease: object, owner: int) -> None:
    """A fork of the process that holds the batch forgets its own copy only."""
    if os.getpid() == owner:
        buffer.numpy()[0] = FREE
        out.discard(lease)
