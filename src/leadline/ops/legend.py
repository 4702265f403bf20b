"""The strip under a coloured depth map that says what its colours mean."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.kind import Along, Freedom, Quantity
from leadline.ops.colormaps import SKY, UNKNOWN

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

__all__ = ["Words", "legend", "round_ticks"]

_PAPER, _INK, _FAINT, _EDGE = (255, 255, 255), (34, 34, 34), (120, 120, 120), (205, 205, 205)


@dataclass(frozen=True, slots=True)
class Words:
    """What a legend says.

    Args:
        titles: What is measured, the longest first; the first that there is room for is drawn.
        unit: Unit of the numbers; empty for values without one, whose ends are named instead of numbered.
        ends: Names of the two ends.
    """

    titles: tuple[str, ...]
    unit: str
    ends: tuple[str, str] = ("near", "far")


def legend(
    depth: DepthMap,
    *,
    span: tuple[float, float] | None,
    table: NDArray[np.uint8],
    words: Words | None = None,
) -> NDArray[np.uint8]:
    """A legend as wide as the map: what is measured, a bar from near to far, and round numbers in the unit.

    What does not fit is left out: first the key to sky and unknown pixels, then words, then numbers.

    Args:
        depth: The map.
        span: The values that get the first and the last colour; None where no pixel is valid.
        table: The colours, uint8, shape (256, 3).
        words: What it says, where the map's values are not the depth that its kind says.

    Returns:
        uint8, shape (h, W, 3).
    """
    from PIL import Image as PilImage
    from PIL import ImageDraw

    font = _font(depth)
    size, margin = int(font.size), min(round(0.8 * font.size), depth.width // 8)
    inner = depth.width - 2 * margin
    said = words if words and span else _words(depth, span)
    title = next((text for text in said.titles if font.getlength(text) <= inner), "")
    labels = [] if span is None else _labels(depth, span, font, inner, said)
    bar = round(0.6 * size) + (round(1.45 * size) if title else 0)
    bottom = bar + (round(0.8 * size) if span else 0)
    height = bottom + (round(1.6 * size) if labels else 0) + round(0.6 * size if span else 0)
    sheet = PilImage.new("RGB", (depth.width, max(height, 1)), _PAPER)
    draw = ImageDraw.Draw(sheet)
    if title:
        draw.text((margin, round(1.05 * size)), title, _INK, font, anchor="lm")
        _draw_key(draw, depth, font, margin, font.getlength(title) + 1.5 * size)
    for x, text in labels:
        draw.line([(margin + x, bottom), (margin + x, bottom + size // 3)], _FAINT, max(1, size // 14))
        left = min(max(x - font.getlength(text) / 2, 0), inner - font.getlength(text))
        draw.text((margin + left, bottom + 1.05 * size), text, _INK, font, anchor="lm")
    strip, edge = np.array(sheet), min(margin, max(1, size // 18))
    if span:
        strip[bar - edge : bottom + edge, margin - edge : margin + inner + edge] = _EDGE
        strip[bar:bottom, margin : margin + inner] = _gradient(span, table, inner)
    return strip


def round_ticks(low: float, high: float, *, most: int) -> tuple[list[float], int]:
    """Round numbers between two values: multiples of 1, 2 or 5 times a power of ten.

    Args:
        low: The smaller value.
        high: The larger value.
        most: How many there may be, at least 1.

    Returns:
        The numbers in rising order, and how many decimals they need.

    Example:
        >>> round_ticks(0.9, 6.3, most=6)
        ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 0)
    """
    power = math.floor(math.log10((high - low) / most))
    for exponent, factor in ((power + more, factor) for more in (0, 1) for factor in (1, 2, 5)):
        step = factor * 10.0**exponent
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            break
    return [n * step for n in range(first, last + 1)], max(0, -exponent)


def _font(depth: DepthMap) -> FreeTypeFont:
    """Pillow's own font, sized by the picture: 17 pixels in one of 640x480."""
    from PIL import ImageFont

    size = min(max(round(0.026 * min(depth.width, 1.5 * depth.height)), 11), 160)
    return cast("FreeTypeFont", ImageFont.load_default(size))


def _words(depth: DepthMap, span: tuple[float, float] | None) -> Words:
    """What the legend of a map of depth says."""
    if span is None:
        return Words(("no valid pixel",), "")
    name = depth.kind.quantity.value.replace("-", " ")
    ray = " along the ray" if depth.kind.along is Along.RAY else ""
    if depth.kind.freedom is not Freedom.NONE:
        return Words((depth.kind.words, f"{name}{ray}, unit unknown", "unit unknown"), "")
    unit = "metres" if depth.kind.quantity is Quantity.DEPTH else "1/metres"
    doubt = " (scale uncertain)" if depth.scale_uncertain else ""
    titles = (f"{name} in {unit}{ray}{doubt}", f"{unit}{ray}{doubt}", f"{unit}{doubt}")
    return Words(titles, depth.kind.unit)


def _labels(
    depth: DepthMap, span: tuple[float, float], font: FreeTypeFont, inner: int, words: Words
) -> list[tuple[float, str]]:
    """Texts under the bar and where they belong, in pixels from its left end; the ends come first, none overlap."""
    gap = 0.7 * font.size
    placed: list[tuple[float, float]] = []
    labels = []
    for x, text in _wanted(depth, span, font, inner, words):
        length = font.getlength(text)
        left = min(max(x - length / 2, 0), inner - length)
        if left >= 0 and all(left >= end + gap or left + length <= start - gap for start, end in placed):
            placed.append((left, left + length))
            labels.append((x, text))
        elif len(labels) < 2:
            return []
    return labels


def _wanted(
    depth: DepthMap, span: tuple[float, float], font: FreeTypeFont, inner: int, words: Words
) -> Iterator[tuple[float, str]]:
    """Every text that would be good to have, the two ends first."""
    low, high = span
    near, far = (low, high) if depth.kind.quantity is Quantity.DEPTH else (high, low)
    unit = words.unit
    if not unit:
        yield from zip((0.0, inner - 1.0), words.ends, strict=True)
        return
    if low == high:
        yield inner / 2, f"{low:.4g} {unit}"
        return
    decimals = min(max(0, 1 - math.floor(math.log10(high - low))), 9)
    yield 0.0, f"{near:.{decimals}f} {unit}"
    yield inner - 1.0, f"{far:.{decimals}f} {unit}"
    ticks, digits = round_ticks(low, high, most=max(1, int(inner / (4.5 * font.size))))
    for tick in ticks:
        yield (tick - near) / (far - near) * (inner - 1), f"{tick:.{digits}f}"


def _gradient(span: tuple[float, float], table: NDArray[np.uint8], inner: int) -> NDArray[np.uint8]:
    """The colours from near on the left to far on the right; the one colour in use where all values are the same."""
    ramp = np.linspace(255, 0, inner) if span[0] < span[1] else np.full(inner, 128)
    return table[np.round(ramp).astype(np.uint8)][None]


def _draw_key(draw: ImageDraw, depth: DepthMap, font: FreeTypeFont, margin: int, taken: float) -> None:
    """Swatches for sky and unknown pixels at the right of the title, as many as there is room for."""
    size = int(font.size)
    entries = [("sky", SKY)] if bool(depth.infinite.any()) else []
    if not bool((depth.valid | depth.infinite).all()):
        entries.append(("unknown", UNKNOWN[0]))
    right = depth.width - margin
    for text, colour in entries:
        left = right - font.getlength(text) - 1.3 * size
        if left < margin + taken:
            return
        middle, box = round(1.05 * size), round(0.8 * size)
        corner = (round(left), middle - box // 2)
        draw.rectangle((*corner, corner[0] + box, corner[1] + box), colour)
        if text == "unknown":
            half = box // 2
            for across, down in ((1, 0), (0, 1)):
                x, y = corner[0] + across * half, corner[1] + down * half
                draw.rectangle((x, y, x + half, y + half), UNKNOWN[1])
        draw.text((left + 1.1 * size, middle), text, _INK, font, anchor="lm")
        right = round(left - size)
