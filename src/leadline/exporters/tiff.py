"""Depth as 32-bit float TIFF, exact."""

from __future__ import annotations

from leadline.plugins.specs import ExporterSpec

__all__ = ["SPEC"]

SPEC = ExporterSpec(
    name="tiff",
    adapter="leadline.exporters.depth_file:DepthFileExporter",
    suffix="_depth.tiff",
    summary="32-bit float TIFF: exact values, NaN unknown",
)
