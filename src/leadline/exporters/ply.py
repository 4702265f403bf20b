"""Coloured point clouds as PLY."""

from __future__ import annotations

from leadline.exporters.cloud import CloudExporter
from leadline.io.clouds import write_ply
from leadline.plugins.specs import ExporterSpec

__all__ = ["SPEC", "PlyExporter"]

SPEC = ExporterSpec(
    name="ply",
    adapter="leadline.exporters.ply:PlyExporter",
    suffix="_cloud.ply",
    summary="coloured point cloud for MeshLab, CloudCompare, Open3D: x right, y down, z forward",
)


class PlyExporter(CloudExporter):
    """Writes the points a prediction's pixels lie at.

    Convention:
        OpenCV axes: x right, y down, z forward. Metres, or arbitrary units where the scale is unknown.
    """

    def __init__(self) -> None:
        super().__init__(write_ply)
