"""Known points: what they may be, and the line they were measured along."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.kind import Along, Kind
from leadline.ops.align import align
from leadline.ops.known_points import KnownPoints, distances_along


def scene() -> DepthMap:
    values = np.random.default_rng(0).uniform(1.0, 8.0, (6, 8))
    return DepthMap(values, Kind(), camera=Camera.from_fov(80, 8, 6))


@pytest.mark.parametrize("along", list(Along))
def test_distances_along_the_same_line_stay_as_they_are(along: Along) -> None:
    points = KnownPoints(np.array([5]), np.array([7]), np.array([3.0]), along)
    prediction = DepthMap(np.ones((6, 8)), Kind(along=along))
    np.testing.assert_array_equal(distances_along(prediction, points), [3.0])


def test_a_distance_along_the_ray_is_longer_by_the_ray() -> None:
    camera = Camera(2, 4, 1, 1, 4, 4)
    points = KnownPoints(np.array([3]), np.array([2]), np.array([6.0]))
    seen = DepthMap(np.ones((4, 4)), Kind(along=Along.RAY), camera=camera)
    np.testing.assert_allclose(distances_along(seen, points), [6 * np.sqrt(0.5**2 + 0.5**2 + 1)])


@pytest.mark.parametrize(("row", "column"), [(-1, 0), (6, 0), (0, -1), (0, 8)])
def test_points_outside_are_refused(row: int, column: int) -> None:
    with pytest.raises(InputError, match=rf"row {row}, column {column}\) lies outside 8x6"):
        align(scene(), KnownPoints(np.array([row]), np.array([column]), np.array([1.0])))


def test_points_along_another_line_need_a_camera() -> None:
    with pytest.raises(InputError, match="measured along the ray need a camera"):
        align(
            scene().with_camera(None),
            KnownPoints(np.array([3]), np.array([3]), np.array([1.0]), along=Along.RAY),
        )


@pytest.mark.parametrize(
    ("rows", "columns", "depth_m", "words"),
    [
        ([1], [1, 2], [1.0], "do not fit together"),
        ([1, 2], [1, 2], [1.0], "do not fit together"),
        ([[1]], [[1]], [[1.0]], "do not fit together"),
        ([1.5], [1], [1.0], "rows of type float64 are not whole"),
        ([1], [1.5], [1.0], "columns of type float64 are not whole"),
        ([1], [1], [0.0], "known distance 0.0"),
        ([1, 2], [1, 2], [1.0, np.nan], "known distance nan"),
        ([1], [1], [np.inf], "known distance inf"),
    ],
)
def test_points_make_sense(rows: Any, columns: Any, depth_m: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        KnownPoints(rows, columns, depth_m)


def test_points_are_kept_read_only() -> None:
    depth_m = np.array([1.0])
    points = KnownPoints(np.array([1]), np.array([1]), depth_m)
    depth_m[0] = 9
    assert points.depth_m[0] == 1
    assert not points.depth_m.flags.writeable
    assert len(KnownPoints([], [], [])) == 0  # type: ignore[arg-type]
