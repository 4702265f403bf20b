"""Guessing how a depth file stores metres, from its numbers alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.core.errors import DatasetError
from leadline.io.rasters import plane_of
from leadline.io.trees import Tree

__all__ = ["encoding_guess", "guessed"]

_PICTURES = (".png", ".pgm", ".tif", ".tiff")
_KINECT_NONE = 2047


def encoding_guess(tree: Tree, name: str) -> str:
    """The encoding that a depth file's numbers look like.

    Args:
        tree: Where it is.
        name: Its name.

    Returns:
        A name of an encoding; empty where the file holds floats or cannot be read.
    """
    if not name.lower().endswith(_PICTURES):
        return ""
    try:
        stored = plane_of(tree.read(name), name)
    except DatasetError:
        # Reading it properly says what is wrong with it.
        return ""
    return guessed(stored)


def guessed(stored: NDArray[Any]) -> str:
    """The encoding that stored numbers look like.

    Convention:
        8-bit numbers: 10 m over 255. 16-bit numbers whose largest is 2047, and often: Kinect disparities. Multiples of 8: SUN's rotated
        millimetres, which leave the low three bits empty below 8 m. Multiples of 5: TUM's 1/5000 m made of millimetres.
        Else millimetres, unless a median beyond 30 m, or a picture two and a half times as wide as high with most of it
        empty, says KITTI's 1/256 m.

    Args:
        stored: (H, W).

    Returns:
        A name of an encoding; empty for floats.

    Example:
        >>> guessed(np.array([[8000, 16000, 24]], np.uint16))
        'sun'
    """
    if stored.dtype.kind == "f":
        return ""
    if stored.dtype.itemsize == 1:
        return "8bit-10m"
    known = stored[(stored > 0) & (stored < 65535)].astype(np.int64)
    if not known.size:
        return "mm"
    if int(known.max()) == _KINECT_NONE and bool((known == _KINECT_NONE).mean() > 0.001):
        return "kinect"
    if _share_of_multiples(known, 8) > 0.9:
        return "sun"
    if _share_of_multiples(known, 5) > 0.9:
        return "tum"
    driving = stored.shape[1] > 2.5 * stored.shape[0] and known.size < 0.5 * stored.size
    return "kitti" if driving or float(np.median(known)) / 1000 > 30 else "mm"


def _share_of_multiples(numbers: NDArray[np.int64], of: int) -> float:
    return float((numbers % of == 0).mean())
