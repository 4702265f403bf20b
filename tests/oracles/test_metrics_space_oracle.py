"""Normals and point clouds against closed forms, loops and brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from leadline.core.camera import Camera, Origin
from leadline.core.depth_map import DepthMap
from leadline.core.kind import Along, Kind
from leadline.ops.geometry import to_ray
from leadline.ops.metrics import METRICS, Family, MeasureOptions, measure
from leadline.testing.scenes import plane

CAMERA = Camera(60.0, 62.0, 19.2, 14.1, 40, 30)
SMALL = Camera(9.0, 11.0, 3.2, 2.7, 8, 7)
NORMALS = [name for name, metric in METRICS.items() if metric.family is Family.NORMALS]
CLOUD = [name for name, metric in METRICS.items() if metric.family is Family.CLOUD]


def turned(degrees: float) -> DepthMap:
    """A wall turned about the upright axis."""
    angle = math.radians(degrees)
    return plane(CAMERA, normal=(math.sin(angle), 0.0, math.cos(angle)), distance_m=3.0)


def holed(seed: int, camera: Camera, *, along: Along = Along.AXIS) -> DepthMap:
    rng = np.random.default_rng(seed)
    values = rng.uniform(1.5, 2.5, (camera.height, camera.width)).astype(np.float32)
    values[rng.random(values.shape) < 0.15] = np.nan
    return DepthMap(values, Kind(along=along), camera=camera)


@pytest.mark.parametrize("ray", [False, True])
@pytest.mark.parametrize(
    ("degrees", "shares"), [(5.0, (1, 1, 1)), (20.0, (0, 1, 1)), (25.0, (0, 0, 1)), (40.0, (0, 0, 0))]
)
def test_walls_at_an_angle_are_that_angle_apart(degrees: float, shares: tuple[int, ...], ray: bool) -> None:
    pair = [to_ray(wall) if ray else wall for wall in (turned(degrees - 10), turned(-10))]
    found = measure(*pair, names=NORMALS)
    assert found.normal_mean == pytest.approx(degrees, abs=0.01)
    assert found.normal_median == pytest.approx(degrees, abs=0.01)
    assert (found.normal_11, found.normal_22, found.normal_30) == shares


def normal(values: np.ndarray, row: int, column: int, camera: Camera) -> np.ndarray | None:
    """Of one pixel, from the mean slope of inverse depth to its known neighbours."""
    slopes = []
    for step in ((0, 1), (1, 0)):
        differences = []
        for sign in (1, -1):
            r, c = row + sign * step[0], column + sign * step[1]
            if 0 <= r < camera.height and 0 <= c < camera.width and not np.isnan(values[r, c]):
                differences.append(sign * (1 / values[r, c] - 1 / values[row, column]))
        if not differences:
            return None
        slopes.append(np.mean(differences))
    a, b = slopes
    rest = 1 / values[row, column] - (column - camera.cx) * a - (row - camera.cy) * b
    found = np.array([camera.fx * a, camera.fy * b, rest])
    return found / np.linalg.norm(found)


def test_angles_between_normals_are_those_of_loops() -> None:
    p, g = holed(1, SMALL), holed(2, SMALL)
    both = p.valid & g.valid
    values = [np.where(both, depth.values, np.nan).astype(np.float64) for depth in (p, g)]
    angles = []
    for row, column in np.argwhere(both):
        pair = [normal(plane, row, column, SMALL) for plane in values]
        if pair[0] is not None and pair[1] is not None:
            angles.append(math.degrees(math.acos(float(pair[0] @ pair[1]))))
    found = measure(p, g, names=NORMALS)
    expected = [
        np.mean(angles),
        np.median(angles),
        *(np.mean(np.less(angles, at)) for at in (11.25, 22.5, 30)),
    ]
    assert [getattr(found, name) for name in NORMALS] == pytest.approx(expected, rel=1e-6)


def points(depth: DepthMap, both: np.ndarray) -> np.ndarray:
    camera = depth.camera
    assert camera is not None
    found = []
    for row, column in np.argwhere(both):
        ray = np.array([(column - camera.cx) / camera.fx, (row - camera.cy) / camera.fy, 1.0])
        length = np.linalg.norm(ray) if depth.kind.along is Along.RAY else 1.0
        found.append(ray / length * float(depth.values[row, column]))
    return np.array(found)


@pytest.mark.parametrize("along", list(Along))
def test_clouds_are_as_far_apart_as_brute_force_says(along: Along) -> None:
    p, g = holed(3, CAMERA, along=along), holed(4, CAMERA, along=along)
    both = p.valid & g.valid
    apart = cdist(points(p, both), points(g, both))
    out, back = apart.min(axis=1), apart.min(axis=0)
    precision, recall = np.mean(out < 0.05), np.mean(back < 0.05)
    found = measure(p, g, names=CLOUD, options=MeasureOptions(cloud_threshold_m=0.05))
    expected = [out.mean() + back.mean(), precision, recall, 2 * precision * recall / (precision + recall)]
    assert 0.1 < precision < 0.9
    assert [getattr(found, name) for name in CLOUD] == pytest.approx(expected, rel=1e-6)


def test_fewer_points_are_evenly_spaced_and_estimate_the_same() -> None:
    p, g = holed(3, CAMERA), holed(4, CAMERA)
    both = p.valid & g.valid
    apart = cdist(points(p, both), points(g, both))
    chosen = np.rint(np.arange(300) * (len(apart) - 1) / 299).astype(int)
    whole, part, more = (
        measure(p, g, names=CLOUD, options=MeasureOptions(cloud_points=count)) for count in (None, 300, 10**6)
    )
    expected = apart.min(axis=1)[chosen].mean() + apart.min(axis=0)[chosen].mean()
    assert part.chamfer == pytest.approx(expected, rel=1e-6)
    assert part.chamfer == pytest.approx(whole.chamfer, rel=0.1)
    assert more == whole


def test_clouds_that_are_nowhere_near_score_zero() -> None:
    far = DepthMap(np.full((30, 40), 9.0), Kind())
    found = measure(far, DepthMap(np.full((30, 40), 1.0), Kind(), camera=CAMERA), names=CLOUD)
    assert (found.cloud_precision, found.cloud_recall, found.cloud_f) == (0.0, 0.0, 0.0)
    assert found.chamfer > 8


@pytest.mark.parametrize("camera", [None, Camera(60.0, 62.0, 19.2, 14.1, 40, 30, Origin.ASSUMED)])
def test_without_a_known_camera_there_are_no_figures_in_space(camera: Camera | None) -> None:
    p, g = holed(3, CAMERA), holed(4, CAMERA).with_camera(camera)
    found = measure(p, g, names=[*NORMALS, *CLOUD, "mae"])
    assert all(math.isnan(getattr(found, name)) for name in (*NORMALS, *CLOUD))
    assert found.mae > 0


def test_without_neighbours_there_are_no_normals() -> None:
    lone = DepthMap(np.ones((1, 4)), Kind(), camera=Camera(9.0, 9.0, 1.5, 0.0, 4, 1))
    assert math.isnan(measure(lone, lone, names=NORMALS).normal_mean)
