"""Charts, drawn by matplotlib without a window."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.plugins.need import need

__all__ = ["draw_histogram", "draw_points"]

_DPI = 110


def draw_points(
    points_N3: NDArray[np.float32], *, colours_N3: NDArray[np.uint8] | None, title: str, unit: str
) -> NDArray[np.uint8]:
    """Points in space, in one call to matplotlib, with equal axes and up where up is.

    Convention:
        OpenCV axes in (x right, y down, z forward); drawn with z to the back and y downward.

    Args:
        points_N3: float32 (N, 3).
        colours_N3: uint8 (N, 3), or None for colours by distance.
        title: What stands above.
        unit: What stands at the axes.

    Returns:
        uint8 (H, W, 3).

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    figure = _figure(8.0, 6.5)
    axes: Any = figure.add_subplot(projection="3d")
    x, y, z = points_N3.T
    shade: Any = {"c": z, "cmap": "viridis_r"} if colours_N3 is None else {"c": colours_N3 / 255.0}
    axes.scatter(x, z, -y, s=1.2, marker=".", linewidths=0, depthshade=False, **shade)
    spans = [max(float(np.ptp(part)), 1e-6) for part in (x, z, y)]
    axes.set_box_aspect(spans)
    axes.set_xlabel(f"x ({unit})")
    axes.set_ylabel(f"z ({unit})")
    axes.set_zlabel(f"height ({unit})")
    axes.view_init(elev=18, azim=-72)
    axes.set_title(title)
    return _pixels(figure)


def draw_histogram(
    edges: NDArray[np.float64], counts: NDArray[np.float64], *, title: str, unit: str
) -> NDArray[np.uint8]:
    """A histogram on a logarithmic axis of values.

    Args:
        edges: Borders of the bins, rising.
        counts: One a bin.
        title: What stands above.
        unit: What stands under.

    Returns:
        uint8 (H, W, 3).

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    figure = _figure(8.0, 4.0)
    axes = figure.add_subplot()
    share = counts / max(float(counts.sum()), 1.0) * 100
    axes.stairs(share, edges, fill=True, color="#31688e")
    axes.set_xscale("log")
    axes.set_xlabel(unit)
    axes.set_ylabel("% of known pixels")
    axes.set_title(title)
    axes.margins(x=0.01)
    return _pixels(figure)


def _figure(width: float, height: float) -> Any:
    need("matplotlib", who="a chart", extra="look")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _pixels(figure: Any) -> NDArray[np.uint8]:
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()
