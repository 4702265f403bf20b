"""What a third party's package looks like: two records, and an adapter."""

from __future__ import annotations

from pathlib import Path

from leadline.core.errors import KindError
from leadline.core.kind import Freedom, Kind
from leadline.core.results import Prediction
from leadline.io.atomic import write_whole
from leadline.plugins.ports import ExportOptions
from leadline.plugins.specs import Commercial, ExporterSpec, ModelSpec, Weights
from leadline.testing.graphs import write_brightness

MODEL = ModelSpec(
    "acme-brightness",
    Kind(),
    "brighter is farther",
    Weights("code:acme_depth:build"),
    "MIT",
    Commercial.YES,
    version="7",
    good_for="showing how a plugin is made",
    scale_needs_focal=True,
)
EXPORTER = ExporterSpec("acme-csv", "acme_depth:CsvExporter", "_depth.csv", "comma-separated metres")
NOT_A_SPEC = "a string is no spec"


def build(folder: Path) -> Path:
    """Makes the model's file."""
    return write_brightness(folder / "acme.onnx")


class CsvExporter:
    """Writes metres as text, the kind in the first line."""

    def check(self, kind: Kind) -> None:
        """Refuses all but metres."""
        if kind.freedom is not Freedom.NONE:
            raise KindError(f"{kind} is not in metres", hint="use npz, which holds any kind")

    def write(self, prediction: Prediction, path: Path, *, options: ExportOptions) -> None:
        """Writes one file, whole or not at all."""
        self.check(prediction.depth.kind)
        rows = [",".join(f"{value:.4f}" for value in row) for row in prediction.depth.values]
        with write_whole(path) as part:
            part.write_text("\n".join([f"# {prediction.depth.kind}", *rows]) + "\n")
