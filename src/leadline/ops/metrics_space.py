"""Metrics in space, where the camera is known: surface normals and point clouds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.errors import MissingExtra
from leadline.ops.metrics_pair import MeasureOptions, Pair
from leadline.ops.normals import normals_of
from leadline.ops.rays import slopes

__all__ = ["measure_cloud", "measure_normals"]

Floats = NDArray[np.float64]


def measure_normals(pair: Pair) -> dict[str, float]:
    """Angles between the normals of the predicted and of the true surface, both seen by the truth's camera.

    Normals are taken from the scored pixels of each map in the same way (``leadline.ops.normals``), so that a hole in one is a
    hole in both.

    Source: D. Eigen and R. Fergus, "Predicting depth, surface normals and semantic labels", ICCV 2015.

    Args:
        pair: Prediction and truth.

    Returns:
        By the fields of ``Scores``, in degrees; NaN without a camera that is known, or without a normal.
    """
    camera = pair.known_camera
    if camera is None:
        return {}
    said, true = (normals_of(1 / pair.z_HW(plane, camera), camera=camera) for plane in (pair.p_HW, pair.t_HW))
    angles = _angles_deg(said, true)
    if not angles.size:
        return {}
    return {
        "normal_mean": float(angles.mean()),
        "normal_median": float(np.median(angles)),
        "normal_11": float(np.mean(angles < 11.25)),
        "normal_22": float(np.mean(angles < 22.5)),
        "normal_30": float(np.mean(angles < 30)),
    }


def _angles_deg(a_HW3: Floats, b_HW3: Floats) -> Floats:
    """Angles between unit vectors that are both known; the arc tangent keeps small ones exact."""
    known = np.isfinite(a_HW3).all(axis=-1) & np.isfinite(b_HW3).all(axis=-1)
    a, b = a_HW3[known], b_HW3[known]
    across = np.linalg.norm(np.cross(a, b), axis=-1)
    angles: Floats = np.degrees(np.arctan2(across, (a * b).sum(axis=-1)))
    return angles


def measure_cloud(pair: Pair, options: MeasureOptions) -> dict[str, float]:
    """Distances between the points that the two maps show, both seen by the truth's camera.

    Nearest points are exact (scipy's k-d tree); distances are taken from evenly spaced points where there are many.

    Source: E. P. Örnek et al., "From 2D to 3D: Re-thinking benchmarking of monocular depth prediction", 2022.

    Args:
        pair: Prediction and truth.
        options: The threshold in metres, and how many points.

    Returns:
        By the fields of ``Scores``; NaN without a camera that is known.

    Raises:
        MissingExtra: scipy is not installed.
    """
    camera = pair.known_camera
    if camera is None:
        return {}
    said, true = (_points(pair.z_HW(plane, camera), camera) for plane in (pair.p_HW, pair.t_HW))
    out, back = (_nearest(_some(a, options.cloud_points), b) for a, b in ((said, true), (true, said)))
    precision, recall = (float(np.mean(away < options.cloud_threshold_m)) for away in (out, back))
    both = precision + recall
    return {
        "chamfer": float(out.mean() + back.mean()),
        "cloud_precision": precision,
        "cloud_recall": recall,
        "cloud_f": 2 * precision * recall / both if both else 0.0,
    }


def _points(z_HW: Floats, camera: Camera) -> Floats:
    """Points (N, 3) of the pixels that are known."""
    x, y = slopes(camera)
    points = np.stack([x * z_HW, y * z_HW, z_HW], axis=-1)
    return points[np.isfinite(z_HW)]


def _some(points_N3: Floats, count: int | None) -> Floats:
    """At most so many of the points, evenly spaced."""
    if count is None or count >= len(points_N3):
        return points_N3
    return points_N3[np.linspace(0, len(points_N3) - 1, count).round().astype(np.int64)]


def _nearest(points_N3: Floats, others_N3: Floats) -> Floats:
    """Distance of every point to the nearest of the others."""
    try:
        from scipy.spatial import cKDTree
    except ImportError as error:
        raise MissingExtra("the distance between point clouds", "scipy", extra="evaluate") from error
    distances, _ = cKDTree(others_N3, balanced_tree=False).query(points_N3)
    return np.asarray(distances, np.float64)
