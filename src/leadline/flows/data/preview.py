"""Samples laid out to look at: each photo beside its coloured depth, with a scale in the right unit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError, UnknownName
from leadline.core.kind import Freedom
from leadline.core.sample import Entry, Sample
from leadline.flows.data.choosing import OPTION_HELP, PLACE_HELP, chosen
from leadline.flows.data.collection import Collection
from leadline.flows.data.sheet import Sheet
from leadline.flows.options import Told, check_bounds, told
from leadline.ops.colour import ColourOptions, colormap_table, colourise, value_range
from leadline.ops.legend import legend
from leadline.ops.thumbnail import thumbnail

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

__all__ = ["PreviewRequest", "draw_preview", "foot", "preview", "shared_range"]

_PAPER, _INK, _FAULT = (255, 255, 255), (34, 34, 34), (160, 40, 40)
_GAP = 8


@dataclass(frozen=True, slots=True)
class PreviewRequest:
    """What ``leadline data preview`` is asked for."""

    place: str = field(metadata=told(Told(PLACE_HELP, positional=True)))
    out: Path | None = field(
        default=None,
        metadata=told(Told("Picture to write; NAME-preview.png unless said.", short="o", metavar="FILE")),
    )
    option: tuple[str, ...] = field(
        default=(), metadata=told(Told(OPTION_HELP, metavar="KEY=VALUE", whole=True))
    )
    split: str = field(
        default="", metadata=told(Told("Only this split.", choices=("", "train", "val", "test")))
    )
    first: int | None = field(
        default=None, metadata=told(Told("Look at the first so many only, instead of all.", minimum=1))
    )
    id: tuple[str, ...] = field(
        default=(), metadata=told(Told("These samples, and no others.", metavar="ID", whole=True))
    )
    count: int = field(
        default=9, metadata=told(Told("How many samples, spread evenly.", minimum=1, maximum=400))
    )
    columns: int = field(default=3, metadata=told(Told("Samples beside each other.", minimum=1, maximum=40)))
    width: int = field(
        default=320, metadata=told(Told("Width of each picture in pixels.", minimum=32, maximum=2000))
    )
    colormap: str = field(
        default="viridis", metadata=told(Told("Colour map.", names="colormap", metavar="NAME"))
    )
    range: str = field(
        default="robust",
        metadata=told(Told("robust, full, or NEAR,FAR in the depth's own unit.", metavar="RANGE")),
    )
    scatter: str = field(
        default="",
        metadata=told(Told("Instead, this sample's points in 3D; 'first' for the first one.", metavar="ID")),
    )
    show: str = field(
        default="auto",
        metadata=told(
            Told("Show it in the terminal too, where that can.", choices=("auto", "always", "never"))
        ),
    )

    def __post_init__(self) -> None:
        check_bounds(self)

    @property
    def colour(self) -> ColourOptions:
        """The colours asked for."""
        near, comma, far = self.range.partition(",")
        try:
            span = (float(near), float(far)) if comma else self.range
        except ValueError:
            span = self.range
        return ColourOptions(self.colormap, span)


def preview(request: PreviewRequest) -> tuple[Sheet, Path]:
    """Draws a grid, or one sample's points, and writes the picture.

    Args:
        request: What to draw.

    Returns:
        The picture and its file.

    Raises:
        DatasetError: The place is no dataset.
        UnknownName: An id is not there.
        MissingExtra: Points are asked for and matplotlib is not installed.
        OutputError: The picture cannot be written.
    """
    from leadline.flows.data.scatter import scatter_sheet

    colour = request.colour
    collection = _of_ids(
        chosen(request), (request.scatter,) if request.scatter not in ("", "first") else request.id
    )
    name = f"{collection.spec.name}-{'scatter' if request.scatter else 'preview'}.png"
    if request.scatter:
        sheet = scatter_sheet(collection[0])
    else:
        sheet = draw_preview(
            collection, count=request.count, columns=request.columns, width=request.width, colour=colour
        )
    return sheet, sheet.save(request.out or Path(name))


def draw_preview(
    collection: Collection,
    *,
    count: int = 9,
    columns: int = 3,
    width: int = 320,
    colour: ColourOptions | None = None,
) -> Sheet:
    """A grid of samples spread evenly over a dataset.

    Convention:
        Metric kinds share one range, so that equal colours are equal distances; others have a range each.

    Args:
        collection: The samples.
        count: How many.
        columns: How many beside each other.
        width: Width of each picture in pixels.
        colour: Colour map and range.

    Returns:
        The picture; a sample that cannot be read is a tile that says so.
    """
    part = collection.spread(count)
    read = [_read(part, k) for k in range(len(part))]
    samples = [item for item in read if isinstance(item, Sample)]
    shared = shared_range(samples, colour or ColourOptions())
    tiles = [
        _tile(item, shared, width) if isinstance(item, Sample) else _fault(entry, item, width)
        for item, entry in zip(read, part.entries, strict=True)
    ]
    columns = min(columns, len(tiles))
    head = _line(f"{collection!r}", columns * (tiles[0].shape[1] + _GAP) + _GAP, size=max(14, width // 18))
    sheet = np.concatenate([head, _grid(tiles, columns), foot(samples, shared, len(head[0]))])
    return Sheet(sheet, tuple(item for item in read if isinstance(item, str)))


def _of_ids(collection: Collection, ids: Sequence[str]) -> Collection:
    known = {entry.id for entry in collection.entries} if ids else set()
    for name in ids:
        if name not in known:
            raise UnknownName("sample", name, known=known)
    return collection.select(ids=ids) if ids else collection


def _read(part: Collection, position: int) -> Sample | str:
    try:
        return part[position]
    except DatasetError as error:
        return str(error)


def shared_range(samples: Sequence[Sample], colour: ColourOptions) -> ColourOptions:
    """One range of colours for metric samples, so that equal colours are equal distances; others keep what was asked for.

    Args:
        samples: Those that are drawn together.
        colour: Colour map and range.

    Returns:
        The colours, with numbers for a range where all share one.
    """
    known = [s.truth for s in samples if bool(s.truth.valid.any())]
    if not known or not isinstance(colour.range, str) or known[0].kind.freedom is not Freedom.NONE:
        return colour
    spans = [value_range(truth, options=colour) for truth in known]
    low, high = min(span[0] for span in spans), max(span[1] for span in spans)
    return replace(colour, range=(low, high)) if low < high else colour


def _tile(sample: Sample, colour: ColourOptions, width: int) -> NDArray[np.uint8]:
    from PIL import Image

    height = max(1, round(width * sample.image.height / sample.image.width))
    photo = np.asarray(Image.fromarray(sample.image.rgb_HW3).resize((width, height), Image.Resampling.BOX))
    small = thumbnail(sample.truth, width=width, height=height)
    pair = np.concatenate([photo, colourise(small, options=colour)], 1)
    share = 100 * float(sample.truth.valid.mean())
    caption = f"{sample.id}   {sample.image.width}x{sample.image.height}, {share:.3g}% known"
    return np.concatenate([pair, _line(caption, 2 * width, size=max(11, width // 24))])


def _fault(entry: Entry, reason: str, width: int) -> NDArray[np.uint8]:
    lines = [entry.id, "cannot be read:", *_wrapped(reason, 2 * width, max(11, width // 24))]
    size = max(11, width // 24)
    drawn = [_line(text, 2 * width, size=size, ink=_FAULT) for text in lines[: max(3, width // (2 * size))]]
    tile = np.concatenate(drawn)
    tall = max(round(0.75 * width), len(tile))
    sheet = np.full((tall, 2 * width, 3), 245, np.uint8)
    sheet[: len(tile)] = tile
    return sheet


def _wrapped(text: str, width: int, size: int) -> list[str]:
    font, lines = _font(size), [""]
    for character in text:
        if font.getlength(lines[-1] + character) > width - 2 * size:
            lines.append("")
        lines[-1] += character
    return lines


def _grid(tiles: list[NDArray[np.uint8]], columns: int) -> NDArray[np.uint8]:
    rows = math.ceil(len(tiles) / columns)
    tall, wide = max(len(tile) for tile in tiles) + _GAP, tiles[0].shape[1] + _GAP
    sheet = np.full((rows * tall, columns * wide + _GAP, 3), 255, np.uint8)
    for k, tile in enumerate(tiles):
        top, left = k // columns * tall, k % columns * wide + _GAP
        sheet[top : top + len(tile), left : left + tile.shape[1]] = tile
    return sheet


def foot(samples: Sequence[Sample], colour: ColourOptions, width: int) -> NDArray[np.uint8]:
    """The scale under all: one for metric kinds; for others, that every sample has its own range.

    Args:
        samples: Those above it.
        colour: As they were drawn.
        width: Of the strip, in pixels.

    Returns:
        uint8 (h, width, 3); empty where there is no sample.
    """
    if not samples:
        return np.zeros((0, width, 3), np.uint8)
    kind = samples[0].truth.kind
    span = colour.range if isinstance(colour.range, tuple) else (1.0, 2.0)
    # The legend sizes its letters by the map it belongs to; a map three times as wide as high suits a sheet.
    shape = (max(2, width // 3), width)
    valid, infinite = np.ones(shape, bool), np.zeros(shape, bool)
    infinite[0, 0] = any(bool(s.truth.infinite.any()) for s in samples)
    valid[0, 0] = not infinite[0, 0]
    valid[0, 1] = all(bool((s.truth.valid | s.truth.infinite).all()) for s in samples)
    uncertain = any(s.truth.scale_uncertain for s in samples)
    values = np.full(shape, max(span[0], 1e-3), np.float32)
    stand_in = DepthMap(values, kind, valid, infinite, scale_uncertain=uncertain)
    strip = legend(stand_in, span=span, table=colormap_table(colour.colormap))
    if isinstance(colour.range, tuple):
        return strip
    return np.concatenate(
        [strip, _line("each sample has a range of its own", width, size=max(11, width // 60))]
    )


def _line(text: str, width: int, *, size: int, ink: tuple[int, int, int] = _INK) -> NDArray[np.uint8]:
    from PIL import Image, ImageDraw

    font = _font(size)
    strip = Image.new("RGB", (width, round(1.7 * size)), _PAPER)
    while text and font.getlength(text) > width - size:
        text = f"{text[:-2]}…"
    ImageDraw.Draw(strip).text((size // 2, round(0.85 * size)), text, ink, font, anchor="lm")
    return np.asarray(strip)


def _font(size: int) -> FreeTypeFont:
    from typing import cast

    from PIL import ImageFont

    return cast("FreeTypeFont", ImageFont.load_default(size))
