"""How a batch's pixels, labels and mask lie in one piece of memory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.bridges.tensors import Arrays, Form

__all__ = ["FREE", "LENT", "SENT", "arrays_in", "bytes_of", "new_arrays"]

FREE, SENT, LENT = 0, 1, 2
"""The first byte: the worker may fill it; it is on its way; somebody holds tensors that lie in it."""

_ALIGNED_BYTES = 64


def bytes_of(shape: tuple[int, ...], form: Form) -> int:
    """How much memory a batch takes.

    Args:
        shape: Samples, rows and columns.
        form: The form of the tensors.

    Returns:
        The state's byte and the tensors, each from a multiple of 64 on.
    """
    return int(_spans(shape, form)[-1].stop)


def arrays_in(memory: NDArray[np.uint8], shape: tuple[int, ...], form: Form) -> Arrays:
    """Pixels, labels and mask as views of a batch's memory.

    Args:
        memory: At least ``bytes_of(shape, form)``.
        shape: Samples, rows and columns.
        form: The form of the tensors.

    Returns:
        The views; each keeps ``memory`` itself alive.
    """
    pixels, labels, valid = (
        memory[span].view(kind).reshape(size)
        for span, (size, kind) in zip(_spans(shape, form), _sizes(shape, form), strict=True)
    )
    return pixels, labels, valid


def new_arrays(shape: tuple[int, ...], form: Form) -> Arrays:
    """Room for a batch.

    NumPy asks for large pages and is given the same memory again; torch's own is new each time, and making its pages takes
    ten times as long as filling them.

    Args:
        shape: Samples, rows and columns.
        form: The form of the tensors.

    Returns:
        Arrays of their own, not filled.
    """
    pixels, labels, valid = (np.empty(size, kind) for size, kind in _sizes(shape, form))
    return pixels, labels, valid


def _sizes(shape: tuple[int, ...], form: Form) -> tuple[tuple[tuple[int, ...], np.dtype[Any]], ...]:
    """Shape and type of pixels, labels and mask."""
    many, height, width = shape
    return (
        ((many, 3, height, width), np.dtype(form.pixels)),
        (shape, np.dtype(np.float32)),
        (shape, np.dtype(np.bool_)),
    )


def _spans(shape: tuple[int, ...], form: Form) -> list[slice]:
    """Where pixels, labels and mask lie; the state comes first."""
    spans, start = [], _ALIGNED_BYTES
    for size, kind in _sizes(shape, form):
        end = start + math.prod(size) * kind.itemsize
        spans.append(slice(start, end))
        start = -(-end // _ALIGNED_BYTES) * _ALIGNED_BYTES
    return spans
