"""How far the values of a prediction are uncertain, as a coloured picture with a legend."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.core.results import Prediction
from leadline.exporters.records import record_of
from leadline.io.pictures import write_picture
from leadline.ops.colour import ColourOptions, picture
from leadline.ops.legend import Words
from leadline.plugins.ports import ExportOptions
from leadline.plugins.specs import ExporterSpec

__all__ = ["SPEC", "UncertaintyExporter"]

SPEC = ExporterSpec(
    name="uncertainty",
    adapter="leadline.exporters.uncertainty:UncertaintyExporter",
    suffix="_uncertainty.png",
    summary="coloured picture of how far each value is uncertain: with --tta, or models that say it",
    needs_uncertainty=True,
)

_DRAWN = Kind(Quantity.INVERSE, Freedom.AFFINE)
"""As what standard deviations are drawn: larger ones at the bright end, 0 allowed."""


class UncertaintyExporter:
    """Writes the standard deviation of every value as a picture, the uncertain ones bright."""

    def check(self, kind: Kind) -> None:
        """Refuses nothing: every kind may be coloured (law 3).

        Args:
            kind: Any kind.
        """

    def demand(self, prediction: Prediction) -> None:
        """Refuses a prediction that does not say how sure it is.

        Args:
            prediction: What is to be written.

        Raises:
            InputError: It has no uncertainty.
        """
        if prediction.uncertainty is None:
            raise InputError(
                f"{prediction.model.name!r} does not say how sure it is, and only one look was taken",
                hint="add --tta flip,scales (tta= in Python); for Marigold --input ensemble=5",
            )

    def write(self, prediction: Prediction, path: Path, *, options: ExportOptions) -> None:
        """Writes one picture, whole or not at all.

        Args:
            prediction: What to write.
            path: The file.
            options: Colour map; and the range where it is a word, for numbers are of the depth.

        Raises:
            InputError: The prediction has no uncertainty.
            OutputError: The file cannot be written.
        """
        self.demand(prediction)
        spread, depth = np.asarray(prediction.uncertainty), prediction.depth
        known = depth.valid & np.isfinite(spread)
        shown = DepthMap(spread, _DRAWN, known, np.zeros_like(known))
        chosen = options.colour.range
        colours = ColourOptions(options.colour.colormap, chosen if isinstance(chosen, str) else "robust")
        drawn = picture(shown, options=colours, words=_words(depth.kind))
        write_picture(path, drawn, record=record_of(prediction))


def _words(kind: Kind) -> Words:
    """What its legend says: the depth's own unit, where it has one."""
    if kind.freedom is not Freedom.NONE:
        titles = ("standard deviation, unit unknown", "standard deviation", "uncertainty")
        return Words(titles, "", ("uncertain", "sure"))
    unit = "metres" if kind.quantity is Quantity.DEPTH else "1/metres"
    titles = (f"standard deviation in {unit}", f"uncertainty in {unit}", unit)
    return Words(titles, kind.unit)
