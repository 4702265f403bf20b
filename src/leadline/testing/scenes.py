"""Scenes whose depth is known in closed form, with photos that go with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.image import Image
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.core.results import ModelRecord, Prediction

__all__ = ["as_kind", "noise_photo", "plane", "prediction_of", "prompt_for", "sphere"]

_RECORD = ModelRecord("closed-form", version="1", licence="Apache-2.0", commercial="yes", engine="none")


def noise_photo(height: int, width: int, *, seed: int = 0, f_px: float | None = None) -> Image:
    """A photo of random pixels, the same for the same seed.

    Args:
        height: Rows.
        width: Columns.
        seed: Which one.
        f_px: Focal length in pixels; the ASSUMED camera where None.

    Returns:
        The photo.

    Example:
        >>> noise_photo(2, 3)
        Image 2x3, camera assumed 63°, 'array'
    """
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return Image.from_array(pixels, camera=None if f_px is None else Camera.centred(f_px, width, height))


def prompt_for(photo: Image, kind: Kind) -> DepthMap:
    """A low-resolution depth map that goes with a photo, for models that are prompted: a floor, a third of its size.

    Args:
        photo: The photo.
        kind: What the numbers shall mean.

    Returns:
        Depth that grows upwards, from 1 to 3.

    Example:
        >>> prompt_for(noise_photo(9, 12), Kind())
        DepthMap 3x4, metres, 1 to 3
    """
    height, width = max(1, round(photo.height / 3)), max(1, round(photo.width / 3))
    rows = np.linspace(3, 1, height, dtype=np.float32) if height > 1 else np.full(1, 2, np.float32)
    return DepthMap(np.repeat(rows[:, None], width, 1), kind)


def plane(camera: Camera, *, normal: tuple[float, float, float], distance_m: float) -> DepthMap:
    """A plane: all points X with n·X = d.

    Convention:
        OpenCV axes; the plane faces the camera where the normal points forward. Depth is along the axis:
        z = d / (n·r) with r = ((u - cx) / fx, (v - cy) / fy, 1).

    Args:
        camera: Who sees it.
        normal: Unit normal n.
        distance_m: Distance d from the camera.

    Returns:
        Metric depth; invalid where the ray does not meet the plane.

    Example:
        >>> plane(Camera.assumed(4, 3), normal=(0.0, 0.0, 1.0), distance_m=2.0).range()
        (2.0, 2.0)
    """
    along = _rays(camera) @ np.asarray(normal)
    with np.errstate(divide="ignore"):
        z_m = distance_m / along
    return DepthMap(np.where((along > 0) & np.isfinite(z_m), z_m, 0.0), Kind(), camera=camera)


def sphere(camera: Camera, *, centre_m: tuple[float, float, float], radius_m: float) -> DepthMap:
    """A ball before the sky.

    Convention:
        OpenCV axes; depth along the axis, from the nearer root of |t r - c|² = R².

    Args:
        camera: Who sees it.
        centre_m: Its centre c.
        radius_m: Its radius R.

    Returns:
        Metric depth; infinite where the ray misses the ball.

    Example:
        >>> near, _ = sphere(Camera.assumed(5, 5), centre_m=(0, 0, 3), radius_m=1).range()
        >>> near
        2.0
    """
    rays, centre = _rays(camera), np.asarray(centre_m, np.float64)
    a, b = (rays**2).sum(-1), rays @ centre
    inside = b**2 - a * (centre @ centre - radius_m**2)
    hit = inside > 0
    z_m = (b - np.sqrt(np.where(hit, inside, 0.0))) / a
    return DepthMap(np.where(hit, z_m, np.inf), Kind(), camera=camera)


def as_kind(depth: DepthMap, kind: Kind) -> DepthMap:
    """A metric scene as a model of another kind would give it: inverted, scaled by 0.5, shifted by 0.25.

    Args:
        depth: Metric depth along the axis, with a camera.
        kind: The kind wanted.

    Returns:
        The map; what is unknown to the kind is made up as said.
    """
    values = depth.values.astype(np.float64)
    if kind.along.value == "ray" and depth.camera is not None:
        values = values * np.linalg.norm(_rays(depth.camera), axis=-1)
    if kind.quantity is Quantity.INVERSE:
        values = 1 / values
    values = values * (1.0 if kind.freedom is Freedom.NONE else 0.5)
    values = values + (0.25 if kind.freedom is Freedom.AFFINE else 0.0)
    return replace(depth, values=values.astype(np.float32), kind=kind)


def prediction_of(depth: DepthMap) -> Prediction:
    """A prediction that holds a scene's depth, with a photo of random pixels.

    Args:
        depth: The depth.

    Returns:
        The prediction; its uncertainty is a twentieth of each value, and NaN where none is known.
    """
    photo = noise_photo(depth.height, depth.width, seed=1)
    camera = depth.camera or photo.camera
    spread = np.where(depth.valid, np.abs(depth.values) / 20, np.nan).astype(np.float32)
    shown = replace(photo, camera=camera, source="closed-form")
    return Prediction(shown, depth, _RECORD, uncertainty=spread)


def _rays(camera: Camera) -> NDArray[np.float64]:
    u, v = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
    x, y = (u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy
    return np.stack([x, y, np.ones_like(x)], -1)
