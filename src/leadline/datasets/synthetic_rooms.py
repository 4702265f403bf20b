"""Rooms made by chance: walls, doors, windows, furniture and clutter, out of boxes, ellipsoids and frusta."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from leadline.datasets.synthetic_looks import Look, Pattern, any_look, cloth, painted, tile_floor, wooden
from leadline.datasets.synthetic_shapes import Array, Form, Shape, turned

__all__ = ["Light", "Room", "make_room"]

_TRIES = 12


@dataclass(frozen=True, slots=True)
class Light:
    """A lamp.

    Args:
        place_m: Where, in the world.
        power: Its strength, red, green, blue.
    """

    place_m: Array
    power: Array


@dataclass(slots=True)
class Room:
    """A room under construction: shapes, looks, lights, and where things stand.

    Args:
        half_m: Half its width and half its length.
        height_m: Floor to ceiling.
    """

    half_m: tuple[float, float]
    height_m: float
    shapes: list[Shape] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    lights: list[Light] = field(default_factory=list)
    ambient: Array = field(default_factory=lambda: np.full(3, 0.3))
    taken: list[tuple[float, float, float]] = field(default_factory=list)
    things: int = 0

    def look(self, look: Look) -> int:
        """Adds a look.

        Args:
            look: It.

        Returns:
            Its number.
        """
        self.looks.append(look)
        return len(self.looks) - 1

    def put(
        self,
        form: Form,
        centre: tuple[float, float, float],
        half: tuple[float, float, float],
        look: int,
        *,
        at: tuple[float, float, float] = (0.0, 0.0, 0.0),
        yaw_rad: float = 0.0,
    ) -> None:
        """Adds a shape of the thing that is being built.

        Args:
            form: What it is.
            centre: Its centre along the thing's own axes.
            half: Its half sizes.
            look: Number of its look.
            at: Where the thing stands.
            yaw_rad: How it is turned about the upright axis.
        """
        R = turned(yaw_rad)
        placed = R @ np.asarray(centre, np.float64) + np.asarray(at, np.float64)
        self.shapes.append(Shape(form, placed, np.asarray(half, np.float64), R, (look,) * 6, self.things))

    def free(
        self, rng: np.random.Generator, radius: float, *, wall: float | None = None
    ) -> tuple[float, float] | None:
        """A place on the floor where a thing fits.

        Args:
            rng: The source of chance.
            radius: Of the circle it needs.
            wall: If given, its back stands so far from a wall.

        Returns:
            x and y, or None where a few tries found none.
        """
        for _ in range(_TRIES):
            x, y = (float(rng.uniform(-1, 1) * max(half - radius, 0.05)) for half in self.half_m)
            if wall is not None:
                if rng.random() < 0.5:
                    x = float(rng.choice([-1, 1]) * (self.half_m[0] - wall))
                else:
                    y = float(rng.choice([-1, 1]) * (self.half_m[1] - wall))
            if all(np.hypot(x - a, y - b) > radius + r for a, b, r in self.taken):
                self.taken.append((x, y, radius))
                return x, y
        return None

    def facing(self, x: float, y: float) -> float:
        """The turn that lets a thing at a place look away from its nearest wall."""
        gaps = (self.half_m[0] - x, self.half_m[1] - y, self.half_m[0] + x, self.half_m[1] + y)
        return float((np.pi / 2, np.pi, -np.pi / 2, 0.0)[int(np.argmin(gaps))])


def make_room(rng: np.random.Generator) -> Room:
    """A furnished room.

    Args:
        rng: The source of chance; the same state makes the same room.

    Returns:
        The room.
    """
    corridor = rng.random() < 0.12
    width = float(rng.uniform(1.3, 2.2) if corridor else rng.uniform(2.4, 7.0))
    room = Room((width / 2, float(rng.uniform(2.6, 8.5)) / 2), float(rng.uniform(2.25, 3.4)))
    _shell(room, rng)
    _on_walls(room, rng)
    _light(room, rng)
    if not corridor:
        makers = [
            _table,
            _sofa,
            _bed,
            _shelf,
            _cupboard,
            _cupboard,
            _lamp,
            _plant,
            _table,
            _chair,
            _chair,
            _boxes,
        ]
        for number in rng.permutation(len(makers))[: int(rng.integers(3, 10))]:
            room.things += 1
            makers[int(number)](room, rng)
    for _ in range(int(rng.integers(0, 7))):
        room.things += 1
        _clutter(room, rng, None)
    return room


def _shell(room: Room, rng: np.random.Generator) -> None:
    wall = painted(rng, value=(0.45, 0.97), colourful=0.35)
    second = painted(rng, value=(0.45, 0.97), colourful=0.5)
    kind = [Pattern.PLAIN, Pattern.CLOUDS, Pattern.STRIPES, Pattern.BRICKS][
        int(rng.choice(4, p=[0.7, 0.17, 0.08, 0.05]))
    ]
    walls = room.look(
        Look(kind, wall, second if kind != Pattern.PLAIN else wall, float(rng.uniform(0.2, 0.8)), 0.04)
    )
    other = walls
    if rng.random() < 0.25:
        accent = painted(rng, value=(0.2, 0.9), colourful=0.7)
        other = room.look(Look(Pattern.PLAIN, accent, accent, 0.5, 0.05))
    floors = (wooden(rng, pattern=Pattern.PLANKS), tile_floor(rng), cloth(rng))
    floor = room.look(floors[int(rng.choice(3, p=[0.5, 0.22, 0.28]))])
    white = painted(rng, value=(0.75, 1.0), colourful=0.06)
    ceiling = room.look(Look(Pattern.PLAIN, white, white, 0.5, 0.03))
    half = np.array([*room.half_m, room.height_m / 2])
    looks = (walls, other, walls, walls, floor, ceiling)
    room.shapes.append(Shape(Form.SHELL, np.array([0, 0, half[2]]), half, np.eye(3), looks))
    if rng.random() < 0.25:  # an L-shaped room: one corner is walled off
        a, b = (float(rng.uniform(0.2, 0.4) * side) for side in room.half_m)
        sx, sy = rng.choice([-1.0, 1.0], 2)
        x, y = float(sx * (room.half_m[0] - a)), float(sy * (room.half_m[1] - b))
        room.put(Form.BOX, (x, y, half[2]), (a, b, half[2]), walls)
        room.taken.append((x, y, float(np.hypot(a, b))))
    if rng.random() < 0.6:  # skirting
        trim = room.look(wooden(rng))
        tall = float(rng.uniform(0.03, 0.07))
        for side in (-1, 1):
            room.put(Form.BOX, (side * room.half_m[0], 0, tall), (0.012, room.half_m[1], tall), trim)
            room.put(Form.BOX, (0, side * room.half_m[1], tall), (room.half_m[0], 0.012, tall), trim)


def _on_walls(room: Room, rng: np.random.Generator) -> None:
    for _ in range(int(rng.integers(1, 7))):
        axis, side = int(rng.integers(2)), float(rng.choice([-1, 1]))
        kind = int(rng.choice(3, p=[0.3, 0.25, 0.45]))
        if kind == 0:
            bright = (0.9, 0.93, 1.0)
            pane = Look(
                Pattern.BLIND if rng.random() < 0.4 else Pattern.PLAIN,
                bright,
                (0.6, 0.65, 0.75),
                0.06,
                0.0,
                0.0,
                1.6,
            )
            wide, tall, middle, look = (
                rng.uniform(0.3, 1.1),
                rng.uniform(0.4, 0.8),
                rng.uniform(1.2, 1.6),
                pane,
            )
        elif kind == 1:
            wide, tall, middle, look = rng.uniform(0.38, 0.5), 1.0, 1.0, wooden(rng)
        else:
            first, second = (painted(rng, value=(0.05, 0.95), colourful=0.9) for _ in range(2))
            wide, tall, middle = rng.uniform(0.1, 0.6), rng.uniform(0.1, 0.5), rng.uniform(1.3, 1.9)
            look = Look(Pattern.POSTER, first, second, float(rng.uniform(0.1, 0.5)), 0.05)
        along = float(rng.uniform(-1, 1) * max(room.half_m[1 - axis] - wide, 0))
        thick = float(rng.uniform(0.01, 0.04))
        tall = min(float(tall), room.height_m / 2)
        middle = min(float(middle), room.height_m - tall - 0.02)
        number = room.look(look)
        frame = room.look(wooden(rng))
        for grow, depth, which in ((0.05, thick * 0.6, frame), (0.0, thick, number)):
            centre, half = [0.0, 0.0, max(middle, tall)], [0.0, 0.0, tall + grow / 2]
            centre[axis], centre[1 - axis] = side * room.half_m[axis], along
            half[axis], half[1 - axis] = depth, float(wide) + grow / 2
            room.put(Form.BOX, (centre[0], centre[1], centre[2]), (half[0], half[1], half[2]), which)


def _light(room: Room, rng: np.random.Generator) -> None:
    warm = np.array([1.0, rng.uniform(0.78, 1.0), rng.uniform(0.55, 1.05)])
    for _ in range(int(rng.integers(1, 4))):
        x, y = (float(rng.uniform(-0.8, 0.8) * half) for half in room.half_m)
        z = room.height_m - float(rng.uniform(0.1, 0.7))
        room.lights.append(Light(np.array([x, y, z]), warm * rng.uniform(0.5, 1.6)))
    room.ambient = (0.5 + 0.5 * warm) * rng.uniform(0.12, 0.45)


def _legs(
    room: Room, half: tuple[float, float], tall: float, look: int, at: tuple[float, float, float], yaw: float
) -> None:
    for sx in (-1, 1):
        for sy in (-1, 1):
            foot = (sx * (half[0] - 0.04), sy * (half[1] - 0.04), tall / 2)
            room.put(Form.BOX, foot, (0.022, 0.022, tall / 2), look, at=at, yaw_rad=yaw)


def _table(room: Room, rng: np.random.Generator) -> None:
    half = (float(rng.uniform(0.3, 0.95)), float(rng.uniform(0.25, 0.5)))
    tall = float(rng.choice([0.42, 0.74, 0.74]) * rng.uniform(0.93, 1.07))
    spot = room.free(rng, float(np.hypot(*half)))
    if spot is None:
        return
    at, yaw, wood = (
        (*spot, 0.0),
        float(rng.choice([0, np.pi / 2]) + rng.normal(0, 0.15)),
        room.look(wooden(rng)),
    )
    room.put(Form.BOX, (0, 0, tall), (*half, 0.018), wood, at=at, yaw_rad=yaw)
    if rng.random() < 0.3:
        room.put(Form.FRUSTUM, (0, 0, tall / 2), (0.25, 0.05, tall / 2 - 0.02), wood, at=at, yaw_rad=yaw)
    else:
        _legs(room, half, tall - 0.018, wood, at, yaw)
    for _ in range(int(rng.integers(0, 6))):
        room.things += 1
        across = turned(yaw) @ [rng.uniform(-0.8, 0.8) * half[0], rng.uniform(-0.8, 0.8) * half[1], 0]
        _clutter(room, rng, (spot[0] + float(across[0]), spot[1] + float(across[1]), tall + 0.018))


def _chair(room: Room, rng: np.random.Generator) -> None:
    spot = room.free(rng, 0.36)
    if spot is None:
        return
    at, yaw, wood = (*spot, 0.0), float(rng.uniform(0, 2 * np.pi)), room.look(wooden(rng))
    seat = room.look(cloth(rng)) if rng.random() < 0.5 else wood
    room.put(Form.BOX, (0, 0, 0.45), (0.21, 0.2, 0.022), seat, at=at, yaw_rad=yaw)
    _legs(room, (0.21, 0.2), 0.43, wood, at, yaw)
    room.put(
        Form.BOX, (0, 0.19, 0.72), (0.2, 0.014, float(rng.uniform(0.08, 0.22))), wood, at=at, yaw_rad=yaw
    )
    for side in (-0.18, 0.18):
        room.put(Form.BOX, (side, 0.19, 0.68), (0.016, 0.016, 0.24), wood, at=at, yaw_rad=yaw)


def _sofa(room: Room, rng: np.random.Generator) -> None:
    wide = float(rng.uniform(0.4, 1.1))
    spot = room.free(rng, float(np.hypot(wide, 0.42)), wall=0.5)
    if spot is None:
        return
    at, yaw, look = (*spot, 0.0), room.facing(*spot), room.look(cloth(rng))
    room.put(Form.BOX, (0, 0, 0.22), (wide, 0.4, 0.2), look, at=at, yaw_rad=yaw)
    room.put(Form.BOX, (0, 0.34, 0.52), (wide, 0.1, float(rng.uniform(0.2, 0.36))), look, at=at, yaw_rad=yaw)
    for side in (-1, 1):
        room.put(Form.BOX, (side * wide, 0, 0.33), (0.1, 0.42, 0.28), look, at=at, yaw_rad=yaw)
    for _ in range(int(rng.integers(0, 4))):
        cushion = room.look(cloth(rng))
        x = float(rng.uniform(-0.7, 0.7) * wide)
        room.put(Form.ELLIPSOID, (x, 0.2, 0.56), (0.22, 0.09, 0.17), cushion, at=at, yaw_rad=yaw)


def _bed(room: Room, rng: np.random.Generator) -> None:
    wide = float(rng.uniform(0.45, 0.95))
    spot = room.free(rng, float(np.hypot(wide, 1.0)), wall=1.06)
    if spot is None:
        return
    at, yaw = (*spot, 0.0), room.facing(*spot)
    wood, sheet = room.look(wooden(rng)), room.look(cloth(rng))
    room.put(Form.BOX, (0, 0, 0.16), (wide, 1.0, 0.12), wood, at=at, yaw_rad=yaw)
    room.put(Form.BOX, (0, 0, 0.38), (wide - 0.02, 0.98, 0.1), sheet, at=at, yaw_rad=yaw)
    room.put(Form.BOX, (0, 1.0, 0.5), (wide, 0.03, float(rng.uniform(0.3, 0.5))), wood, at=at, yaw_rad=yaw)
    for side in (-0.5, 0.5) if wide > 0.6 else (0.0,):
        pillow = room.look(cloth(rng))
        room.put(Form.ELLIPSOID, (side * wide, 0.72, 0.53), (0.3, 0.2, 0.1), pillow, at=at, yaw_rad=yaw)


def _shelf(room: Room, rng: np.random.Generator) -> None:
    wide, tall = float(rng.uniform(0.3, 0.8)), float(rng.uniform(0.8, 2.0))
    spot = room.free(rng, float(np.hypot(wide, 0.18)), wall=0.2)
    if spot is None:
        return
    at, yaw, wood = (*spot, 0.0), room.facing(*spot), room.look(wooden(rng))
    tall = min(tall, room.height_m - 0.1)
    for side in (-1, 1):
        room.put(Form.BOX, (side * wide, 0, tall / 2), (0.012, 0.16, tall / 2), wood, at=at, yaw_rad=yaw)
    room.put(Form.BOX, (0, 0.155, tall / 2), (wide, 0.006, tall / 2), wood, at=at, yaw_rad=yaw)
    for z in np.linspace(0.06, tall, int(rng.integers(3, 7))):
        room.put(Form.BOX, (0, 0, float(z)), (wide, 0.16, 0.011), wood, at=at, yaw_rad=yaw)
        x = -wide + 0.06
        while x < wide * rng.uniform(0.0, 1.0) and z < tall - 0.2:
            thick, high = float(rng.uniform(0.012, 0.06)), float(rng.uniform(0.09, 0.16))
            book = room.look(any_look(rng))
            room.put(
                Form.BOX,
                (x + thick, 0.02, float(z) + 0.011 + high),
                (thick, 0.1, high),
                book,
                at=at,
                yaw_rad=yaw,
            )
            x += 2 * thick + float(rng.exponential(0.02))


def _cupboard(room: Room, rng: np.random.Generator) -> None:
    half = (float(rng.uniform(0.25, 0.8)), float(rng.uniform(0.18, 0.33)))
    tall = min(float(rng.choice([0.5, 0.9, 1.9]) * rng.uniform(0.85, 1.15)), room.height_m - 0.05)
    spot = room.free(rng, float(np.hypot(*half)), wall=half[1] + 0.01)
    if spot is None:
        return
    at, yaw, wood = (*spot, 0.0), room.facing(*spot), room.look(wooden(rng))
    room.put(Form.BOX, (0, 0, tall / 2), (*half, tall / 2), wood, at=at, yaw_rad=yaw)
    front = room.look(wooden(rng)) if rng.random() < 0.5 else wood
    for x in np.linspace(-half[0], half[0], int(rng.integers(2, 4)) + 1)[:-1]:
        step = half[0] / 2
        room.put(
            Form.BOX,
            (float(x) + step, -half[1], tall / 2),
            (step * 0.93, 0.012, tall / 2 - 0.03),
            front,
            at=at,
            yaw_rad=yaw,
        )
    for _ in range(int(rng.integers(0, 4)) if tall < 1.3 else 0):
        room.things += 1
        across = turned(yaw) @ [rng.uniform(-0.8, 0.8) * half[0], rng.uniform(-0.5, 0.5) * half[1], 0]
        _clutter(room, rng, (spot[0] + float(across[0]), spot[1] + float(across[1]), tall))


def _lamp(room: Room, rng: np.random.Generator) -> None:
    spot = room.free(rng, 0.25)
    if spot is None:
        return
    at, tall = (*spot, 0.0), float(rng.uniform(1.2, 1.7))
    metal = room.look(any_look(rng))
    shade = room.look(Look(Pattern.PLAIN, (0.95, 0.88, 0.7), (0.9, 0.8, 0.6), 0.2, 0.02, 0.0, 0.9))
    room.put(Form.FRUSTUM, (0, 0, 0.015), (0.15, 0.14, 0.015), metal, at=at)
    room.put(Form.FRUSTUM, (0, 0, tall / 2), (0.012, 0.012, tall / 2), metal, at=at)
    room.put(Form.FRUSTUM, (0, 0, tall), (0.22, 0.13, 0.14), shade, at=at)
    room.lights.append(Light(np.array([*spot, tall + 0.3]), np.array([1.0, 0.85, 0.6]) * 0.4))


def _plant(room: Room, rng: np.random.Generator) -> None:
    spot = room.free(rng, 0.3)
    if spot is None:
        return
    at, pot = (*spot, 0.0), room.look(any_look(rng))
    green = (float(rng.uniform(0.02, 0.1)), float(rng.uniform(0.1, 0.3)), 0.03)
    leaf = room.look(Look(Pattern.CLOUDS, green, (green[0] * 2, green[1] * 1.6, 0.06), 0.06, 0.1))
    room.put(Form.FRUSTUM, (0, 0, 0.16), (0.11, 0.16, 0.16), pot, at=at)
    tall = float(rng.uniform(0.5, 1.3))
    room.put(Form.FRUSTUM, (0, 0, 0.3 + tall / 3), (0.015, 0.01, tall / 3), pot, at=at)
    for _ in range(int(rng.integers(5, 14))):
        x, y = rng.normal(0, 0.13, 2)
        size = rng.uniform(0.05, 0.17, 3)
        place = (float(x), float(y), float(0.3 + rng.uniform(0.25, 1.0) * tall))
        room.put(
            Form.ELLIPSOID,
            place,
            (float(size[0]), float(size[1]), float(size[2])),
            leaf,
            at=at,
            yaw_rad=float(rng.uniform(0, 3)),
        )


def _boxes(room: Room, rng: np.random.Generator) -> None:
    spot = room.free(rng, 0.4)
    if spot is None:
        return
    z = 0.0
    for _ in range(int(rng.integers(1, 4))):
        half = rng.uniform(0.12, 0.3, 3)
        look = room.look(any_look(rng))
        room.put(
            Form.BOX,
            (0, 0, z + float(half[2])),
            (float(half[0]), float(half[1]), float(half[2])),
            look,
            at=(*spot, 0.0),
            yaw_rad=float(rng.uniform(0, 3)),
        )
        z += 2 * float(half[2])


def _clutter(room: Room, rng: np.random.Generator, on: tuple[float, float, float] | None) -> None:
    """A small thing on a table or on the floor."""
    if on is None:
        spot = room.free(rng, 0.15)
        if spot is None:
            return
        on = (*spot, 0.0)
    look, yaw = room.look(any_look(rng)), float(rng.uniform(0, 3))
    size = float(rng.uniform(0.03, 0.12))
    kind = int(rng.integers(4))
    if kind == 0:
        tall = size * float(rng.uniform(0.2, 1.5))
        room.put(
            Form.BOX, (0, 0, tall), (size, size * float(rng.uniform(0.4, 1)), tall), look, at=on, yaw_rad=yaw
        )
    elif kind == 1:
        room.put(Form.ELLIPSOID, (0, 0, size), (size, size, size), look, at=on)
    elif kind == 2:
        tall = size * float(rng.uniform(1, 2.2))
        room.put(
            Form.FRUSTUM, (0, 0, tall), (size * 0.6, size * float(rng.uniform(0.3, 0.8)), tall), look, at=on
        )
    else:
        room.put(Form.BOX, (0, 0, size * 1.6), (size * 2.2, 0.012, size * 1.4), look, at=on, yaw_rad=yaw)
        room.put(Form.BOX, (0, 0, 0.01), (size, size * 0.6, 0.01), look, at=on, yaw_rad=yaw)
