"""Poses as datasets write them: matrices, quaternions, axis-angle vectors; all from the camera to the world."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.core.errors import DatasetError
from leadline.io.trees import Tree

__all__ = ["from_axis_angle", "from_quaternion", "matrices", "one_matrix"]


def from_quaternion(xyz: NDArray[np.float64], q_xyzw: NDArray[np.float64]) -> NDArray[np.float64]:
    """A pose from a place and a unit quaternion.

    Convention:
        The quaternion's last part is its real one (x, y, z, w), as in TUM's and ROS's files.

    Args:
        xyz: Place, metres.
        q_xyzw: Turn; its length is made 1.

    Returns:
        float64 (4, 4).
    """
    x, y, z, w = q_xyzw / np.linalg.norm(q_xyzw)
    pose = np.eye(4)
    pose[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    pose[:3, 3] = xyz
    return pose


def from_axis_angle(turn: NDArray[np.float64], xyz: NDArray[np.float64]) -> NDArray[np.float64]:
    """A pose from a turn about an axis (its length the angle in radians) and a place.

    Args:
        turn: Axis times angle.
        xyz: Place, metres.

    Returns:
        float64 (4, 4).
    """
    angle = float(np.linalg.norm(turn))
    axis = turn / angle if angle > 0 else np.array([1.0, 0.0, 0.0])
    return from_quaternion(xyz, np.append(axis * np.sin(angle / 2), np.cos(angle / 2)))


def matrices(tree: Tree, name: str, *, rows_before: int = 0) -> list[NDArray[np.float64]]:
    """All 4x4 matrices of a text file, one after the other, whether on lines of 4, 12 or 16 numbers.

    Args:
        tree: Where the file is.
        name: Its name.
        rows_before: Lines of something else before each matrix of four lines, as in ``trajectory.log``.

    Returns:
        float64 (4, 4) each.

    Raises:
        DatasetError: It holds something else.
    """
    lines = [line.split() for line in tree.text(name).splitlines() if line.strip()]
    if rows_before:
        block = rows_before + 4
        lines = [line for k, line in enumerate(lines) if k % block >= rows_before]
    try:
        numbers = np.array([float(word) for line in lines for word in line])
        if lines and len(lines[0]) == 12:
            rows = numbers.reshape(-1, 3, 4)
            last = np.broadcast_to([0.0, 0.0, 0.0, 1.0], (len(rows), 1, 4))
            return list(np.concatenate([rows, last], 1))
        return list(numbers.reshape(-1, 4, 4))
    except ValueError as error:
        raise DatasetError(
            f"{tree.called(name)!r} holds no 4x4 matrices ({error})", hint="copy the file again"
        ) from error


def one_matrix(tree: Tree, name: str) -> NDArray[np.float64] | None:
    """The one 4x4 matrix of a file, or None where the file is not there or the camera was lost (not finite).

    Args:
        tree: Where the file is.
        name: Its name.

    Returns:
        float64 (4, 4), or None.

    Raises:
        DatasetError: It holds something else.
    """
    if name not in tree:
        return None
    found = matrices(tree, name)
    if len(found) != 1:
        raise DatasetError(
            f"{tree.called(name)!r} holds {len(found)} matrices, not one", hint="copy it again"
        )
    return found[0] if bool(np.isfinite(found[0]).all()) else None
