"""Pictures that show what the data doctor found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.image import Image
from leadline.ops.colour import ColourOptions, picture

__all__ = ["card", "lens_picture", "levels_picture", "pair_picture", "titled", "two_photos"]

_EDGE, _INK, _PAPER = (255, 40, 40), (34, 34, 34), (255, 255, 255)
_LINE, _MARGIN = 18, 8
_BAND_M = 0.4

Panel = tuple[str, NDArray[np.uint8]]


def pair_picture(image: Image, depth: DepthMap) -> NDArray[np.uint8]:
    """The photo, its depth with a scale, and the photo with the edges of depth drawn over it in red.

    Args:
        image: The photo.
        depth: Its depth, of the same size.

    Returns:
        uint8 (H, W, 3).
    """
    values = np.where(depth.valid, depth.values, np.nan)
    rise, run = np.gradient(values)
    with np.errstate(invalid="ignore"):
        edge = np.hypot(rise, run) / np.abs(values) > 0.06
    over = image.rgb_HW3.copy()
    over[edge] = _EDGE
    return _row([("photo", image.rgb_HW3), ("depth", picture(depth)), ("edges of depth on the photo", over)])


def levels_picture(image: Image, depth: DepthMap) -> NDArray[np.uint8]:
    """The photo, its depth with a scale, and depth in colours that run round every 40 cm, so that steps are bands.

    Args:
        image: The photo.
        depth: Its depth, of the same size.

    Returns:
        uint8 (H, W, 3).
    """
    folded = np.where(depth.valid, np.mod(np.nan_to_num(depth.values), _BAND_M) + 0.01, np.nan)
    bands = DepthMap(folded.astype(np.float32), depth.kind, valid=depth.valid)
    colours = ColourOptions("turbo", (0.0, _BAND_M + 0.02))
    return _row(
        [
            ("photo", image.rgb_HW3),
            ("depth", picture(depth)),
            ("depth, colours run round every 40 cm", picture(bands, options=colours)),
        ]
    )


def lens_picture(image: Image, camera: Camera) -> NDArray[np.uint8]:
    """The photo with its middle and with the principal point that the camera has, or that point's side where outside.

    Args:
        image: The photo, of any size.
        camera: The camera, at the photo's own size.

    Returns:
        uint8 (H, W, 3).
    """
    from PIL import Image as PilImage
    from PIL import ImageDraw

    sheet = PilImage.fromarray(image.rgb_HW3)
    draw = ImageDraw.Draw(sheet)
    scale = image.width / camera.width
    x = float(np.clip(camera.cx * scale, 3, image.width - 4))
    y = float(np.clip(camera.cy * scale, 3, image.height - 4))
    for (u, v), ink in (((image.width / 2, image.height / 2), _PAPER), ((x, y), _EDGE)):
        draw.line([(u - 9, v), (u + 9, v)], ink, 3)
        draw.line([(u, v - 9), (u, v + 9)], ink, 3)
    words = f"white: the middle; red: the camera's centre ({camera.cx:.4g}, {camera.cy:.4g})"
    return _row([(words, np.asarray(sheet))])


def two_photos(first: Image, second: Image, names: tuple[str, str]) -> NDArray[np.uint8]:
    """Two photos side by side.

    Args:
        first: One.
        second: The other.
        names: What to call them.

    Returns:
        uint8 (H, W, 3).
    """
    return _row([(names[0], first.rgb_HW3), (names[1], second.rgb_HW3)])


def card(lines: Sequence[str]) -> NDArray[np.uint8]:
    """Words alone, for what has nothing to be seen: a file that is not there.

    Args:
        lines: Long ones are wrapped.

    Returns:
        uint8 (H, W, 3).
    """
    return _text([part for line in lines for part in _wrapped(line, 720)], 720)


def titled(headline: str, body: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture under a headline.

    Args:
        headline: One sentence; it is wrapped to the picture's width.
        body: The picture.

    Returns:
        uint8 (H, W, 3).
    """
    return np.concatenate([_text(_wrapped(headline, body.shape[1]), body.shape[1]), body])


def _row(panels: Sequence[Panel]) -> NDArray[np.uint8]:
    """Panels beside each other, each under its name, with white between."""
    height = max(body.shape[0] for _, body in panels)
    laid = []
    for name, body in panels:
        named = np.concatenate([_text(_wrapped(name, body.shape[1]), body.shape[1], lines=2), body])
        missing = height + named.shape[0] - body.shape[0] - named.shape[0]
        laid.append(np.pad(named, ((0, missing), (0, _MARGIN), (0, 0)), constant_values=255))
    return np.concatenate(laid, 1)


def _font() -> object:
    from PIL import ImageFont

    return ImageFont.load_default(13)


def _wrapped(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, max(12, int((width - 2 * _MARGIN) / 6.6))) or [""]


def _text(words: Sequence[str], width: int, *, lines: int = 0) -> NDArray[np.uint8]:
    from PIL import Image as PilImage
    from PIL import ImageDraw

    sheet = PilImage.new("RGB", (width, _LINE * max(len(words), lines) + _MARGIN), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, line in enumerate(words):
        draw.text((_MARGIN, _MARGIN // 2 + number * _LINE), line, _INK, _font())  # type: ignore[arg-type]
    return np.asarray(sheet)
