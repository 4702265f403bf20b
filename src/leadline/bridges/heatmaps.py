"""Depth maps as files that an image viewer can colour and that still hold metres."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.record import Encoding
from leadline.core.results import ModelRecord
from leadline.io.depth_files import write_depth
from leadline.io.plain_form import steps_per_unit

__all__ = ["Maps", "Painted", "file_stem", "paint"]

Maps = Literal["png16", "float"]
"""Where maps lie: 16-bit PNG files beside the photos, or float32 metres in the database itself."""

_LAST = 65534


@dataclass(frozen=True, slots=True, eq=False)
class Painted:
    """A map as a viewer takes it.

    Args:
        path: Its file; None where the numbers are in ``values``.
        values: float32 metres, 0 where nothing is known; None where they are in a file.
        scale: Value of one stored step, in the map's unit.
        offset: Value of stored 0.
        range: The stored numbers that the lowest and the highest colour stand for.
    """

    path: Path | None
    values: NDArray[np.float32] | None
    scale: float
    offset: float
    range: tuple[float, float]


def paint(
    depth: DepthMap,
    path: Path,
    *,
    far: float | None,
    maps: Maps = "png16",
    model: ModelRecord | None = None,
    source: str = "",
) -> Painted:
    """Writes a map for a viewer that leaves stored 0 transparent and colours stored numbers in proportion.

    Convention:
        value = stored x scale + offset; stored 0 is unknown, 65535 known sky. Depth that came from integers gets their own
        step back, so that it is exact to the last bit; other metric depth below 65 m is in whole millimetres. A map whose
        zero means nothing (AFFINE) gets an offset.

    Args:
        depth: The map.
        path: The PNG file; missing folders are made. Not written where the map is metric and ``maps`` is ``"float"``.
        far: The value of the highest colour, the lowest being 0; None for the map's own range.
        maps: Where the numbers go; maps that are not metric go to a file whatever it says.
        model: Who made the map, for the file's record.
        source: What the photo is called, for the file's record.

    Returns:
        What a viewer needs to know.

    Raises:
        OutputError: The file cannot be written.
    """
    if maps == "float" and depth.kind.unit == "m":
        values = np.where(depth.valid, depth.values, np.float32(0))
        return Painted(None, values, 1.0, 0.0, (0.0, far or float(values.max())))
    steps = steps_per_unit(depth)
    exact = Encoding(1 / steps, 0.0, 0, 65535) if steps else None
    used = write_depth(path, depth, model=model, source=source, encoding=exact).encoding
    high = (depth.range() or (0.0, 1.0))[1] if far is None else far
    stored = min(_LAST, max(1, round((high - used.offset) / used.scale)))
    return Painted(path, None, used.scale, used.offset, (0.0, float(stored)))


def file_stem(id: str) -> str:
    """A sample's id as part of a file name: readable, and another for every id.

    Args:
        id: The id, which may hold slashes.

    Returns:
        Letters, digits, dots and dashes.

    Example:
        >>> file_stem("kv1/NYUdata/NYU0001")
        'kv1-NYUdata-NYU0001-e6fb35'
    """
    words = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in id)
    return f"{words[-80:].lstrip('.-')}-{blake2b(id.encode(), digest_size=3).hexdigest()}"
