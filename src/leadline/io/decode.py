"""Opening pictures with Pillow: limits, damage and warnings told in leadline's words."""

from __future__ import annotations

import re
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO

from leadline.core.errors import InputError
from leadline.io.sniff import HEAD_BYTES, looks_like
from leadline.plugins.need import need

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

__all__ = [
    "DEFAULT_MAX_PIXELS",
    "PHOTO_SUFFIXES",
    "PICTURE_ERRORS",
    "calm",
    "check_pixels",
    "learn_heif",
    "open_picture",
]

DEFAULT_MAX_PIXELS = 256_000_000
"""Largest photo that is decoded unless the caller says otherwise: above any phone's, below a machine's memory."""

PHOTO_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif"),
    *(".avif", ".heic", ".heif", ".hif", ".mpo", ".jp2", ".j2k", ".ppm", ".pgm", ".pbm", ".pnm"),
)
"""File name endings that are taken for photos when a folder is searched."""

PICTURE_ERRORS = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, ArithmeticError),
    *(RuntimeError, AssertionError, AttributeError, struct.error, zlib.error),
)
"""What Pillow's readers have been seen to raise on damaged files."""

_PLUGINS = {
    "JPEG": "Jpeg",
    "PNG": "Png",
    "TIFF": "Tiff",
    "GIF": "Gif",
    "BMP": "Bmp",
    "WEBP": "WebP",
    "PPM": "Ppm",
    "JPEG2000": "Jpeg2K",
    "AVIF": "Avif",
}
_DNG_VERSION, _SUBFILE_TYPE = 50706, 254


@contextmanager
def open_picture(stream: BinaryIO, name: str, *, max_pixels: int) -> Iterator[PilImage]:
    """Opens and decodes a picture.

    Args:
        stream: Its bytes; seekable.
        name: What to call it in messages.
        max_pixels: Largest number of pixels that is decoded.

    Yields:
        The decoded Pillow image. While the block lasts, Pillow's warnings are quiet.

    Raises:
        InputError: It is empty, no picture leadline reads, damaged, cut short, or too large.
        MissingExtra: It needs a package that is not installed.
    """
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    if not head:
        raise InputError(f"{name!r} is empty (0 bytes)", hint="copy the photo again")
    looks = looks_like(head)
    if not looks.decoder:
        raise InputError(f"{name!r} is no photo: it looks like {looks.words}", hint=_hint(looks.words))
    with ExitStack() as stack:
        stack.enter_context(calm())
        try:
            picture = stack.enter_context(_open(stream, looks.decoder, stack))
            _refuse_raw(picture, name)
            check_pixels(picture.width, picture.height, name, max_pixels=max_pixels)
            picture.load()
        except InputError:
            raise
        except PICTURE_ERRORS as error:
            raise _damaged(stream, name, looks.words, error) from error
        yield picture


def _open(stream: BinaryIO, decoder: str, stack: ExitStack) -> PilImage:
    from PIL import Image

    if decoder == "HEIF":
        learn_heif()
    else:
        import_module(f"PIL.{_PLUGINS[decoder]}ImagePlugin")
    try:
        return Image.open(stream, formats=(decoder,))
    except Image.DecompressionBombError:
        stack.enter_context(_unlimited())
        stream.seek(0)
        return Image.open(stream, formats=(decoder,))


def learn_heif() -> None:
    """Lets Pillow read HEIC photos from now on.

    Raises:
        MissingExtra: The package for them is not installed.
    """
    need("pillow_heif", who="a HEIC photo", extra="heif").register_heif_opener()


def check_pixels(width: int, height: int, name: str, *, max_pixels: int) -> None:
    """Refuses a picture of more pixels than the limit, before it is decoded.

    Args:
        width: Its columns.
        height: Its rows.
        name: What to call it in messages.
        max_pixels: The limit.

    Raises:
        InputError: It is larger; the message says how to raise the limit.
    """
    if width * height > max_pixels:
        raise InputError(
            f"{name!r} has {width * height:,} pixels ({width}x{height}); the limit is {max_pixels:,}",
            hint=f"if you trust it, allow it with --max-pixels {width * height} (max_pixels= in Python)",
        )


def _refuse_raw(picture: PilImage, name: str) -> None:
    tags: Any = getattr(picture, "tag_v2", {})
    if _DNG_VERSION in tags or tags.get(_SUBFILE_TYPE) == 1:
        raise InputError(
            f"{name!r} is a camera raw file: its first page is only a thumbnail",
            hint="develop it to JPEG, TIFF or PNG first",
        )


def _damaged(stream: BinaryIO, name: str, words: str, error: BaseException) -> InputError:
    from PIL import UnidentifiedImageError

    size = stream.seek(0, 2)
    detail = "" if isinstance(error, UnidentifiedImageError) else f" ({str(error) or type(error).__name__})"
    return InputError(
        f"{name!r} begins like {words} but is damaged or cut short after {size:,} bytes{detail}",
        hint="copy the photo again",
    )


def _hint(words: str) -> str:
    if "OpenEXR" in words or "PFM" in words or "NumPy" in words or "ZIP" in words:
        return "if it is a depth file, 'leadline info' tells what it holds"
    if "video" in words:
        return "name a photo, or take a frame out of the video first"
    return "name a JPEG, PNG, WebP, TIFF, BMP, GIF, AVIF or HEIC photo"


class _Shared:
    """A change to the whole process that lasts as long as anybody needs it, whichever thread that is."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.users = 0


_quiet, _limit = _Shared(), _Shared()
_FILTER: Any = ("ignore", None, Warning, re.compile(r"(PIL|pillow_heif)\b(?#leadline)"), 0)
_saved_limit: list[int | None] = []


@contextmanager
def calm() -> Iterator[None]:
    """Keeps Pillow's warnings quiet while a block lasts.

    ``warnings.catch_warnings`` swaps the filters of the whole process and may bring back stale ones when photos are
    decoded in several threads. This adds one filter for Pillow's own modules when the first block begins and takes
    out that one when the last ends.
    """
    filters: Any = warnings.filters
    with _quiet.lock:
        _quiet.users += 1
        if _FILTER not in filters:
            filters.insert(0, _FILTER)
    try:
        yield
    finally:
        filters = warnings.filters
        with _quiet.lock:
            _quiet.users -= 1
            if _quiet.users == 0 and _FILTER in filters:
                filters.remove(_FILTER)


@contextmanager
def _unlimited() -> Iterator[None]:
    """Lifts Pillow's own pixel limit while a block lasts; ``check_pixels`` has ours."""
    from PIL import Image

    with _limit.lock:
        _limit.users += 1
        if _limit.users == 1:
            _saved_limit.append(Image.MAX_IMAGE_PIXELS)
            Image.MAX_IMAGE_PIXELS = None
    try:
        yield
    finally:
        with _limit.lock:
            _limit.users -= 1
            if _limit.users == 0:
                Image.MAX_IMAGE_PIXELS = _saved_limit.pop()
