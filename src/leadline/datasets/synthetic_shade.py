"""Light on made-up rooms, and what a camera makes of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.datasets.synthetic_looks import reflectance
from leadline.datasets.synthetic_rooms import Room
from leadline.datasets.synthetic_shapes import Array, Form, Surface

__all__ = ["developed", "lit"]

_EDGE_M, _CONTACT_M = 0.22, 0.14


def lit(room: Room, seen: Surface, *, eye_m: Array, pixel_m: Array) -> NDArray[np.float32]:
    """Light that each seen surface element sends to the camera.

    Diffuse light of every lamp, a little mirrored light, light from all around that is dimmed along edges of the room and
    under furniture.

    Args:
        room: Its looks and lamps.
        seen: What is seen.
        eye_m: Where the camera is.
        pixel_m: Width of a pixel on the surface, seen squarely.

    Returns:
        Linear light, float32 (N, 3).
    """
    colour, gloss, glow = _colours(room, seen, eye_m, pixel_m)
    points, normals = seen.points_m.astype(np.float32), seen.normals.astype(np.float32)
    total = np.asarray(room.ambient, np.float32) * _openness(room, seen)[:, None]
    toward = np.asarray(eye_m, np.float32) - points
    toward /= _length(toward)
    shine = np.zeros((len(points), 1), np.float32)
    for lamp in room.lights:
        ray = np.asarray(lamp.place_m, np.float32) - points
        far = _length(ray)
        ray /= far
        facing = np.maximum(np.einsum("ij,ij->i", normals, ray), 0)[:, None]
        power = np.asarray(lamp.power, np.float32)
        reach = 1 / (np.float32(0.6) + np.float32(0.25) * far**2)
        total += power * (facing * reach)
        half = ray + toward
        half /= _length(half) + np.float32(1e-6)
        mirrored = np.maximum(np.einsum("ij,ij->i", normals, half), 0)[:, None]
        for _ in range(5):
            mirrored *= mirrored
        shine += mirrored * reach * power.mean()
    sent: NDArray[np.float32] = colour * (total + glow[:, None]) + gloss[:, None] * shine
    return sent


def developed(light_HW3: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A photo of the light: exposure, white balance, vignette, grain, sRGB.

    Args:
        light_HW3: Linear light.
        rng: The source of chance.

    Returns:
        uint8 (H, W, 3).
    """
    height, width, _ = light_HW3.shape
    level = float(np.quantile(light_HW3.mean(-1), 0.85)) + 1e-3
    gain = rng.uniform(0.4, 0.85) / level * (1 + rng.normal(0, 0.05, 3))
    v, u = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    vignette = 1 - rng.uniform(0, 0.3) * (u * u + v * v) / 2
    exposed = light_HW3 * gain.astype(np.float32) * vignette[..., None].astype(np.float32)
    rolled = np.where(exposed > 0.7, 0.7 + 0.3 * np.tanh((exposed - 0.7) / 0.3), exposed)
    grain = rng.standard_normal(rolled.shape, np.float32) * np.float32(rng.uniform(0.002, 0.014))
    linear = np.clip(rolled + grain * np.sqrt(np.maximum(rolled, 0.02)), 0, 1)
    shown = np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-8) ** (1 / 2.4) - 0.055
    )
    return np.asarray(np.rint(shown * 255), np.uint8)


def _colours(
    room: Room, seen: Surface, eye_m: Array, pixel_m: Array
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Reflectance, gloss and glow of each element."""
    table = np.array([shape.looks for shape in room.shapes])
    look = table[seen.which, seen.faces]
    toward = eye_m - seen.points_m
    far = np.sqrt(np.einsum("ij,ij->i", toward, toward))
    squint = np.abs(np.einsum("ij,ij->i", toward, seen.normals)) / np.maximum(far, 1e-6)
    footprint = (pixel_m / np.maximum(squint, 0.08)).astype(np.float32)
    s_m, t_m = _coordinates(room, seen)
    colour = np.empty((len(look), 3), np.float32)
    order = np.argsort(look, kind="stable")
    numbers, starts = np.unique(look[order], return_index=True)
    for number, part in zip(numbers, np.split(order, starts[1:]), strict=True):
        colour[part] = reflectance(room.looks[number], s_m[part], t_m[part], footprint_m=footprint[part])
    gloss = np.array([item.gloss for item in room.looks], np.float32)[look]
    glow = np.array([item.glow for item in room.looks], np.float32)[look]
    return colour, gloss, glow


def _coordinates(room: Room, seen: Surface) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Surface coordinates: two of the shape's own axes on flat faces, along and about the axis on round ones."""
    own, axis = seen.own_m.astype(np.float32), seen.faces // 2
    s = np.where(axis == 0, own[:, 1], own[:, 0])
    t = np.where(axis == 2, own[:, 1], own[:, 2])
    round_ones = np.array([shape.form in (Form.ELLIPSOID, Form.FRUSTUM) for shape in room.shapes])
    side = round_ones[seen.which] & (seen.faces < 4)
    angle = np.arctan2(own[:, 1], own[:, 0]) * np.hypot(own[:, 0], own[:, 1])
    return np.where(side, angle, s).astype(np.float32), np.where(side, own[:, 2], t).astype(np.float32)


def _openness(room: Room, seen: Surface) -> NDArray[np.float32]:
    """How much of the light from all around arrives: less along the room's edges and where things stand on it."""
    points = seen.points_m.astype(np.float32)
    x, y, z = (np.ascontiguousarray(points[:, k]) for k in range(3))
    a, b = np.float32(room.half_m[0]) - np.abs(x), np.float32(room.half_m[1]) - np.abs(y)
    c = np.minimum(z, np.float32(room.height_m) - z)
    second = np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))
    open_ = 1 - np.float32(0.45) * np.exp(-second / np.float32(_EDGE_M))
    floor = np.nonzero(z < 0.03)[0]
    if len(floor):
        open_[floor] *= _contact(room, x[floor], y[floor])
    return np.asarray(open_, np.float32)


def _contact(room: Room, x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float32]:
    """What is left of that light on the floor beside things that stand on it."""
    near = np.full(len(x), np.float32(9.0))
    for shape in room.shapes[1:]:
        if shape.centre_m[2] - shape.reach_m[2] > 0.6:
            continue
        dx, dy = x - np.float32(shape.centre_m[0]), y - np.float32(shape.centre_m[1])
        reach = float(np.hypot(shape.reach_m[0], shape.reach_m[1])) + 4 * _CONTACT_M
        close = np.nonzero((np.abs(dx) < reach) & (np.abs(dy) < reach))[0]
        if not len(close):
            continue
        R = shape.R_world_own.astype(np.float32)
        u = np.abs(dx[close] * R[0, 0] + dy[close] * R[1, 0]) - np.float32(shape.reach_m[0])
        v = np.abs(dx[close] * R[0, 1] + dy[close] * R[1, 1]) - np.float32(shape.reach_m[1])
        gap = np.hypot(np.maximum(u, 0), np.maximum(v, 0))
        near[close] = np.minimum(near[close], gap)
    return np.asarray(1 - np.float32(0.5) * np.exp(-near / np.float32(_CONTACT_M)), np.float32)


def _length(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Lengths of vectors, (N, 1)."""
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", vectors, vectors)), np.float32)[:, None]
