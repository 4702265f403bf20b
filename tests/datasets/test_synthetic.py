"""Made-up rooms: depth against an independent ray caster, exact normals, splits by room, and the same every time."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from leadline.core.camera import Camera
from leadline.core.errors import InputError
from leadline.datasets.synthetic import Synthetic, render
from leadline.datasets.synthetic_rooms import make_room
from leadline.datasets.synthetic_shapes import Form, Shape, cast, surface_of, turned
from leadline.flows.data.opening import open_dataset
from leadline.testing.scenes import plane, sphere

LOOKS = (0,) * 6
CAMERA = Camera(60.0, 62.0, 31.0, 22.0, 64, 48)
BIG = Shape(Form.SHELL, np.zeros(3), np.full(3, 50.0), np.eye(3), LOOKS)


def seen(shape: Shape) -> np.ndarray:
    z_m, which = cast([BIG, shape], camera=CAMERA, T_world_camera=np.eye(4))
    return np.where(which == 1, z_m, np.nan)


def test_a_ball_is_the_closed_form() -> None:
    ball = Shape(Form.ELLIPSOID, np.array([0.2, -0.1, 3.0]), np.full(3, 0.8), turned(0.4), LOOKS)
    expected = sphere(CAMERA, centre_m=(0.2, -0.1, 3.0), radius_m=0.8)
    found = seen(ball)
    assert np.array_equal(np.isfinite(found), expected.valid)
    assert np.nanmax(np.abs(found - expected.values)) < 1e-6


def test_a_wall_is_the_closed_form() -> None:
    front = Shape(Form.BOX, np.array([0.0, 0.0, 4.5]), np.array([40.0, 40.0, 0.5]), np.eye(3), LOOKS)
    expected = plane(CAMERA, normal=(0.0, 0.0, 1.0), distance_m=4.0)
    assert np.nanmax(np.abs(seen(front) - expected.values)) < 1e-6


def _meets_triangles(rays: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Nearest t > 0 at which t·ray lies in a triangle (Möller & Trumbore, 1997), every ray with every triangle."""
    corner, first, second = (
        triangles[:, 0],
        triangles[:, 1] - triangles[:, 0],
        triangles[:, 2] - triangles[:, 0],
    )
    p = np.cross(rays[:, None], second[None])
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = 1 / (first * p).sum(-1)
        u = (-corner * p).sum(-1) * scale
        q = np.cross(-corner, first)
        v = (rays[:, None] * q).sum(-1) * scale
        t = (second * q).sum(-1) * scale
    met = (u >= -1e-9) & (v >= -1e-9) & (u + v <= 1 + 1e-9) & (t > 0)
    return np.where(met, t, np.inf).min(1)


@pytest.mark.parametrize("yaw_rad", [0.0, 0.7, 2.0])
@pytest.mark.parametrize("form", [Form.BOX, Form.FRUSTUM])
def test_solids_are_what_another_ray_caster_meets(form: Form, yaw_rad: float) -> None:
    """Rays against triangles; a finely cut cylinder differs from a round one by its cut."""
    tilt = trimesh.transformations.rotation_matrix(0.5, [1, 0.3, 0])[:3, :3] @ turned(yaw_rad)
    centre = np.array([0.1, 0.2, 3.5])
    if form is Form.BOX:
        half = np.array([0.7, 0.4, 0.9])
        mesh = trimesh.creation.box(2 * half)
    else:
        half = np.array([0.6, 0.6, 0.8])
        mesh = trimesh.creation.cylinder(0.6, 1.6, sections=720)
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = tilt, centre
    mesh.apply_transform(T)
    found = seen(Shape(form, centre, half, tilt, LOOKS))
    v, u = np.nonzero(np.isfinite(found))
    pick = np.random.default_rng(0).permutation(len(u))[:300]
    u, v = u[pick], v[pick]
    rays = np.stack([(u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy, np.ones(len(u))], 1)
    nearest = _meets_triangles(rays, np.asarray(mesh.triangles))
    error = np.abs(nearest - found[v, u])
    assert np.quantile(error, 0.97) < (1e-6 if form is Form.BOX else 1e-4)


def _distance(shape: Shape, points: np.ndarray) -> np.ndarray:
    """How far points are from a shape's surface, by its implicit equation."""
    own = (points - shape.centre_m) @ shape.R_world_own
    if shape.form is Form.ELLIPSOID:
        level = np.sqrt(((own / shape.half_m) ** 2).sum(1))
        return np.abs(level - 1) * shape.half_m.min()
    if shape.form is Form.FRUSTUM:
        radius = (shape.half_m[0] + shape.half_m[1]) / 2 + (shape.half_m[1] - shape.half_m[0]) * own[:, 2] / (2 * shape.half_m[2])  # fmt: skip
        return np.minimum(
            np.abs(np.hypot(own[:, 0], own[:, 1]) - radius), np.abs(np.abs(own[:, 2]) - shape.half_m[2])
        )
    return np.abs(np.abs(own) - shape.half_m).min(1)


@pytest.mark.parametrize("number", [1, 4, 6, 9])
def test_every_pixel_of_a_room_lies_on_a_surface_and_none_before_it(number: int) -> None:
    """The depth map, unprojected with its camera and pose, satisfies some shape's equation to a tenth of a millimetre."""
    view = render(3, number, 0, width=96, height=72)
    camera = view.image.camera
    v, u = np.mgrid[:72, :96]
    z = view.depth.values.astype(np.float64)
    points = np.stack([(u - camera.cx) / camera.fx * z, (v - camera.cy) / camera.fy * z, z], -1).reshape(
        -1, 3
    )
    world = points @ view.T_world_camera[:3, :3].T + view.T_world_camera[:3, 3]
    room = make_room(np.random.Generator(np.random.PCG64([3, number])))
    gap = np.min([_distance(shape, world) for shape in room.shapes], axis=0)
    assert gap.max() < 1e-4
    assert view.depth.valid.all()
    assert np.abs(np.linalg.norm(view.normals_HW3, axis=-1) - 1).max() < 1e-5
    towards = (view.normals_HW3.reshape(-1, 3) * points).sum(1)
    assert towards.max() < 1e-3, "a normal points away from the camera"


def test_normals_are_those_of_the_points() -> None:
    ball = Shape(Form.ELLIPSOID, np.array([0.0, 0.0, 3.0]), np.array([0.8, 0.5, 0.6]), turned(0.6), LOOKS)
    cone = Shape(Form.FRUSTUM, np.array([0.3, 0.0, 3.0]), np.array([0.8, 0.2, 0.6]), turned(0.3), LOOKS)
    for shape in (ball, cone):
        scene = [BIG, shape]
        z_m, which = cast(scene, camera=CAMERA, T_world_camera=np.eye(4))
        surface = surface_of(scene, which, z_m, camera=CAMERA, T_world_camera=np.eye(4))
        grid = surface.points_m.reshape(48, 64, 3)
        across = np.cross(np.gradient(grid, axis=1), np.gradient(grid, axis=0))
        across /= np.linalg.norm(across, axis=-1, keepdims=True)
        inner = which == 1
        for axis in (0, 1):
            for step in (-1, 1):
                inner &= np.roll(which, step, axis) == 1
        flat = np.abs((across.reshape(-1, 3) * surface.normals).sum(1)).reshape(48, 64)[inner]
        assert np.quantile(flat, 0.2) > 0.99


def test_rooms_repeat_exactly_and_differ_between_seeds() -> None:
    first, again, other = (Synthetic(seed=s, frames=8, width=64, height=48)[5] for s in (1, 1, 2))
    assert np.array_equal(first.image.rgb_HW3, again.image.rgb_HW3)
    assert np.array_equal(first.truth.values, again.truth.values)
    assert not np.array_equal(first.truth.values, other.truth.values)


def test_a_room_is_in_one_split_only() -> None:
    entries = Synthetic(frames=4000).entries
    splits: dict[str, set[str]] = {}
    for entry in entries:
        splits.setdefault(entry.scene, set()).add(entry.split)
    assert len(splits) == 1000
    assert all(len(found) == 1 for found in splits.values())
    counts = [sum(found == {name} for found in splits.values()) for name in ("train", "val", "test")]
    assert counts[0] > 850
    assert min(counts) > 25
    assert [e.id for e in entries[2:4]] == ["0/000000/2", "0/000000/3"]


def test_it_opens_without_a_path_and_at_once() -> None:
    opened = open_dataset("synthetic", options={"frames": 100_000_000, "width": 32, "height": 24})
    assert len(opened) == 100_000_000
    assert opened.select(first=2)[1].truth.shape == (24, 32)
    assert opened[99_999_999].id == "0/24999999/3"


@pytest.mark.parametrize("options", [{"frames": 0}, {"width": 4}, {"seed": -1}, {"views_per_room": 0}])
def test_numbers_too_small_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(InputError, match="is too small; give at least"):
        open_dataset("synthetic", options=options)


def test_views_are_varied_and_exposed_like_photos() -> None:
    samples = list(Synthetic(seed=5, frames=40, width=80, height=60))[::4]
    means = [float(sample.image.rgb_HW3.mean()) for sample in samples]
    assert 60 < np.median(means) < 210
    medians = [float(np.median(sample.truth.values)) for sample in samples]
    assert max(medians) > 1.5 * min(medians)
    assert min(float(sample.truth.values.min()) for sample in samples) > 0.2
    assert max(float(sample.truth.values.max()) for sample in samples) < 14
    assert len({sample.image.camera.fx for sample in samples}) == len(samples)
