"""Flat patches of a depth map, and which quantity is linear on them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap

__all__ = ["flatness_of_inverse"]

_PATCHES_DOWN = 8
_LEAST_KNOWN, _LEAST_SLANT, _FLAT = 0.9, 1.12, 0.12


def flatness_of_inverse(depth: DepthMap) -> NDArray[np.float64]:
    """For every flat, slanted patch, how much better a plane fits one over the values than the values themselves.

    Seen by a pinhole camera, a plane n · X = c has 1/z = n · K⁻¹ (u, v, 1) / c: one over depth is linear in the pixel, and
    depth is not (Hartley & Zisserman, Multiple View Geometry, ch. 13). So for depth the numbers are positive, and for
    inverse depth or disparity that is taken for depth they are negative; an unknown shift of a disparity does not matter.

    Args:
        depth: A map below AFFINE.

    Returns:
        float64 (patches,): the natural logarithm of the residual of the values over that of their inverse. Patches are
        squares of an eighth of the height; those are left out that have holes, face the camera, or are not flat either way.

    Example:
        >>> from leadline.core.kind import Kind
        >>> rows, columns = np.mgrid[:80, :80]
        >>> floor = DepthMap(100.0 / (rows + 20.0), Kind())
        >>> bool((flatness_of_inverse(floor) > 5).all())
        True
    """
    side = max(8, depth.height // _PATCHES_DOWN)
    rows, columns = np.mgrid[:side, :side]
    plane = np.stack([columns.ravel() / side, rows.ravel() / side, np.ones(side * side)], 1)
    found = []
    for top in range(0, depth.height - side + 1, side):
        for left in range(0, depth.width - side + 1, side):
            part = np.s_[top : top + side, left : left + side]
            ratio = _ratio(depth.values[part].ravel(), depth.valid[part].ravel(), plane)
            if ratio is not None:
                found.append(ratio)
    return np.array(found, np.float64)


def _ratio(values: NDArray[np.float32], known: NDArray[np.bool_], plane: NDArray[np.float64]) -> float | None:
    if float(known.mean()) < _LEAST_KNOWN:
        return None
    z = values[known].astype(np.float64)
    near, far = np.percentile(z, [2, 98])
    if far < _LEAST_SLANT * near:
        return None
    direct, inverse = _residual(z, plane[known]), _residual(1 / z, plane[known])
    if min(direct, inverse) > _FLAT:
        return None
    return float(np.log(max(direct, 1e-9) / max(inverse, 1e-9)))


def _residual(numbers: NDArray[np.float64], plane: NDArray[np.float64]) -> float:
    fitted = plane @ np.linalg.lstsq(plane, numbers, rcond=None)[0]
    return float((numbers - fitted).std() / numbers.std())
