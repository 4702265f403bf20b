"""The exporter behind every depth file format: the path's suffix says which."""

from __future__ import annotations

from pathlib import Path

from leadline.core.kind import Kind
from leadline.core.results import Prediction
from leadline.io.depth_files import write_depth
from leadline.io.sources import source_name
from leadline.plugins.ports import ExportOptions

__all__ = ["DepthFileExporter"]


class DepthFileExporter:
    """Writes the depth itself, with its record."""

    def check(self, kind: Kind) -> None:
        """Refuses nothing: a depth file carries its kind.

        Args:
            kind: Any kind.
        """

    def write(self, prediction: Prediction, path: Path, *, options: ExportOptions) -> None:
        """Writes one depth file, whole or not at all.

        Args:
            prediction: What to write.
            path: The file; its suffix says the format.
            options: Colours, which a depth file has no use for.

        Raises:
            InputError: No depth format has that suffix.
            OutputError: The file cannot be written.
        """
        write_depth(path, prediction, source=source_name(prediction.image.source))
