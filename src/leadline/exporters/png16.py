"""Depth as 16-bit PNG, which every tool opens."""

from __future__ import annotations

from leadline.plugins.specs import ExporterSpec

__all__ = ["SPEC"]

SPEC = ExporterSpec(
    name="png16",
    adapter="leadline.exporters.depth_file:DepthFileExporter",
    suffix="_depth.png",
    summary="16-bit PNG: millimetres for metric depth under 65 m, else a fitted scale; small",
)
