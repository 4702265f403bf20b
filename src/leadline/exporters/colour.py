"""Depth as a coloured picture with a legend, for files and for notebooks."""

from __future__ import annotations

from pathlib import Path

from leadline.core.depth_map import DepthMap
from leadline.core.kind import Kind
from leadline.core.results import Prediction
from leadline.exporters.panels import laid_side_by_side
from leadline.exporters.records import record_of
from leadline.io.pictures import png_bytes, write_picture
from leadline.ops.colour import ColourOptions, picture
from leadline.ops.resize import resize
from leadline.plugins.ports import ExportOptions
from leadline.plugins.specs import ExporterSpec

__all__ = ["SPEC", "ColourExporter", "present"]

SPEC = ExporterSpec(
    name="colour",
    adapter="leadline.exporters.colour:ColourExporter",
    suffix="_colour.png",
    summary="coloured picture with a legend: to look at, not to measure in",
)

_NOTEBOOK_PX = 1024
"""Longest side of what a notebook shows."""


class ColourExporter:
    """Writes a coloured picture with a legend underneath."""

    def check(self, kind: Kind) -> None:
        """Refuses nothing: every kind may be coloured (law 3).

        Args:
            kind: Any kind.
        """

    def write(self, prediction: Prediction, path: Path, *, options: ExportOptions) -> None:
        """Writes one picture, whole or not at all.

        Args:
            prediction: What to write.
            path: The file.
            options: Colour map and range.

        Raises:
            OutputError: The file cannot be written.
        """
        drawn = picture(prediction.depth, options=options.colour)
        write_picture(path, drawn, record=record_of(prediction))


def present(value: object) -> bytes | None:
    """The picture a notebook shows of a value: depth with a legend, and for a prediction the photo beside it.

    Args:
        value: A core value.

    Returns:
        A PNG file of at most 1024 pixels a side, or None for values without a picture.

    Example:
        >>> import numpy as np
        >>> present(DepthMap(np.ones((30, 40)), Kind()))[1:4]
        b'PNG'
    """
    if isinstance(value, Prediction):
        small = Prediction(
            resize(value.image, **_fitted(value.depth, 2)),
            resize(value.depth, **_fitted(value.depth, 2)),
            value.model,
        )
        return png_bytes(laid_side_by_side([small], options=ColourOptions()), longest=_NOTEBOOK_PX)
    if isinstance(value, DepthMap):
        return png_bytes(picture(resize(value, **_fitted(value, 1))), longest=_NOTEBOOK_PX)
    return None


def _fitted(depth: DepthMap, columns: int) -> dict[str, int]:
    """The size at which so many columns of a map fit a notebook; never larger than the map."""
    share = min(1.0, _NOTEBOOK_PX / (columns * depth.width), _NOTEBOOK_PX / depth.height)
    return {"width": max(1, int(depth.width * share)), "height": max(1, int(depth.height * share))}
