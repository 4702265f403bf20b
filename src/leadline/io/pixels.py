"""From a decoded picture of any mode to upright 8-bit sRGB.

The picture is converted in strips of rows that are written straight into one array: no second copy of a large photo
is ever made, whatever its mode, profile or orientation.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leadline.core.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

    Strip = Callable[[PilImage], NDArray[np.uint8]]

__all__ = ["orientation_of", "upright_rgb"]

_ORIENTATION = 0x0112
_STRIP_PIXELS = 2**20
_DEEP = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")
_COLOUR_SPACES = {"RGB": "RGB ", "RGBA": "RGB ", "CMYK": "CMYK", "L": "GRAY"}


def upright_rgb(picture: PilImage, *, name: str) -> NDArray[np.uint8]:
    """The pixels of a decoded picture, upright, as people see them.

    Convention:
        Row 0 at the top after the EXIF orientation is applied. Transparent pixels lie on white. An embedded ICC
        profile other than sRGB is converted to sRGB (perceptual intent); a damaged one is ignored. 16-bit grey is
        divided by 257 (full range to full range, never clipped); floats must lie in 0..1.

    Args:
        picture: A decoded Pillow image; it is not changed.
        name: What to call it in messages.

    Returns:
        Read-only uint8 (H, W, 3).

    Raises:
        InputError: Floats outside 0..1, or 32-bit integers outside 0..65535.
    """
    width, height = picture.size
    turned = orientation_of(picture)
    upright = (width, height) if turned >= 5 else (height, width)
    rgb_HW3 = np.empty((*upright, 3), np.uint8)
    as_stored = _as_stored(rgb_HW3, turned)
    convert = _converter(picture, name)
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        as_stored[top:bottom] = convert(picture.crop((0, top, width, bottom)))
    rgb_HW3.flags.writeable = False
    return rgb_HW3


def orientation_of(picture: PilImage) -> int:
    """The EXIF orientation of a decoded picture: 1 to 8, and 1 where it says nothing usable."""
    try:
        value = picture.getexif().get(_ORIENTATION, 1)
    except (ValueError, KeyError, TypeError, IndexError, OSError, SyntaxError):
        # Damaged EXIF data are no reason to refuse a photo: it is shown as it is stored.
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _as_stored(upright: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """A view of an upright array in which pixels lie as the file stores them (EXIF 2.32, tag 274)."""
    views: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    view = views.get(orientation)
    return upright if view is None else view(upright)


def _converter(picture: PilImage, name: str) -> Strip:
    if picture.mode in _DEEP:
        return lambda strip: _grey(_eight_bits(np.asarray(strip), name))
    to_srgb = _profile(picture)
    if picture.mode in ("P", "PA", "LA", "La", "RGBA", "RGBa") or picture.has_transparency_data:
        return lambda strip: np.asarray(_on_white(to_srgb(strip.convert("RGBA"))))
    if picture.mode in ("1", "L"):
        return lambda strip: _grey(np.asarray(to_srgb(strip.convert("L"))))
    if picture.mode == "CMYK":
        return lambda strip: np.asarray(to_srgb(strip).convert("RGB"))
    return lambda strip: np.asarray(to_srgb(strip.convert("RGB")))


def _grey(strip: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return strip[..., None] if strip.ndim == 2 else strip


def _on_white(strip: PilImage) -> PilImage:
    from PIL import Image

    white = Image.new("RGB", strip.size, "white")
    white.paste(strip.convert("RGB"), mask=strip.getchannel("A"))
    return white


def _eight_bits(deep: NDArray[Any], name: str) -> NDArray[np.uint8]:
    if deep.dtype.kind == "f":
        if not bool(((deep >= 0) & (deep <= 1)).all()):
            raise InputError(
                f"{name!r} holds floats outside 0..1, which no rule turns into a photo",
                hint="save it with 8 bits a channel; if it is a depth file, 'leadline info' tells what it holds",
            )
        scaled: NDArray[np.uint8] = np.rint(deep * 255).astype(np.uint8)
        return scaled
    if deep.dtype.itemsize > 2 and not bool(((deep >= 0) & (deep <= 65535)).all()):
        raise InputError(
            f"{name!r} holds 32-bit integers outside 0..65535, which no rule turns into a photo",
            hint="save it with 8 or 16 bits a channel",
        )
    return ((deep.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _profile(picture: PilImage) -> Callable[[PilImage], PilImage]:
    """A function that takes a strip from the picture's own colours to sRGB, or leaves it as it is."""
    icc = picture.info.get("icc_profile")
    if not isinstance(icc, bytes) or not icc:
        return lambda strip: strip
    from PIL import ImageCms

    try:
        profile: Any = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        space = str(profile.profile.xcolor_space)
        described = str(ImageCms.getProfileDescription(profile))
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        # A damaged profile is no reason to refuse a photo: its numbers are taken for sRGB, as browsers do.
        return lambda strip: strip
    if space == "RGB " and "srgb" in described.lower():
        return lambda strip: strip
    transforms: dict[str, Any] = {}
    srgb = ImageCms.createProfile("sRGB")

    def to_srgb(strip: PilImage) -> PilImage:
        if _COLOUR_SPACES.get(strip.mode) != space:
            return strip
        target = "RGBA" if strip.mode == "RGBA" else "RGB"
        try:
            if strip.mode not in transforms:
                # Optimised tables of grey profiles are up to ten levels off in the dark (lcms2 2.19).
                flags = ImageCms.Flags.NOOPTIMIZE if strip.mode == "L" else ImageCms.Flags.NONE
                transforms[strip.mode] = ImageCms.buildTransform(
                    profile, srgb, strip.mode, target, flags=flags
                )
            return ImageCms.applyTransform(strip, transforms[strip.mode]) or strip
        except ImageCms.PyCMSError:
            return strip

    return to_srgb
