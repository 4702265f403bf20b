"""Coloured point clouds as binary glTF."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from leadline.core.kind import Kind
from leadline.core.results import Prediction
from leadline.exporters.cloud import check_kind, cloud_of, thinned
from leadline.exporters.records import record_of
from leadline.io.clouds import write_glb
from leadline.plugins.ports import ExportOptions
from leadline.plugins.specs import ExporterSpec

__all__ = ["SPEC", "GlbExporter"]

SPEC = ExporterSpec(
    name="glb",
    adapter="leadline.exporters.glb:GlbExporter",
    suffix="_cloud.glb",
    summary="coloured point cloud for the web and Blender, at most 4 million points: x right, y up, z backward",
)

_MOST_POINTS = 4_000_000
"""More than this no browser shows smoothly; every n-th row and column is kept then. A PLY file keeps all."""


class GlbExporter:
    """Writes the points a prediction's pixels lie at.

    Convention:
        glTF axes: x right, y up, z backward; the camera looks along -z. Metres, or arbitrary units where the scale is unknown.
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
        check_kind(prediction.depth.kind)
        light = replace(prediction, depth=thinned(prediction.depth, most=_MOST_POINTS))
        write_glb(path, cloud_of(light), record=record_of(prediction))
