"""Views of a frame for training: drawn first, taken second, so that a view can be drawn again.

A view changes pixels, depth and camera together: a crop resized to the network's input is a longer lens, so its depth is
told to the network as the canonical camera would measure it (Yin et al., Metric3D, ICCV 2023).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage
from PIL import ImageEnhance, ImageFilter

from leadline.core.camera import Camera
from leadline.core.errors import DatasetError
from leadline.core.kind import Kind
from leadline.core.sample import Sample
from leadline.training.recipe import ViewRecipe

__all__ = ["Draw", "Frame", "View", "draw_shape", "draw_view", "pack", "take_view"]

MM_MAX = 65534


@dataclass(frozen=True, eq=False, slots=True)
class Frame:
    """A sample packed for training: pixels, millimetres, camera.

    Args:
        rgb_HW3: Pixels, uint8.
        depth_mm: Depth in whole millimetres, uint16; 0 where unknown.
        camera: The camera of both.
        known: Left, top, right, bottom of the window that holds all known depth.
        id: Of the sample it was packed from.
    """

    rgb_HW3: NDArray[np.uint8]
    depth_mm: NDArray[np.uint16]
    camera: Camera
    known: tuple[int, int, int, int]
    id: str = ""


@dataclass(frozen=True, slots=True)
class Draw:
    """What was drawn for one view.

    Args:
        window: Left, top, width and height of the crop in the frame's pixels.
        shape: Rows and columns of the view.
        flip: Whether it is mirrored.
        gamma: Exponent of the tone curve.
        gains: Factor of each channel, brightness included.
        saturation: Factor of the colours' distance from grey.
        blur_px: Radius of the blur; 0 for none.
        noise: Standard deviation of the noise in 8-bit steps; 0 for none.
        noise_seed: Start of the noise.
    """

    window: tuple[float, float, float, float]
    shape: tuple[int, int]
    flip: bool
    gamma: float
    gains: tuple[float, float, float]
    saturation: float
    blur_px: float
    noise: float
    noise_seed: int


@dataclass(frozen=True, eq=False, slots=True)
class View:
    """One training example.

    Args:
        rgb_HW3: Pixels at the network's resolution, uint8.
        depth_m: Depth as the canonical camera, where there is one, would measure it, at the network's output resolution; 0 where unknown.
        f_px: Focal length of the view in its own pixels.
    """

    rgb_HW3: NDArray[np.uint8]
    depth_m: NDArray[np.float32]
    f_px: float


def pack(sample: Sample, *, far_m: float = math.inf) -> Frame:
    """Packs a sample small enough for a whole dataset to stay in memory.

    Args:
        sample: A photo with metric depth along the axis.
        far_m: What lies beyond counts as unknown.

    Returns:
        The frame; its depth is rounded to millimetres.

    Raises:
        DatasetError: The truth is of another kind, or has no known pixel.
    """
    truth = sample.truth
    if truth.kind != Kind():
        raise DatasetError(
            f"sample {sample.id!r} holds {truth.kind.words}, not metres along the axis",
            hint="train on metric depth",
        )
    valid = truth.valid & (np.nan_to_num(truth.values) <= far_m)
    rows, columns = np.nonzero(valid)
    if not rows.size:
        raise DatasetError(f"sample {sample.id!r} has no pixel of known depth", hint="leave it out")
    mm = np.where(valid, np.clip(np.nan_to_num(truth.values) * 1000 + 0.5, 1, MM_MAX), 0).astype(np.uint16)
    known = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
    return Frame(sample.image.rgb_HW3, mm, sample.image.camera, known, sample.id)


def draw_shape(rng: np.random.Generator, *, recipe: ViewRecipe) -> tuple[int, int]:
    """Draws the shape of a batch.

    Args:
        rng: Source of randomness.
        recipe: Shapes and their frequencies.

    Returns:
        Rows and columns.
    """
    weights = np.array([shape[2] for shape in recipe.shapes], float)
    rows, columns, _ = recipe.shapes[int(rng.choice(len(weights), p=weights / weights.sum()))]
    return rows, columns


def draw_view(rng: np.random.Generator, *, frame: Frame, shape: tuple[int, int], recipe: ViewRecipe) -> Draw:
    """Draws a view of a frame. The frame's size is looked at, its pixels are not.

    Args:
        rng: Source of randomness; the same number of draws is taken whatever they say.
        frame: The frame.
        shape: Rows and columns of the view.
        recipe: Ranges and chances.

    Returns:
        The drawn view.
    """
    chance = rng.random(5)
    signed = rng.uniform(-1, 1, 9)
    share = rng.random(3)
    brightness = 1 + recipe.brightness_jitter * signed[0]
    red, green, blue = (float(brightness * (1 + recipe.channel_jitter * s)) for s in signed[1:4])
    return Draw(
        window=_window(chance[0], share, signed[4], frame, shape, recipe),
        shape=shape,
        flip=bool(chance[1] < recipe.flip_chance),
        gamma=float(math.exp(recipe.gamma_jitter * signed[5])),
        gains=(red, green, blue),
        saturation=float(1 + recipe.saturation_jitter * signed[6]),
        blur_px=float(recipe.blur_max_px * abs(signed[7])) if chance[2] < recipe.blur_chance else 0.0,
        noise=float(recipe.noise_max * abs(signed[8])) if chance[3] < recipe.noise_chance else 0.0,
        noise_seed=int(chance[4] * 2**32),
    )


def _window(
    chance: float,
    share: NDArray[np.float64],
    signed: float,
    frame: Frame,
    shape: tuple[int, int],
    recipe: ViewRecipe,
) -> tuple[float, float, float, float]:
    height, width = frame.depth_mm.shape
    aspect = shape[1] / shape[0]
    fits = abs(math.log(aspect * height / width)) <= recipe.aspect_jitter
    if fits and chance < recipe.whole_frame_chance:
        return 0.0, 0.0, float(width), float(height)
    left, top, right, bottom = frame.known
    aspect *= math.exp(recipe.aspect_jitter * signed)
    zoom = recipe.smallest_zoom + (1 - recipe.smallest_zoom) * share[0]
    rows = zoom * min(bottom - top, (right - left) / aspect)
    columns = rows * aspect
    return (
        float(left + share[1] * (right - left - columns)),
        float(top + share[2] * (bottom - top - rows)),
        float(columns),
        float(rows),
    )


def take_view(frame: Frame, *, draw: Draw, canonical_f_px: float | None, output_stride: int) -> View:
    """Takes a drawn view of a frame.

    Args:
        frame: The frame.
        draw: What was drawn for it.
        canonical_f_px: Focal length of the camera the network predicts for; None leaves depth as it is.
        output_stride: Ratio of the network's input to its output resolution.

    Returns:
        The view.
    """
    left, top, columns, rows = draw.window
    height, width = draw.shape
    box = (left, top, left + columns, top + rows)
    photo = PilImage.fromarray(frame.rgb_HW3).resize((width, height), PilImage.Resampling.BILINEAR, box=box)
    depth_mm = _nearest(frame.depth_mm, draw.window, (height // output_stride, width // output_stride))
    f_px = math.sqrt(frame.camera.fx * width / columns * frame.camera.fy * height / rows)
    zoom = 1.0 if canonical_f_px is None else canonical_f_px / f_px
    depth_m = depth_mm.astype(np.float32) * np.float32(zoom / 1000)
    rgb = _coloured(photo, draw)
    if draw.flip:
        rgb, depth_m = rgb[:, ::-1], depth_m[:, ::-1]
    return View(np.ascontiguousarray(rgb), np.ascontiguousarray(depth_m), f_px)


def _nearest(
    plane: NDArray[np.uint16], window: tuple[float, float, float, float], shape: tuple[int, int]
) -> NDArray[np.uint16]:
    left, top, columns, rows = window
    r = np.clip((top + (np.arange(shape[0]) + 0.5) * rows / shape[0]).astype(int), 0, plane.shape[0] - 1)
    c = np.clip((left + (np.arange(shape[1]) + 0.5) * columns / shape[1]).astype(int), 0, plane.shape[1] - 1)
    return plane[np.ix_(r, c)]


def _coloured(photo: PilImage.Image, draw: Draw) -> NDArray[np.uint8]:
    if draw.blur_px:
        photo = photo.filter(ImageFilter.GaussianBlur(draw.blur_px))
    tone = (np.arange(256) / 255) ** draw.gamma
    table = np.concatenate([np.clip(255 * gain * tone + 0.5, 0, 255) for gain in draw.gains]).astype(int)
    photo = ImageEnhance.Color(photo.point(table.tolist())).enhance(draw.saturation)
    rgb = np.asarray(photo)
    if draw.noise:
        grain = np.random.default_rng(draw.noise_seed).normal(0, draw.noise, rgb.shape)
        rgb = np.clip(rgb + grain + 0.5, 0, 255).astype(np.uint8)
    return rgb
