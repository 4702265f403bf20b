"""Depth as PFM, as stereo benchmarks have it."""

from __future__ import annotations

from leadline.plugins.specs import ExporterSpec

__all__ = ["SPEC"]

SPEC = ExporterSpec(
    name="pfm",
    adapter="leadline.exporters.depth_file:DepthFileExporter",
    suffix="_depth.pfm",
    summary="PFM: exact floats, bottom row first, record in a .json beside it",
)
