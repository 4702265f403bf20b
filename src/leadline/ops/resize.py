"""Resizing that changes values, masks and camera together (law 5)."""

from __future__ import annotations

from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.image import Image
from leadline.core.kind import Freedom, Quantity

__all__ = ["resize"]


@overload
def resize(value: Image, *, width: int, height: int) -> Image: ...
@overload
def resize(value: DepthMap, *, width: int, height: int) -> DepthMap: ...
def resize(value: Image | DepthMap, *, width: int, height: int) -> Image | DepthMap:
    """A photo or a depth map at another size, with its camera.

    Photos are resized with Pillow's antialiased bilinear filter. So is depth, but only among valid pixels: an unknown
    pixel or the sky is never mixed into a distance. A target pixel is valid where the source pixel under its centre
    is (where the centre lies on the border of several, where any of them is); the same goes for sky.

    Convention:
        cx' = (cx + 0.5) s - 0.5. Depth below AFFINE is blended in inverse depth, in which planes are linear, so that
        a flat wall stays flat; at AFFINE, where it cannot be inverted, it is blended as it is.

    Args:
        value: What to resize.
        width: New width in pixels.
        height: New height in pixels.

    Returns:
        The resized value; the very same object where the size is the same.

    Raises:
        InputError: A size that is not a whole number of pixels of at least 1.

    Example:
        >>> from leadline.core.kind import Kind
        >>> wall = DepthMap(np.full((4, 6), 2.0), Kind())
        >>> resize(wall, width=3, height=2)
        DepthMap 2x3, metres, 2 to 2
    """
    for name, size in (("width", width), ("height", height)):
        if not isinstance(size, (int, np.integer)) or size < 1:
            raise InputError(
                f"cannot resize to {name} {size!r}", hint="give a whole number of pixels, at least 1"
            )
    if (value.width, value.height) == (width, height):
        return value
    if isinstance(value, Image):
        return _resized_image(value, width, height)
    return _resized_depth(value, width, height)


def _resized_image(image: Image, width: int, height: int) -> Image:
    pixels = _filtered(image.rgb_HW3, width, height)
    return Image(pixels, image.camera.resized(width, height), image.source)


def _resized_depth(depth: DepthMap, width: int, height: int) -> DepthMap:
    invert = depth.kind.quantity is Quantity.DEPTH and depth.kind.freedom < Freedom.AFFINE
    valid = _at_centres(depth.valid, width, height)
    infinite = _at_centres(depth.infinite, width, height) & ~valid
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        there: NDArray[np.float32] = np.reciprocal(depth.values) if invert else depth.values
        known = np.where(depth.valid, there, np.float32(0))
        blend: NDArray[np.float32] = _filtered(known, width, height)
        if not bool(depth.valid.all()):
            blend = blend / _filtered(depth.valid.astype(np.float32), width, height)
        values = np.reciprocal(blend) if invert else blend
        valid &= np.isfinite(values)
        if depth.kind.freedom < Freedom.AFFINE:
            valid &= values > 0
    camera = None if depth.camera is None else depth.camera.resized(width, height)
    return DepthMap(values, depth.kind, valid, infinite, camera, depth.scale_uncertain)


def _filtered(array: NDArray[Any], width: int, height: int) -> NDArray[Any]:
    from PIL import Image as PilImage

    resized = PilImage.fromarray(array).resize((width, height), PilImage.Resampling.BILINEAR)
    pixels = np.asarray(resized)
    pixels.flags.writeable = False
    return pixels


def _at_centres(mask: NDArray[np.bool_], width: int, height: int) -> NDArray[np.bool_]:
    """Whether any source pixel that the centre of a target pixel lies in, or on the border of, is marked."""
    rows, columns = _sources(height, mask.shape[0]), _sources(width, mask.shape[1])
    marked = np.zeros((height, width), bool)
    for row in rows:
        for column in columns:
            marked |= mask[np.ix_(row, column)]
    return marked


def _sources(target: int, source: int) -> tuple[NDArray[np.int64], ...]:
    """Source pixels under the centres of target pixels, exact in whole numbers; two arrays where a centre is on a border."""
    doubled = (2 * np.arange(target, dtype=np.int64) + 1) * source
    at = doubled // (2 * target)
    on_border = doubled % (2 * target) == 0
    return (at, at - on_border) if bool(on_border.any()) else (at,)
