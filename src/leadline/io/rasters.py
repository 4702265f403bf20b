"""Decoding the pictures that datasets are made of, from bytes to arrays, fast and with every fault named.

Where simplejpeg and OpenCV are installed they decode, JPEG and PNG, as the faster ones; else Pillow. All give the same
pixels, which a test holds them to.
"""

from __future__ import annotations

import io
import re
import threading
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.core.errors import DatasetError
from leadline.io.decode import DEFAULT_MAX_PIXELS, PICTURE_ERRORS, calm
from leadline.io.pixels import orientation_of, upright_rgb
from leadline.plugins.need import has

__all__ = ["decode_channels", "decode_plane", "decode_rgb", "plane_of", "size_of", "write_planes"]

_AGAIN = "copy or fetch the file again"
_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_PGM = re.compile(rb"P5\s+(?:#[^\n]*\n\s*)*(\d+)\s+(\d+)\s+(\d+)\s")
_ELEVEN_BITS = 2047
_once = threading.Lock()
_cv2: list[Any] = []


def decode_rgb(data: bytes, name: str) -> NDArray[np.uint8]:
    """A photo's pixels.

    Convention:
        Upright 8-bit sRGB, row 0 at the top.

    Args:
        data: The encoded photo: JPEG, PNG or whatever else Pillow reads.
        name: What to call it in messages.

    Returns:
        Read-only uint8 (H, W, 3).

    Raises:
        DatasetError: It is empty, no photo, damaged or too large.
    """
    if not data:
        raise DatasetError(f"{name!r} is empty (0 bytes)", hint=_AGAIN)
    if _has_simplejpeg() and _is_plain_jpeg(data):
        pixels = _by_simplejpeg(data)
        if pixels is not None:
            pixels.flags.writeable = False
            return pixels
    with calm():
        picture = _pillow(data, name)
        try:
            if picture.mode == "RGB" and "icc_profile" not in picture.info and orientation_of(picture) == 1:
                rgb: NDArray[np.uint8] = np.asarray(picture)
                rgb.flags.writeable = False
                return rgb
            return upright_rgb(picture, name=name)
        except PICTURE_ERRORS as error:
            raise _damaged(data, name, error) from error


def decode_plane(data: bytes, name: str, *, byteorder: str = "") -> NDArray[Any]:
    """The stored numbers of a one-channel picture, as they are: no scaling, no masks.

    Args:
        data: The encoded picture: 8- or 16-bit PNG, PGM, TIFF (float too) or whatever else Pillow reads.
        name: What to call it in messages.
        byteorder: ``"little"`` or ``"big"`` for 16-bit PGM files whose writer did not keep to the standard's big end.

    Returns:
        Array (H, W) of uint8, uint16, int32 or float32.

    Raises:
        DatasetError: It is empty, no picture, damaged, too large, or has several channels that differ.
    """
    array = decode_channels(data, name, byteorder=byteorder)
    if array.ndim == 3 and bool((array[..., :1] == array[..., : min(3, array.shape[2])]).all()):
        array = array[..., 0]
    if array.ndim != 2:
        raise DatasetError(
            f"{name!r} has {array.shape[2]} channels that differ: it is a picture, not depth",
            hint="name the file that holds the numbers, not its coloured picture",
        )
    return array


def decode_channels(data: bytes, name: str, *, byteorder: str = "") -> NDArray[Any]:
    """The stored numbers of a picture of any number of channels, as they are: no scaling, no masks.

    Args:
        data: The encoded picture: 8- or 16-bit PNG, PGM, TIFF (float too) or whatever else Pillow reads.
        name: What to call it in messages.
        byteorder: As for ``decode_plane``.

    Returns:
        Array (H, W), or (H, W, C) of a picture of several channels.

    Raises:
        DatasetError: It is empty, no picture, damaged or too large.
    """
    if not data:
        raise DatasetError(f"{name!r} is empty (0 bytes)", hint=_AGAIN)
    if data[:2] == b"P5":
        return _pgm(data, name, byteorder or "big")
    cv2 = _opencv()
    if cv2 is not None and data[:8] == _PNG and data[25:26] == b"\0" and data[24:25] in (b"\x08", b"\x10"):
        plane = _by_opencv(cv2, data, cv2.IMREAD_UNCHANGED)
        if plane is not None and plane.ndim == 2:
            return plane
    with calm():
        picture = _pillow(data, name)
        try:
            return np.asarray(picture if picture.mode != "P" else picture.convert("RGB"))
        except PICTURE_ERRORS as error:
            raise _damaged(data, name, error) from error


def plane_of(data: bytes, name: str) -> NDArray[Any]:
    """The stored numbers of a one-channel picture, with the byte order of Kinect PGM files seen from their numbers.

    Args:
        data: The encoded picture.
        name: What to call it in messages.

    Returns:
        As ``decode_plane``; 11-bit numbers that a PGM file holds the wrong way round are put right.

    Raises:
        DatasetError: As ``decode_plane``.
    """
    plane = decode_plane(data, name)
    if data[:2] == b"P5" and plane.dtype == np.uint16 and int(plane.max(initial=0)) > _ELEVEN_BITS:
        swapped = plane.byteswap()
        return swapped if int(swapped.max(initial=0)) <= _ELEVEN_BITS else plane
    return plane


def size_of(data: bytes, name: str) -> tuple[int, int]:
    """Width and height of an encoded picture, from its header.

    Args:
        data: The encoded picture, or its first kilobytes.
        name: What to call it in messages.

    Returns:
        Width, height.

    Raises:
        DatasetError: It is no picture.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as picture:
            return picture.size
    except UnidentifiedImageError as error:
        raise DatasetError(f"{name!r} is no picture", hint=_AGAIN) from error
    except PICTURE_ERRORS as error:
        raise _damaged(data, name, error) from error


def write_planes(rgb_HW3: NDArray[np.uint8], out_3HW: NDArray[np.uint8]) -> None:
    """Writes a photo's bytes as three planes, as networks take them.

    Args:
        rgb_HW3: The photo.
        out_3HW: Where they go.
    """
    cv2 = _opencv()
    if cv2 is not None:
        cv2.split(rgb_HW3, list(out_3HW))
    else:
        np.copyto(out_3HW, rgb_HW3.transpose(2, 0, 1))


def _opencv() -> Any:
    """OpenCV where it is installed, told to stay in its own thread; None where it is not."""
    with _once:
        if not _cv2:
            if not has("cv2"):
                _cv2.append(None)
            else:
                import cv2

                cv2.setNumThreads(1)
                _cv2.append(cv2)
        return _cv2[0]


def _by_opencv(cv2: Any, data: bytes, flags: int) -> NDArray[Any] | None:
    """None where OpenCV will not: Pillow then says what is wrong."""
    try:
        decoded: NDArray[Any] | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None
    return decoded


@cache
def _has_simplejpeg() -> bool:
    return has("simplejpeg")


def _by_simplejpeg(data: bytes) -> NDArray[np.uint8] | None:
    """None where it will not: Pillow then says what is wrong."""
    import simplejpeg

    try:
        return np.asarray(simplejpeg.decode_jpeg(data, "RGB"))
    except ValueError:
        return None


def _is_plain_jpeg(data: bytes) -> bool:
    """A whole JPEG of three channels and no absurd size, without EXIF or ICC data: all decoders make the same pixels."""
    if data[:3] != _JPEG or not data.rstrip(b"\0").endswith(b"\xff\xd9"):
        return False
    at, end = 2, len(data)
    while at + 9 < end and data[at] == 0xFF:
        marker, size = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in (0xE1, 0xE2, 0xEE):
            return False
        if 0xC0 <= marker <= 0xC3:
            height, width = (int.from_bytes(data[at + k : at + k + 2], "big") for k in (5, 7))
            return data[at + 9] == 3 and 0 < height * width <= DEFAULT_MAX_PIXELS
        at += 2 + size
    return False


def _pillow(data: bytes, name: str) -> Any:
    from PIL import Image, UnidentifiedImageError

    try:
        picture = Image.open(io.BytesIO(data))
        if picture.width * picture.height > DEFAULT_MAX_PIXELS:
            raise DatasetError(
                f"{name!r} has {picture.width}x{picture.height} pixels, which no dataset has",
                hint="check that it is the file it should be",
            )
        picture.load()
    except UnidentifiedImageError as error:
        raise DatasetError(f"{name!r} is no picture that can be read", hint=_AGAIN) from error
    except DatasetError:
        raise
    except (*PICTURE_ERRORS, Image.DecompressionBombError) as error:
        raise _damaged(data, name, error) from error
    return picture


def _damaged(data: bytes, name: str, error: BaseException) -> DatasetError:
    return DatasetError(
        f"{name!r} is damaged or cut short after {len(data):,} bytes ({str(error) or type(error).__name__})",
        hint=_AGAIN,
    )


def _pgm(data: bytes, name: str, byteorder: str) -> NDArray[Any]:
    head = _PGM.match(data)
    if head is None:
        raise DatasetError(f"{name!r} has no whole PGM header", hint=_AGAIN)
    width, height, largest = (int(group) for group in head.groups())
    kind = np.dtype(np.uint8 if largest < 256 else np.uint16).newbyteorder(
        "<" if byteorder == "little" else ">"
    )
    need = width * height * kind.itemsize
    body = data[head.end() : head.end() + need]
    if len(body) < need or need == 0:
        raise DatasetError(
            f"{name!r} is cut short: {len(body):,} of {need:,} bytes of pixels are there", hint=_AGAIN
        )
    return np.frombuffer(body, kind).reshape(height, width).astype(kind.newbyteorder("="))
