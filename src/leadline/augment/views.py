"""The pinhole camera that sees what an affine map of an image shows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from leadline.augment.tracking import TOLERANCE_PX
from leadline.core.camera import Camera

__all__ = ["View", "view_through"]


@dataclass(frozen=True, eq=False, slots=True)
class View:
    """A camera, and how it is turned against the one before.

    Convention:
        A point X of the old camera is at diag(``turn``, 1) · X in the new one; z, and so depth along the axis and
        along the ray, stays as it is. ``turn`` is orthogonal: a rotation about the optical axis, or a mirror.

    Args:
        camera: The new camera.
        turn: float64 (2, 2).
    """

    camera: Camera
    turn: NDArray[np.float64]

    @property
    def mirrored(self) -> bool:
        """Whether the view is a mirror image, which no rigid motion of a camera gives."""
        return bool(np.linalg.det(self.turn) < 0)

    def turned(self, T_world_camera: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        """The new camera's pose.

        Args:
            T_world_camera: The old one's; None where unknown.

        Returns:
            The pose; None where the old one is unknown or the view is a mirror image.
        """
        if T_world_camera is None or self.mirrored:
            return None
        back = np.eye(4)
        back[:2, :2] = self.turn.T
        return np.asarray(T_world_camera @ back, np.float64)


def view_through(camera: Camera, to_source: NDArray[np.float64], *, height: int, width: int) -> View | None:
    """The pinhole camera whose image an affine map makes of another's.

    With the map (u, v) = B (x, y) + b and the old focal lengths F = diag(fx, fy), rays agree where
    F⁻¹ B = Rᵀ F'⁻¹: the columns of F⁻¹ B are at right angles, their lengths are 1/fx' and 1/fy', and
    B c' + b = c. So flips, crops, resizes to any aspect, quarter turns, and rotations of square pixels are cameras
    again; shear is not.

    Args:
        camera: The old camera.
        to_source: float64 (2, 3), from pixels of the result to pixels of the source.
        height: Rows of the result.
        width: Columns of the result.

    Returns:
        The view; None where no pinhole camera sees this to within a quarter of a pixel.
    """
    B, b = to_source[:, :2], to_source[:, 2]
    aspect = camera.fx / camera.fy
    across = np.array([B[0, 0], B[1, 0] * aspect])
    down = np.array([B[0, 1] / aspect, B[1, 1]])
    lengths = float(np.hypot(*across)), float(np.hypot(*down))
    if min(lengths) == 0:
        return None
    across, down = across / lengths[0], down / lengths[1]
    if abs(float(across @ down)) * max(height, width) / 2 > TOLERANCE_PX:
        return None
    U, _, Vt = np.linalg.svd(np.stack([across, down], 1))
    turn = (U @ Vt).T
    cx, cy = np.linalg.solve(B, np.array([camera.cx, camera.cy]) - b)
    seen = replace(
        camera,
        fx=camera.fx / lengths[0],
        fy=camera.fy / lengths[1],
        cx=float(cx),
        cy=float(cy),
        width=width,
        height=height,
    )
    return View(seen, np.round(turn, 12) + 0.0)
