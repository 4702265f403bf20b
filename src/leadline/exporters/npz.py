"""Depth as NumPy arrays, exact, with both masks."""

from __future__ import annotations

from leadline.plugins.specs import ExporterSpec

__all__ = ["SPEC"]

SPEC = ExporterSpec(
    name="npz",
    adapter="leadline.exporters.depth_file:DepthFileExporter",
    suffix="_depth.npz",
    summary="NumPy archive: exact values and masks, and the uncertainty where there is one",
)
