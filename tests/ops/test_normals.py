"""Normals: holes, and a real floor. Closed forms are in tests/oracles."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.kind import Kind
from leadline.ops.geometry import unproject
from leadline.ops.normals import normals


def test_normals_are_unknown_where_no_neighbour_is_known() -> None:
    values = np.full((4, 5), 2.0)
    values[1, 1] = np.nan
    values[:, 3] = np.inf
    found = normals(DepthMap(values, Kind(), camera=Camera.assumed(5, 4)))
    known = np.isfinite(found).all(axis=-1)
    np.testing.assert_array_equal(known[:, 0], [True, False, True, True])
    assert not known[1, 1]
    assert not known[:, 3:].any()
    np.testing.assert_allclose(found[known], np.tile([0, 0, -1], (known.sum(), 1)), atol=1e-6)
    assert np.isnan(normals(DepthMap(np.ones((1, 5)), Kind(), camera=Camera.assumed(5, 1)))).all()


def test_the_floor_of_a_real_room_is_flat(shared_data: Path) -> None:
    from PIL import Image as PilImage

    file = shared_data / "redwood/RGBD/depth/00000.png"
    millimetres = np.asarray(PilImage.open(file)).astype(np.float32)
    depth = DepthMap(millimetres / 1000, Kind(), camera=Camera(525, 525, 319.5, 239.5, 640, 480))
    found = normals(depth)
    floor = np.s_[400:455, 200:560]
    mean = np.nanmean(found[floor].reshape(-1, 3), axis=0)
    mean /= np.linalg.norm(mean)
    points = unproject(
        DepthMap(
            np.where(np.indices(depth.shape)[0] >= 400, depth.values, np.nan), Kind(), camera=depth.camera
        )
    )
    centred = points.points_N3 - points.points_N3.mean(axis=0)
    fitted = np.linalg.svd(centred[::20].astype(np.float64), full_matrices=False)[2][2]
    assert abs(float(mean @ fitted)) > np.cos(np.radians(3))
    assert mean[1] < -0.8
