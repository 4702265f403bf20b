"""Depth as colour."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ColourOptions:
    """How depth becomes colour.

    Args:
        colormap: Name of the colour map.
        range: ``"robust"`` (2nd to 98th percentile), ``"full"`` (smallest to largest), or two numbers ``(near, far)``.
    """

    colormap: str = "viridis"
    range: str | tuple[float, float] = "robust"
