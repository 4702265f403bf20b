"""KITTI's calibration files, and points of its scanner as depth in a camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.errors import DatasetError
from leadline.io.trees import Tree

__all__ = ["Rig", "points_to_depth", "read_rig"]


@dataclass(frozen=True, eq=False)
class Rig:
    """The cameras and the scanner of one day's drives.

    Args:
        P: Projection of each rectified camera, (3, 4), by ``image_02`` and ``image_03``.
        T_rect_velo: From the scanner's axes to the rectified reference camera's, (4, 4); None where it is not known.
    """

    P: dict[str, NDArray[np.float64]]
    T_rect_velo: NDArray[np.float64] | None

    @property
    def has_scanner(self) -> bool:
        """Whether points can be projected."""
        return self.T_rect_velo is not None

    def camera(self, name: str, width: int, height: int) -> Camera:
        """The pinhole camera of rectified images.

        Args:
            name: ``"image_02"`` or ``"image_03"``.
            width: Columns of its images.
            height: Rows.

        Returns:
            The camera.
        """
        P = self.P[name]
        return Camera(P[0, 0], P[1, 1], P[0, 2], P[1, 2], width, height)

    def projection(self, name: str) -> NDArray[np.float64]:
        """From points of the scanner to homogeneous pixels whose third part is depth.

        Args:
            name: ``"image_02"`` or ``"image_03"``.

        Returns:
            float64 (3, 4).
        """
        T = np.eye(4) if self.T_rect_velo is None else self.T_rect_velo
        return np.asarray(self.P[name] @ T)


def read_rig(tree: Tree, name: str) -> Rig:
    """Reads ``calib_cam_to_cam.txt``, and ``calib_velo_to_cam.txt`` where it lies beside it.

    Args:
        tree: Where they are.
        name: The former's name.

    Returns:
        The rig.

    Raises:
        DatasetError: A line is missing or holds other numbers.
    """
    values = _read(tree, name)
    beside = name.replace("calib_cam_to_cam", "calib_velo_to_cam")
    P = {f"image_{k}": _matrix(tree, name, values, f"P_rect_{k}", (3, 4)) for k in ("02", "03")}
    if beside not in tree:
        return Rig(P, None)
    velo = _read(tree, beside)
    T, R = np.eye(4), np.eye(4)
    T[:3, :3] = _matrix(tree, beside, velo, "R", (3, 3))
    T[:3, 3] = _matrix(tree, beside, velo, "T", (3, 1))[:, 0]
    R[:3, :3] = _matrix(tree, name, values, "R_rect_00", (3, 3))
    return Rig(P, np.asarray(R @ T))


def points_to_depth(
    points_N3: NDArray[np.float32], projection: NDArray[np.float64], camera: Camera
) -> NDArray[np.float32]:
    """Depth of the nearest point on every pixel.

    Convention:
        The scanner's x is forward; points behind it are left out, as the development kit does. A point belongs to the
        pixel whose centre is nearest.

    Args:
        points_N3: Points in the scanner's axes, metres.
        projection: float64 (3, 4).
        camera: Gives the size.

    Returns:
        float32 (H, W), NaN where there is none.
    """
    ahead = points_N3[points_N3[:, 0] > 0].astype(np.float64)
    u, v, z = projection @ np.concatenate([ahead, np.ones((len(ahead), 1))], 1).T
    seen = z > 0
    column, row = np.rint(u[seen] / z[seen]).astype(np.int64), np.rint(v[seen] / z[seen]).astype(np.int64)
    inside = (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
    nearest = np.full(camera.height * camera.width, np.inf)
    np.minimum.at(nearest, row[inside] * camera.width + column[inside], z[seen][inside])
    nearest[np.isinf(nearest)] = np.nan
    return nearest.reshape(camera.height, camera.width).astype(np.float32)


def _read(tree: Tree, name: str) -> dict[str, str]:
    lines = (line.partition(":") for line in tree.text(name).splitlines())
    return {key.strip(): value for key, colon, value in lines if colon}


def _matrix(
    tree: Tree, name: str, values: dict[str, str], key: str, shape: tuple[int, int]
) -> NDArray[np.float64]:
    try:
        return np.array([float(word) for word in values[key].split()]).reshape(shape)
    except (KeyError, ValueError) as error:
        raise DatasetError(
            f"{tree.called(name)!r} holds no {shape[0]}x{shape[1]} matrix {key} ({error})",
            hint="copy it again",
        ) from error
