"""Depth as OpenEXR, as compositing has it."""

from __future__ import annotations

from leadline.plugins.specs import ExporterSpec

__all__ = ["SPEC"]

SPEC = ExporterSpec(
    name="exr",
    adapter="leadline.exporters.depth_file:DepthFileExporter",
    suffix="_depth.exr",
    summary="OpenEXR: exact floats in channel Z",
)
