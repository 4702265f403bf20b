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
from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError
from leadline.core.kind import Freedom, Kind
from leadline.core.sample import Sample
from leadline.ops.geometry import to_axis, to_depth
from leadline.ops.resize import resize
from leadline.training.recipe import ViewRecipe

__all__ = ["Draw", "Frame", "View", "draw_shape", "draw_view", "pack", "take_view"]

STEPS_MAX = 65534
FINE, COARSE = 1000, 100
"""Steps of depth in a metre, near and far."""
ASPECT_TOLERANCE = 0.03


@dataclass(frozen=True, eq=False, slots=True)
class Frame:
    """A sample packed for training: pixels, millimetres, camera.

    Args:
        rgb_HW3: Pixels, uint8.
        depth_mm: Depth in whole steps, uint16; 0 where unknown.
        camera: The camera of both.
        known: Left, top, right, bottom of the window that holds all known depth.
        id: The sample it was packed from.
        steps_per_m: Steps of depth in a metre: 1000 are millimetres.
    """

    rgb_HW3: NDArray[np.uint8]
    depth_mm: NDArray[np.uint16]
    camera: Camera
    known: tuple[int, int, int, int]
    id: str = ""
    steps_per_m: int = 1000


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
        The frame; its depth is rounded to millimetres, or to centimetres where it reaches beyond 65 m.

    Raises:
        DatasetError: The truth is not in metres, has no known pixel, or is of another shape than the photo.
    """
    truth = _truth_of(sample)
    valid = truth.valid & (np.nan_to_num(truth.values) <= far_m)
    rows, columns = np.nonzero(valid)
    if not rows.size:
        within = "" if math.isinf(far_m) else f" within {far_m:g} m"
        raise DatasetError(f"sample {sample.id!r} has no pixel of known depth{within}", hint="leave it out")
    depth_m = np.nan_to_num(truth.values, posinf=0)
    steps_per_m = FINE if float(depth_m[valid].max()) * FINE <= STEPS_MAX else COARSE
    steps = np.where(valid, np.clip(depth_m * steps_per_m + 0.5, 1, STEPS_MAX), 0).astype(np.uint16)
    known = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
    return Frame(sample.image.rgb_HW3, steps, sample.image.camera, known, sample.id, steps_per_m)


def _truth_of(sample: Sample) -> DepthMap:
    """The truth in metres along the axis, at the photo's size."""
    truth, image = sample.truth, sample.image
    if truth.kind.freedom is not Freedom.NONE:
        raise DatasetError(
            f"sample {sample.id!r} holds {truth.kind.words}, not metres", hint="train on metric depth"
        )
    if truth.shape != (image.height, image.width):
        if abs(math.log(truth.width * image.height / (truth.height * image.width))) > ASPECT_TOLERANCE:
            raise DatasetError(
                f"sample {sample.id!r} has a photo of {image.width}x{image.height} and a depth of "
                f"{truth.width}x{truth.height}, which are not of one shape",
                hint="check that they belong together: leadline data doctor",
            )
        truth = resize(truth, height=image.height, width=image.width)
    return truth if truth.kind == Kind() else to_axis(to_depth(truth))


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
    depth_m = depth_mm.astype(np.float32) * np.float32(zoom / frame.steps_per_m)
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
