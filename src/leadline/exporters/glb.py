"""Coloured point clouds as binary glTF."""

from __future__ import annotations

from leadline.exporters.cloud import CloudExporter
from leadline.io.clouds import write_glb
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


class GlbExporter(CloudExporter):
    """Writes the points a prediction's pixels lie at.

    Convention:
        glTF axes: x right, y up, z backward; the camera looks along -z. Metres, or arbitrary units where the scale is unknown.
    """

    def __init__(self) -> None:
        super().__init__(write_glb, most_points=_MOST_POINTS)
