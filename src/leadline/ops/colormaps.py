"""Tables of colours, from the cmap package, and the colours that no distance has."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from leadline.core.errors import UnknownName

__all__ = ["COLORMAPS", "SKY", "UNKNOWN", "colormap_table"]

_SOURCES: Final = {
    "viridis": "bids:viridis",
    "magma": "bids:magma",
    "inferno": "bids:inferno",
    "plasma": "bids:plasma",
    "turbo": "google:turbo",
    "jet": "matlab:jet",
    "gray": "matlab:gray",
    "grey": "matlab:gray",
    "Spectral": "colorbrewer:spectral",
}

COLORMAPS: Final[tuple[str, ...]] = tuple(name + end for name in _SOURCES for end in ("", "_r"))
"""Names of the colour maps, as the field writes them; ``_r`` runs the other way."""

SKY: Final = (178, 208, 235)
"""Colour of pixels that are known to be infinitely far."""

UNKNOWN: Final = ((118, 118, 118), (142, 142, 142))
"""The two greys of the chequered ground that shows through where nothing is known."""


@cache
def colormap_table(name: str) -> NDArray[np.uint8]:
    """The 256 colours of a colour map.

    Args:
        name: One of ``COLORMAPS``.

    Returns:
        uint8, shape (256, 3), read-only.

    Raises:
        UnknownName: No colour map has that name.

    Example:
        >>> colormap_table("viridis")[255]
        array([253, 231,  37], dtype=uint8)
    """
    if name not in COLORMAPS:
        raise UnknownName("colour map", name, known=COLORMAPS)
    from cmap import Colormap

    stem = name.removesuffix("_r")
    shares = np.asarray(Colormap(_SOURCES[stem]).lut(256), np.float64)[:, :3]
    table = np.round(shares * 255).astype(np.uint8)
    table = np.ascontiguousarray(table[::-1] if name.endswith("_r") else table)
    table.flags.writeable = False
    return table
