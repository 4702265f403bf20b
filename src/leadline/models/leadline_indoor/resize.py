"""Resizing photos as the model's file does it.

The file lets ONNX Runtime resize 8-bit pixels: Pillow's antialiased bilinear filter (Resample.c) with weights worked out in
single precision, then rounded to 22 binary digits. A level of grey that lies on the edge between two can therefore come
out one higher or lower than Pillow's own, at about one pixel in 5000. This is the same arithmetic in numpy, so that the
network in torch is given the same pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["resize_like_file"]

DIGITS = 22


def resize_like_file(rgb_NHW3: NDArray[np.uint8], *, height: int, width: int) -> NDArray[np.uint8]:
    """Photos at another size, antialiased and bilinear, across first, then down, 8 bits in between.

    Args:
        rgb_NHW3: Photos of one size, uint8, shape (N, H, W, 3).
        height: New rows.
        width: New columns.

    Returns:
        uint8, shape (N, height, width, 3).

    Example:
        >>> grey = np.arange(8, dtype=np.uint8).reshape(1, 1, 8, 1).repeat(3, 3)
        >>> resize_like_file(grey, height=1, width=4)[0, 0, :, 0]
        array([1, 3, 5, 6], dtype=uint8)
    """
    across = _filtered(rgb_NHW3.swapaxes(0, 2), width).swapaxes(0, 2)
    return np.ascontiguousarray(_filtered(across.swapaxes(0, 1), height).swapaxes(0, 1))


def _filtered(lines: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    if count == len(lines):
        return lines
    first, weights = _weights(len(lines), count)
    total = np.full((count, *lines.shape[1:]), 1 << (DIGITS - 1), np.int32)
    for tap in range(weights.shape[1]):
        here = np.minimum(first + tap, len(lines) - 1)
        total += lines[here] * weights[:, tap].reshape(-1, *[1] * (lines.ndim - 1))
    levels: NDArray[np.uint8] = np.clip(total >> DIGITS, 0, 255).astype(np.uint8)
    return levels


def _weights(source: int, count: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """First source line and fixed-point weights of every new line; each step in single precision."""
    f32, half, one = np.float32, np.float32(0.5), np.float32(1)
    ratio = f32(count) / f32(source)
    scale = one / ratio
    support = max(scale, one)
    centre = half + ((np.arange(count, dtype=f32) + half) / ratio - half)
    low = np.clip(np.floor(centre - support + half), 0, source).astype(np.int64)
    high = np.clip(np.floor(centre + support + half), 0, source).astype(np.int64)
    taps = np.arange(int((high - low).max()))
    inverse = one / scale if scale >= one else one
    offset = (taps[None] + low[:, None]).astype(f32) - centre[:, None] + half
    tent = np.maximum(one - np.abs(offset * inverse), f32(0))
    tent[taps[None] >= (high - low)[:, None]] = 0
    total = np.zeros(count, f32)
    for tap in taps:
        total += tent[:, tap]
    normalised = tent * (one / np.where(total == 0, one, total))[:, None]
    return low, np.floor(normalised * f32(1 << DIGITS) + half).astype(np.int32)
