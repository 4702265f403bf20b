"""The camera that a photo's EXIF data tells of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from leadline.core.camera import Camera, Origin
from leadline.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PIL.Image import Image as PilImage

__all__ = ["camera_of", "told_camera"]

_EXIF_IFD = 0x8769
_FOCAL_MM = 0x920A
_FOCAL_35MM = 0xA405
_PLANE_X_RESOLUTION = 0xA20E
_PLANE_UNIT = 0xA210
_RECORDED_WIDTH, _RECORDED_HEIGHT = 0xA002, 0xA003
_MM_PER_UNIT = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
_PLAUSIBLE_FOV_DEG = (0.5, 170.0)
_GIVEN_FOV_DEG = (0.1, 179.0)


def told_camera(width: int, height: int, *, fov_deg: float | None, focal_px: float | None) -> Camera | None:
    """The camera the user gave, if any.

    Convention:
        A field of view is that across the photo's longer side, so that portrait and landscape photos of one camera
        get one focal length in pixels.

    Args:
        width: Width of the upright photo in pixels.
        height: Height of the upright photo in pixels.
        fov_deg: Field of view across the longer side, in degrees.
        focal_px: Focal length in pixels.

    Returns:
        A camera of origin ``GIVEN``, or None where neither is given.

    Raises:
        InputError: Both are given, or one is out of range.

    Example:
        >>> [round(told_camera(*size, fov_deg=90.0, focal_px=None).fx) for size in ((640, 480), (480, 640))]
        [320, 320]
    """
    if fov_deg is not None and focal_px is not None:
        raise InputError(
            f"field of view {fov_deg}° and focal length {focal_px} px are both given", hint="give one of them"
        )
    if fov_deg is not None:
        focal_px = Camera.from_fov(fov_deg, max(width, height), min(width, height)).fx
    if focal_px is None:
        return None
    camera = Camera.centred(focal_px, width, height)
    low, high = _GIVEN_FOV_DEG
    if max(width, height) > 1 and not low <= camera.fov_long_deg <= high:
        raise InputError(
            f"focal length {focal_px:g} px sees {camera.fov_long_deg:.2g}° across a photo of {width}x{height}",
            hint="give it in pixels of this photo, not in millimetres",
        )
    return camera


def camera_of(picture: PilImage, width: int, height: int) -> Camera:
    """The camera of a photo from its EXIF data, or the ASSUMED one where they say nothing usable.

    Convention:
        The 35 mm-equivalent focal length comes first and is diagonal-based: f_px = f35 x diagonal_px / 43.27. Else
        f_px = focal length x focal-plane resolution, scaled by how much the photo was resized since. Square pixels,
        principal point in the middle. The focal length in pixels is the same after an upright turn.

    Args:
        picture: The decoded photo.
        width: Width of the upright photo in pixels.
        height: Height of the upright photo in pixels.

    Returns:
        A camera of origin ``EXIF`` or ``ASSUMED``.
    """
    told = _exif_ifd(picture)
    f35_mm = _number(told, _FOCAL_35MM)
    if f35_mm:
        camera = Camera.from_35mm(f35_mm, width, height)
        if _plausible(camera):
            return camera
    f_px = _focal_plane_px(told, max(width, height))
    if f_px:
        camera = Camera.centred(f_px, width, height, origin=Origin.EXIF)
        if _plausible(camera):
            return camera
    return Camera.assumed(width, height)


def _focal_plane_px(told: Mapping[int, Any], long_side: int) -> float | None:
    focal_mm, per_unit = _number(told, _FOCAL_MM), _number(told, _PLANE_X_RESOLUTION)
    unit_mm = _MM_PER_UNIT.get(int(_number(told, _PLANE_UNIT) or 2))
    if not (focal_mm and per_unit and unit_mm):
        return None
    recorded = max(_number(told, _RECORDED_WIDTH) or 0, _number(told, _RECORDED_HEIGHT) or 0)
    return focal_mm * per_unit / unit_mm * (long_side / recorded if recorded else 1.0)


def _exif_ifd(picture: PilImage) -> Mapping[int, Any]:
    try:
        return picture.getexif().get_ifd(_EXIF_IFD)
    except (ValueError, KeyError, TypeError, IndexError, OSError, SyntaxError):
        # Damaged EXIF data are no reason to refuse a photo: it is treated as one that says nothing of its lens.
        return {}


def _number(told: Mapping[int, Any], tag: int) -> float | None:
    value: Any = told.get(tag)
    try:
        number = float(value[0] if isinstance(value, tuple) else value)
    except (TypeError, ValueError, ZeroDivisionError, IndexError):
        return None
    return number if math.isfinite(number) and number > 0 else None


def _plausible(camera: Camera) -> bool:
    across = 2 * math.degrees(math.atan(math.hypot(camera.width, camera.height) / 2 / camera.fx))
    return _PLAUSIBLE_FOV_DEG[0] <= across <= _PLAUSIBLE_FOV_DEG[1]
