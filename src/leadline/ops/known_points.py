"""A few pixels whose distance somebody measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.kind import Along
from leadline.ops.fit import Floats
from leadline.ops.rays import rays

__all__ = ["KnownPoints", "distances_along"]


@dataclass(frozen=True, eq=False)
class KnownPoints:
    """A few pixels whose distance somebody measured.

    Convention:
        Row 0 is at the top, column 0 at the left. A tape from the lens to the object measures along the RAY.

    Args:
        rows: Row of each point.
        columns: Column of each point.
        depth_m: Distance of each point in metres.
        along: What was measured: z along the optical axis, or distance along the ray.

    Raises:
        InputError: The three do not have one length, a row or column is not a whole number, or a distance is not
            positive and finite.

    Example:
        >>> len(KnownPoints(rows=np.array([10, 200]), columns=np.array([5, 300]), depth_m=np.array([1.2, 3.4])))
        2
    """

    rows: NDArray[np.integer]
    columns: NDArray[np.integer]
    depth_m: Floats
    along: Along = Along.AXIS

    def __post_init__(self) -> None:
        rows, columns = np.array(self.rows), np.array(self.columns)
        depth_m = np.array(self.depth_m, np.float64)
        if depth_m.ndim != 1 or rows.shape != depth_m.shape or columns.shape != depth_m.shape:
            raise InputError(
                f"{rows.shape} rows, {columns.shape} columns and {depth_m.shape} distances do not fit together",
                hint="give one row, one column and one distance a point",
            )
        for name, places in (("rows", rows), ("columns", columns)):
            if places.size and places.dtype.kind not in "iu":
                raise InputError(f"{name} of type {places.dtype} are not whole numbers", hint="round them")
        bad = ~(np.isfinite(depth_m) & (depth_m > 0))
        if bool(bad.any()):
            raise InputError(
                f"known distance {depth_m[bad][0]} is not positive and finite",
                hint="give metres, or leave it out",
            )
        for field, array in (("rows", rows), ("columns", columns), ("depth_m", depth_m)):
            array.flags.writeable = False
            object.__setattr__(self, field, array)

    def __len__(self) -> int:
        return len(self.depth_m)


def distances_along(prediction: DepthMap, points: KnownPoints) -> Floats:
    """The known distances along a prediction's own line: its axis or its rays.

    Args:
        prediction: The prediction.
        points: The points.

    Returns:
        Metres, one a point.

    Raises:
        InputError: A point lies outside the prediction, or its line is another and there is no camera.

    Example:
        >>> from leadline.core.camera import Camera
        >>> from leadline.core.kind import Kind
        >>> pixel = DepthMap(np.ones((1, 2)), Kind(along=Along.RAY), camera=Camera(1, 1, 0, 0, 2, 1))
        >>> distances_along(pixel, KnownPoints(np.array([0]), np.array([1]), np.array([3.0]))).round(3)
        array([4.243])
    """
    outside = (points.rows < 0) | (points.rows >= prediction.height)
    outside |= (points.columns < 0) | (points.columns >= prediction.width)
    if bool(outside.any()):
        row, column = points.rows[outside][0], points.columns[outside][0]
        raise InputError(
            f"known point (row {row}, column {column}) lies outside {prediction.width}x{prediction.height}",
            hint="count from 0 at the top left",
        )
    if points.along is prediction.kind.along:
        return points.depth_m
    if prediction.camera is None:
        raise InputError(
            f"points measured along the {points.along.value} need a camera to meet {prediction.kind}",
            hint="give the prediction a camera with .with_camera(...)",
        )
    directions = rays(prediction.camera)[points.rows, points.columns].astype(np.float64)
    length: Floats = np.sqrt((directions**2).sum(axis=-1))
    return points.depth_m * (length if points.along is Along.AXIS else 1 / length)
