"""Coloured point clouds as PLY."""

from __future__ import annotations

from pathlib import Path

from leadline.core.kind import Kind
from leadline.core.results import Prediction
from leadline.exporters.cloud import check_kind, cloud_of
from leadline.exporters.records import record_of
from leadline.io.clouds import write_ply
from leadline.plugins.ports import ExportOptions
from leadline.plugins.specs import ExporterSpec

__all__ = ["SPEC", "PlyExporter"]

SPEC = ExporterSpec(
    name="ply",
    adapter="leadline.exporters.ply:PlyExporter",
    suffix="_cloud.ply",
    summary="coloured point cloud for MeshLab, CloudCompare, Open3D: x right, y down, z forward",
)


class PlyExporter:
    """Writes the points a prediction's pixels lie at.

    Convention:
        OpenCV axes: x right, y down, z forward. Metres, or arbitrary units where the scale is unknown.
    """

    def check(self, kind: Kind) -> None:
        """Refuses kinds that have no place in space.

        Args:
            kind: The kind of the depth.

        Raises:
            KindError: It is inverse depth, or its shift is unknown.
        """
        check_kind(kind)

    def write(self, prediction: Prediction, path: Path, *, options: ExportOptions) -> None:
        """Writes one cloud, whole or not at all.

        Args:
            prediction: What to write.
            path: The file.
            options: Unused: points have the photo's colours.

        Raises:
            KindError: The kind is refused, or there is no camera.
            InputError: No pixel is valid.
            OutputError: The file cannot be written.
        """
        write_ply(path, cloud_of(prediction), record=record_of(prediction))
