"""A coloured point cloud."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from leadline.core.errors import InputError

__all__ = ["PointCloud"]

ArrayT = TypeVar("ArrayT", bound=NDArray[Any])


@dataclass(frozen=True, eq=False)
class PointCloud:
    """Points in the camera's frame, with colours where known.

    Convention:
        OpenCV axes: x right, y down, z forward. Read-only arrays.

    Args:
        points_N3: Coordinates, float32, shape (N, 3).
        rgb_N3: Colours, uint8, shape (N, 3), or None.
        unit: ``"m"``, or ``"arbitrary"`` where the scale is unknown.
        scale_uncertain: Whether the metres rest on a focal length that was only assumed.

    Raises:
        InputError: Shapes or types do not fit, or a coordinate is not finite.

    Example:
        >>> PointCloud(np.zeros((2, 3), np.float32), None, "m")
        PointCloud of 2 points, in metres
    """

    points_N3: NDArray[np.float32]
    rgb_N3: NDArray[np.uint8] | None = None
    unit: str = "m"
    scale_uncertain: bool = False

    def __post_init__(self) -> None:
        points = np.asarray(self.points_N3, np.float32)
        if points.ndim != 2 or points.shape[1] != 3 or not bool(np.isfinite(points).all()):
            raise InputError(
                f"points of shape {points.shape} are not finite (N, 3)", hint="drop invalid pixels first"
            )
        if self.unit not in ("m", "arbitrary"):
            raise InputError(f"{self.unit!r} is not a unit of a point cloud", hint="say 'm' or 'arbitrary'")
        colours = self.rgb_N3
        if colours is not None and (colours.dtype != np.uint8 or colours.shape != points.shape):
            raise InputError(
                f"colours of shape {colours.shape} and type {colours.dtype} do not fit {len(points)} points",
                hint="pass uint8 (N, 3)",
            )
        object.__setattr__(self, "points_N3", _frozen(points))
        object.__setattr__(self, "rgb_N3", None if colours is None else _frozen(colours))

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.points_N3.flags.writeable = False
        if self.rgb_N3 is not None:
            self.rgb_N3.flags.writeable = False

    def __len__(self) -> int:
        return len(self.points_N3)

    def __repr__(self) -> str:
        unit = "metres" if self.unit == "m" else "arbitrary units"
        return f"PointCloud of {len(self)} points, in {unit}{' (scale uncertain)' if self.scale_uncertain else ''}"


def _frozen(array: ArrayT) -> ArrayT:
    if array.flags.writeable:
        array = array.copy()
        array.flags.writeable = False
    return array
