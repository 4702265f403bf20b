"""Clouds against scenes whose geometry is known in closed form, read back with trimesh."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.image import Image
from leadline.core.kind import Along, Freedom, Kind, Quantity
from leadline.core.results import ModelRecord, Prediction
from leadline.exporters import glb
from leadline.exporters.cloud import thinned
from leadline.exporters.glb import GlbExporter
from leadline.exporters.ply import PlyExporter
from leadline.plugins.ports import ExportOptions

CAMERA = Camera(50.0, 60.0, 31.5, 20.0, 64, 48)
GREY = Image(np.full((48, 64, 3), 127, np.uint8), CAMERA)


def cloud(depth: DepthMap, path: Path) -> Any:
    import trimesh

    made = PlyExporter() if path.suffix == ".ply" else GlbExporter()
    made.write(Prediction(GREY, depth, ModelRecord("x")), path, options=ExportOptions())
    loaded = trimesh.load(path)
    return loaded if path.suffix == ".ply" else next(iter(loaded.geometry.values()))


def pixel_rays() -> np.ndarray:
    """(u - cx)/fx, (v - cy)/fy, 1 for every pixel, from the pinhole equation."""
    rays = [((u - 31.5) / 50.0, (v - 20.0) / 60.0, 1.0) for v in range(48) for u in range(64)]
    return np.array(rays).reshape(48, 64, 3)


def test_a_slanted_plane_comes_back_as_that_plane(tmp_path: Path) -> None:
    """n . p = c with n = (0.3, -0.2, 1): z = c / (n . ray)."""
    normal, c = np.array([0.3, -0.2, 1.0]), 2.5
    z = c / (pixel_rays() @ normal)
    points = cloud(DepthMap(z, Kind(), camera=CAMERA), tmp_path / "a.ply").vertices
    assert len(points) == 48 * 64
    np.testing.assert_allclose(points @ normal, c, rtol=1e-5)


def test_a_sphere_by_distance_along_the_ray(tmp_path: Path) -> None:
    """The same distance along every ray is a sphere around the camera; in glTF too, behind the -z axis."""
    depth = DepthMap(np.full((48, 64), 3.0), Kind(along=Along.RAY), camera=CAMERA)
    for name in ("a.ply", "a.glb"):
        points = cloud(depth, tmp_path / name).vertices
        np.testing.assert_allclose(np.linalg.norm(points, axis=1), 3.0, rtol=1e-5)
        sign = 1 if name == "a.ply" else -1
        assert (points[:, 2] * sign > 0).all()
        top_left = points[0] / [1, sign, sign]
        np.testing.assert_allclose(top_left / top_left[2], pixel_rays()[0, 0], rtol=1e-5)


def test_only_valid_pixels_become_points_with_their_own_colours(tmp_path: Path) -> None:
    values = np.full((48, 64), 2.0)
    values[5, 7], values[6, 8] = np.nan, np.inf
    rgb = np.zeros((48, 64, 3), np.uint8)
    rgb[..., 0], rgb[..., 1] = np.arange(64), np.arange(48)[:, None]
    depth = DepthMap(values, Kind(freedom=Freedom.SCALE), camera=CAMERA)
    path = tmp_path / "a.ply"
    made = Prediction(Image(rgb, CAMERA), depth, ModelRecord("x"))
    PlyExporter().write(made, path, options=ExportOptions())
    import trimesh

    loaded: Any = trimesh.load(path)
    assert len(loaded.vertices) == 48 * 64 - 2
    u = loaded.vertices[:, 0] / 2 * 50 + 31.5
    v = loaded.vertices[:, 1] / 2 * 60 + 20
    np.testing.assert_allclose(u, loaded.colors[:, 0], atol=1e-3)
    np.testing.assert_allclose(v, loaded.colors[:, 1], atol=1e-3)
    assert b"comment unit arbitrary" in path.read_bytes()[:4000]


def test_a_glb_of_many_points_is_thinned_and_a_ply_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(glb, "_MOST_POINTS", 400)
    depth = DepthMap(np.full((48, 64), 2.0), Kind(), camera=CAMERA)
    light = cloud(depth, tmp_path / "a.glb").vertices * [1, -1, -1]
    u, v = light[:, 0] / 2 * 50 + 31.5, light[:, 1] / 2 * 60 + 20
    expected = [(column, row) for row in range(0, 48, 3) for column in range(0, 64, 3)]  # 3072 / 3² = 341
    np.testing.assert_allclose(np.stack([u, v], 1), expected, atol=1e-3)
    assert len(cloud(depth, tmp_path / "a.ply").vertices) == 48 * 64
    assert thinned(depth, most=48 * 64) is depth


@pytest.mark.parametrize("kind", [Kind(Quantity.INVERSE), Kind(freedom=Freedom.AFFINE)])
def test_the_way_out_is_told(kind: Kind) -> None:
    with pytest.raises(TypeError, match=r"align it to known depths|invert it to depth first"):
        GlbExporter().check(kind)


def test_a_real_room_keeps_its_size(shared_data: Path, tmp_path: Path) -> None:
    """Redwood's frame with its own camera: the cloud spans what depth, width and focal length say."""
    from leadline.io.depth_files import read_depth

    folder = shared_data / "redwood" / "RGBD"
    camera = Camera(525.0, 525.0, 319.5, 239.5, 640, 480)
    depth, _ = read_depth(folder / "depth" / "00000.png", kind="metric", scale=0.001, camera=camera)
    from leadline.io.images import read_image

    photo = read_image(folder / "color" / "00000.jpg", focal_px=525.0)
    PlyExporter().write(
        Prediction(photo, depth, ModelRecord("sensor")), tmp_path / "a.ply", options=ExportOptions()
    )
    import trimesh

    points = np.asarray(trimesh.load(tmp_path / "a.ply").vertices)  # type: ignore[union-attr]
    rows, columns = np.nonzero(depth.valid)
    z = depth.values[rows, columns].astype(np.float64)
    np.testing.assert_allclose(points[:, 2], z, rtol=1e-6)
    np.testing.assert_allclose(points[:, 0], (columns - 319.5) * z / 525, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(points[:, 1], (rows - 239.5) * z / 525, rtol=1e-4, atol=1e-6)
