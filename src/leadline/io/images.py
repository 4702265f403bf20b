"""Reading photos: any common format, from anywhere, upright, with the camera that took them."""

from __future__ import annotations

import io
import os
import sys
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from leadline.core.errors import InputError
from leadline.core.image import Image
from leadline.io.decode import DEFAULT_MAX_PIXELS, calm, check_pixels, open_picture
from leadline.io.fetch import fetch, is_url
from leadline.io.lens import camera_of, told_camera
from leadline.io.marks import mark_of
from leadline.io.pixels import upright_rgb

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

__all__ = ["DEFAULT_MAX_PIXELS", "PhotoSource", "PillowPicture", "no_such_path", "read_image"]


class PillowPicture(Protocol):
    """A Pillow image, told by its shape, so that naming the type does not import Pillow."""

    @property
    def width(self) -> int:
        """Columns."""
        ...

    @property
    def height(self) -> int:
        """Rows."""
        ...

    def getexif(self) -> Any:
        """The EXIF data, by tag."""
        ...


PhotoSource: TypeAlias = (
    str
    | os.PathLike[str]
    | bytes
    | bytearray
    | memoryview
    | BinaryIO
    | PillowPicture
    | NDArray[np.uint8]
    | Image
)
"""What ``read_image`` takes for a photo."""


def read_image(
    source: PhotoSource,
    *,
    fov_deg: float | None = None,
    focal_px: float | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> Image:
    """Reads a photo.

    JPEG (CMYK and YCCK too), PNG, WebP, TIFF, BMP, GIF (first frame), MPO, AVIF, JPEG 2000, PNM, and HEIC with the
    extra ``heif``; what the file is, its bytes say and not its name.

    Convention:
        Upright 8-bit sRGB: EXIF orientation applied, transparency laid on white, ICC profiles converted. The camera
        is GIVEN where ``fov_deg`` or ``focal_px`` is, else from EXIF, else ASSUMED. A field of view is that across
        the photo's longer side, whichever way it was held; ``Camera.from_fov`` takes the horizontal one.

    Args:
        source: A path, an http or https address, ``"-"`` for standard input, encoded bytes, a binary file object, a
            Pillow image, a uint8 array (H, W), (H, W, 3) or (H, W, 4), or an ``Image``.
        fov_deg: Field of view across the longer side, in degrees.
        focal_px: Focal length in pixels.
        max_pixels: Largest number of pixels that is decoded.

    Returns:
        The photo; its ``source`` is what the caller called it.

    Raises:
        InputError: There is no such file, it is no photo, damaged, or larger than ``max_pixels``.
        MissingExtra: The format needs a package that is not installed.

    Example:
        >>> read_image(np.zeros((480, 640, 3), np.uint8), fov_deg=90.0)
        Image 480x640, camera given 90°, 'array'
    """
    told_camera(1, 1, fov_deg=fov_deg, focal_px=focal_px)
    if isinstance(source, Image):
        image = source
    elif isinstance(source, np.ndarray):
        image = _from_array(source, max_pixels)
    elif hasattr(source, "getexif"):
        image = _from_pillow(cast("PilImage", source), max_pixels)
    else:
        stream, name = _open(cast("str", source))
        with stream:
            image = _from_stream(stream, name, max_pixels)
    told = told_camera(image.width, image.height, fov_deg=fov_deg, focal_px=focal_px)
    return image if told is None else replace(image, camera=told)


def _open(source: str | os.PathLike[str] | bytes | BinaryIO) -> tuple[BinaryIO, str]:
    if isinstance(source, bytes | bytearray | memoryview):
        return io.BytesIO(source), "bytes"
    if isinstance(source, str | os.PathLike):
        text = os.fspath(source)
        if text == "-":
            return io.BytesIO(sys.stdin.buffer.read()), "stdin"
        return (io.BytesIO(fetch(text)), text) if is_url(text) else (_open_path(Path(text)), text)
    read = getattr(source, "read", None)
    data = read() if read is not None else None
    if not isinstance(data, bytes):
        raise InputError(
            f"{type(source).__name__} is not a photo",
            hint="pass a path, an address, bytes, a binary file, a Pillow image or a uint8 array",
        )
    return io.BytesIO(data), str(getattr(source, "name", "") or "file")


def _open_path(path: Path) -> BinaryIO:
    try:
        stream = open(path, "rb")  # noqa: SIM115  # the caller closes it
        if stream.seekable():
            return stream
        with stream:
            return io.BytesIO(stream.read())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise no_such_path(path) from error
    except IsADirectoryError as error:
        raise InputError(f"{str(path)!r} is a folder", hint="name a photo in it") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"{str(path)!r} cannot be read: {reason}", hint="check its name and its permissions"
        ) from error


def no_such_path(path: Path) -> InputError:
    """The error for a path that is not there, with near matches in its folder.

    Args:
        path: The path.

    Returns:
        The error to raise.
    """
    try:
        near = get_close_matches(path.name, os.listdir(path.parent), n=2, cutoff=0.75)
    except OSError:
        near = []
    names = " or ".join(repr(str(path.parent / name)) for name in near)
    return InputError(
        f"there is no {str(path)!r}", hint=f"did you mean {names}?" if near else "check the path"
    )


def _from_stream(stream: BinaryIO, name: str, max_pixels: int) -> Image:
    with open_picture(stream, name, max_pixels=max_pixels) as picture:
        if mark_of(picture) is not None:
            raise InputError(
                f"{name!r} is no photo: leadline wrote it, and it shows depth",
                hint="'leadline info' tells what it holds",
            )
        return _upright(picture, name)


def _from_pillow(picture: PilImage, max_pixels: int) -> Image:
    name = str(getattr(picture, "filename", "") or "picture")
    check_pixels(picture.width, picture.height, name, max_pixels=max_pixels)
    with calm():
        try:
            picture.load()
        except (OSError, SyntaxError, ValueError) as error:
            raise InputError(f"{name!r} cannot be decoded ({error})", hint="copy the photo again") from error
        return _upright(picture, name)


def _upright(picture: PilImage, name: str) -> Image:
    rgb_HW3 = upright_rgb(picture, name=name)
    height, width = rgb_HW3.shape[:2]
    return Image(rgb_HW3, camera_of(picture, width, height), name)


def _from_array(array: NDArray[np.uint8], max_pixels: int) -> Image:
    if array.ndim >= 2:
        check_pixels(array.shape[1], array.shape[0], "array", max_pixels=max_pixels)
    if array.dtype == np.uint8 and array.size and (array.ndim == 2 or array.shape[2:] == (4,)):
        from PIL.Image import fromarray

        return Image.from_array(upright_rgb(fromarray(array), name="array"))
    return Image.from_array(array)
