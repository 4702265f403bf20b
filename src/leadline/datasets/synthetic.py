"""Made-up furnished rooms with exact depth, normals and camera: seeded, endless, no data needed.

Every pixel's ray is intersected with boxes, ellipsoids and frusta in closed form, in float64; textures, lamps and a camera's
faults make the photo. Room k of seed s is the same on every run. Rooms belong to one split as a whole.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.core.sample import Entry, Sample
from leadline.datasets.synthetic_rooms import Room, make_room
from leadline.datasets.synthetic_shade import developed, lit
from leadline.datasets.synthetic_shapes import Array, cast, surface_of
from leadline.plugins.specs import DatasetOption, DatasetSpec

__all__ = ["SPEC", "Synthetic", "View", "render"]

SPEC = DatasetSpec(
    name="synthetic",
    adapter="leadline.datasets.synthetic:Synthetic",
    summary="made-up furnished rooms with exact depth: seeded, endless, no data needed",
    licence="yours: what is made carries no terms",
    options=(
        DatasetOption("seed", "Another number makes other rooms.", 0),
        DatasetOption("frames", "How many views there are.", 10_000),
        DatasetOption("width", "Columns.", 320),
        DatasetOption("height", "Rows.", 240),
        DatasetOption("views_per_room", "Views of each room.", 4),
    ),
    endless=True,
)

_CLEARANCE_M = 0.25


@dataclass(frozen=True, eq=False)
class View:
    """One view of a room, with all that is known of it.

    Args:
        image: The photo.
        depth: Exact metric depth along the axis.
        normals_HW3: Outward unit normals in the camera's axes (x right, y down, z forward), float32.
        things_HW: Number of the thing at each pixel; 0 is the room.
        T_world_camera: Pose; the world's z is up.
    """

    image: Image
    depth: DepthMap
    normals_HW3: NDArray[np.float32]
    things_HW: NDArray[np.intp]
    T_world_camera: Array


def render(seed: int, room: int, view: int, *, width: int = 320, height: int = 240) -> View:
    """Renders a view of a room.

    Args:
        seed: Which world.
        room: Which room in it.
        view: Which view of it.
        width: Columns.
        height: Rows.

    Returns:
        The view; the same for the same numbers.

    Example:
        >>> render(0, 1, 0, width=32, height=24).depth
        DepthMap 24x32, metres...
    """
    made = make_room(np.random.Generator(np.random.PCG64([seed, room])))
    rng = np.random.Generator(np.random.PCG64([seed, room, view + 1]))
    camera = _camera(rng, width, height)
    pose = _pose(made, rng)
    z_m, which = cast(made.shapes, camera=camera, T_world_camera=pose)
    seen = surface_of(made.shapes, which, z_m, camera=camera, T_world_camera=pose)
    light = lit(made, seen, eye_m=pose[:3, 3], pixel_m=(z_m / camera.fx).ravel())
    rgb = developed(light.reshape(height, width, 3), rng)
    things = np.array([shape.thing for shape in made.shapes], np.intp)[which]
    normals = (seen.normals @ pose[:3, :3]).reshape(height, width, 3).astype(np.float32)
    depth = DepthMap(z_m.astype(np.float32), Kind(), camera=camera)
    return View(Image(rgb, camera, f"synthetic:{seed}/{room}/{view}"), depth, normals, things, pose)


class Synthetic:
    """Views of made-up rooms.

    Args:
        seed: Which world.
        frames: How many views.
        width: Columns.
        height: Rows.
        views_per_room: Views of each room.

    Raises:
        InputError: A number is too small.
    """

    kind = Kind()

    def __init__(
        self,
        *,
        seed: int = 0,
        frames: int = 10_000,
        width: int = 320,
        height: int = 240,
        views_per_room: int = 4,
    ) -> None:
        for name, value, least in (
            ("seed", seed, 0),
            ("frames", frames, 1),
            ("width", width, 16),
            ("height", height, 16),
            ("views_per_room", views_per_room, 1),
        ):
            if value < least:
                raise InputError(f"{name} = {value} is too small", hint=f"give at least {least}")
        self.seed, self.frames, self.width, self.height = seed, frames, width, height
        self.views_per_room = views_per_room
        self.entries = _Entries(seed, frames, views_per_room)

    def __len__(self) -> int:
        return self.frames

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(self.frames))

    def __getitem__(self, index: int) -> Sample:
        """One view.

        Args:
            index: Which; negative ones count from the end.

        Returns:
            The sample.

        Raises:
            IndexError: There is no such view.
        """
        index = range(self.frames)[index]
        entry = self.entries[index]
        room, view = divmod(index, self.views_per_room)
        made = render(self.seed, room, view, width=self.width, height=self.height)
        return Sample(entry.id, made.image, made.depth, entry.scene, entry.split, made.T_world_camera)


class _Entries(Sequence[Entry]):
    """Entries that are made when they are asked for."""

    def __init__(self, seed: int, frames: int, views_per_room: int) -> None:
        self.seed, self.frames, self.views_per_room = seed, frames, views_per_room

    def __len__(self) -> int:
        return self.frames

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Entry]: ...
    def __getitem__(self, index: int | slice) -> Entry | Sequence[Entry]:
        if isinstance(index, slice):
            return [self[k] for k in range(self.frames)[index]]
        room, view = divmod(range(self.frames)[index], self.views_per_room)
        return Entry(f"{self.seed}/{room:06}/{view}", f"{self.seed}/{room:06}", _split(room))


def _split(room: int) -> str:
    """One room in twenty is for tests and one for validation."""
    part = (room * 2654435761 >> 7) % 20
    return {0: "test", 1: "val"}.get(part, "train")


def _camera(rng: np.random.Generator, width: int, height: int) -> Camera:
    f_px = max(width, height) / 2 / math.tan(math.radians(float(rng.uniform(45, 82))) / 2)
    off = rng.normal(0, 0.01, 2)
    return Camera(
        f_px,
        f_px,
        (width - 1) / 2 + float(off[0]) * width,
        (height - 1) / 2 + float(off[1]) * height,
        width,
        height,
    )


def _pose(room: Room, rng: np.random.Generator) -> Array:
    """A person's or a phone's view: from a free place, toward the far side of the room."""
    place = np.zeros(3)
    for _ in range(60):
        x, y = (float(rng.uniform(-1, 1) * max(half - 0.3, 0.05)) for half in room.half_m)
        place = np.array([x, y, float(rng.uniform(0.9, min(1.9, room.height_m - 0.3)))])
        if all(_outside(shape, place) for shape in room.shapes[1:]):
            break
    else:
        room.shapes[1:] = [shape for shape in room.shapes[1:] if _outside(shape, place)]
    target = np.array([float(rng.uniform(-0.9, 0.9) * half) for half in room.half_m])
    if np.hypot(*(target - place[:2])) < max(room.half_m) * 0.8:
        target = -np.sign(place[:2] + 1e-9) * np.asarray(room.half_m) * rng.uniform(0.5, 1, 2)
    yaw = math.atan2(target[1] - place[1], target[0] - place[0])
    pitch, roll = math.radians(float(rng.normal(-9, 9))), math.radians(float(rng.normal(0, 2.5)))
    ahead = np.array([math.cos(pitch) * math.cos(yaw), math.cos(pitch) * math.sin(yaw), math.sin(pitch)])
    right = np.cross(ahead, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    down = np.cross(ahead, right)
    turned_right = math.cos(roll) * right + math.sin(roll) * down
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 1], pose[:3, 2] = turned_right, np.cross(ahead, turned_right), ahead
    pose[:3, 3] = place
    return pose


def _outside(shape: object, place: Array) -> bool:
    from leadline.datasets.synthetic_shapes import Shape

    assert isinstance(shape, Shape)
    own = shape.R_world_own.T @ (place - shape.centre_m)
    return bool((np.abs(own) > shape.reach_m + _CLEARANCE_M).any())
