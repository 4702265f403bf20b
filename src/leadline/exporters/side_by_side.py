"""The photo and its coloured depth in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from leadline.core.kind import Kind
from leadline.core.results import Prediction
from leadline.exporters.panels import laid_side_by_side
from leadline.exporters.records import record_of
from leadline.io.pictures import write_picture
from leadline.plugins.ports import ExportOptions
from leadline.plugins.specs import ExporterSpec

__all__ = ["SPEC", "SideBySideExporter"]

SPEC = ExporterSpec(
    name="side-by-side",
    adapter="leadline.exporters.side_by_side:SideBySideExporter",
    suffix="_side.jpg",
    summary="photo and coloured depth in one JPEG, several models in a row: to look at",
)


class SideBySideExporter:
    """Writes the photo, and beside it the depth of one model or several."""

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
        self.write_several([prediction], path, options=options)

    def write_several(self, predictions: Sequence[Prediction], path: Path, *, options: ExportOptions) -> None:
        """Writes one picture of all, whole or not at all.

        Args:
            predictions: At least one, all of one photo; the record is the first one's.
            path: The file.
            options: Colour map and range; metric maps of one kind share it.

        Raises:
            InputError: There is none, or they are not of one photo.
            OutputError: The file cannot be written.
        """
        laid = laid_side_by_side(predictions, options=options.colour)
        write_picture(path, laid, record=record_of(predictions[0]))
