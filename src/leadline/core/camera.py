"""The pinhole camera that saw an image."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.core.errors import InputError

__all__ = ["ASSUMED_FOCAL_PER_WIDTH", "Camera", "Origin"]

ASSUMED_FOCAL_PER_WIDTH = 518.86 / 640
"""The one rule for photos that say nothing of their lens: fx = fy = 518.86/640 x width, 63.3 degrees across."""

DIAGONAL_35MM = 43.27
"""Diagonal of the 36 mm x 24 mm frame in millimetres, rounded as EXIF practice has it."""


class Origin(Enum):
    """Where the numbers of a camera come from, from surest to least sure."""

    GIVEN = "given"
    EXIF = "exif"
    ESTIMATED = "estimated"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera.

    Convention:
        Pixels; OpenCV axes (x right, y down, z forward); integer coordinates are pixel centres, so the image spans
        [-0.5, width - 0.5] x [-0.5, height - 0.5].

    Args:
        fx: Horizontal focal length in pixels.
        fy: Vertical focal length in pixels.
        cx: Principal point, column.
        cy: Principal point, row.
        width: Image width in pixels; a whole float such as 640.0 becomes an int.
        height: Image height in pixels; likewise.
        origin: Where these numbers come from.

    Raises:
        InputError: A focal length or size that is not positive and finite, or a size that is not whole.

    Example:
        >>> round(Camera.assumed(640, 480).fov_deg, 1)
        63.3
    """

    fx: float
    fy: float
    cx: float
    cy: float
    width: int
    height: int
    origin: Origin = Origin.GIVEN

    def __post_init__(self) -> None:
        for name in ("fx", "fy", "width", "height"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise InputError(
                    f"camera {name} = {value} is not positive and finite", hint="give it in pixels"
                )
        for name in ("cx", "cy"):
            if not math.isfinite(getattr(self, name)):
                raise InputError(
                    f"camera {name} = {getattr(self, name)} is not finite", hint="give it in pixels"
                )
        for name in ("width", "height"):
            value = getattr(self, name)
            if value != int(value):
                raise InputError(f"camera {name} = {value} is not a whole number of pixels", hint="round it")
            object.__setattr__(self, name, int(value))

    @classmethod
    def centred(cls, f_px: float, width: int, height: int, *, origin: Origin = Origin.GIVEN) -> Camera:
        """A camera with square pixels that looks through the middle of the image.

        Args:
            f_px: Focal length in pixels.
            width: Image width in pixels.
            height: Image height in pixels.
            origin: Where the focal length comes from.

        Returns:
            The camera.
        """
        return cls(f_px, f_px, (width - 1) / 2, (height - 1) / 2, width, height, origin)

    @classmethod
    def assumed(cls, width: int, height: int) -> Camera:
        """The camera of a photo that says nothing of its lens: 63.3 degrees across, one rule for all.

        Args:
            width: Image width in pixels.
            height: Image height in pixels.

        Returns:
            A camera of origin ``ASSUMED``.
        """
        return cls.centred(ASSUMED_FOCAL_PER_WIDTH * width, width, height, origin=Origin.ASSUMED)

    @classmethod
    def from_fov(cls, fov_deg: float, width: int, height: int) -> Camera:
        """A camera from its horizontal field of view.

        Args:
            fov_deg: Horizontal field of view in degrees, between 0 and 180.
            width: Image width in pixels.
            height: Image height in pixels.

        Returns:
            A camera of origin ``GIVEN``.

        Raises:
            InputError: The field of view is not between 0 and 180 degrees.
        """
        if not 0 < fov_deg < 180:
            raise InputError(
                f"field of view {fov_deg}° is not between 0° and 180°",
                hint="give the angle across the photo in degrees",
            )
        return cls.centred(width / 2 / math.tan(math.radians(fov_deg) / 2), width, height)

    @classmethod
    def from_35mm(cls, f35_mm: float, width: int, height: int) -> Camera:
        """A camera from EXIF's 35 mm-equivalent focal length, which is based on the diagonal.

        Args:
            f35_mm: ``FocalLengthIn35mmFilm`` in millimetres.
            width: Image width in pixels.
            height: Image height in pixels.

        Returns:
            A camera of origin ``EXIF`` with f_px = f35 x diagonal_px / 43.27.

        Example:
            >>> round(Camera.from_35mm(26, 4032, 3024).fx)
            3028
        """
        return cls.centred(
            f35_mm * math.hypot(width, height) / DIAGONAL_35MM, width, height, origin=Origin.EXIF
        )

    @property
    def fov_deg(self) -> float:
        """Horizontal field of view in degrees."""
        return math.degrees(2 * math.atan(self.width / 2 / self.fx))

    @property
    def fov_long_deg(self) -> float:
        """Field of view across the longer side in degrees, which does not change when a camera is held upright."""
        if self.width >= self.height:
            return self.fov_deg
        return math.degrees(2 * math.atan(self.height / 2 / self.fy))

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The 3x3 intrinsic matrix K."""
        return np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])

    def resized(self, width: int, height: int) -> Camera:
        """The camera of the same image resized.

        Convention:
            cx' = (cx + 0.5) s - 0.5, so that the image's edges stay where they are.

        Args:
            width: New width in pixels.
            height: New height in pixels.

        Returns:
            The scaled camera; the very same one where the size is the same.
        """
        if (width, height) == (self.width, self.height):
            return self
        sx, sy = width / self.width, height / self.height
        return replace(
            self,
            fx=self.fx * sx,
            fy=self.fy * sy,
            cx=(self.cx + 0.5) * sx - 0.5,
            cy=(self.cy + 0.5) * sy - 0.5,
            width=width,
            height=height,
        )

    def cropped(self, left: int, top: int, width: int, height: int) -> Camera:
        """The camera of a window of the same image.

        Args:
            left: First column kept.
            top: First row kept.
            width: Columns kept.
            height: Rows kept.

        Returns:
            The shifted camera.
        """
        return replace(self, cx=self.cx - left, cy=self.cy - top, width=width, height=height)

    def flipped(self) -> Camera:
        """The camera of the same image mirrored left to right."""
        return replace(self, cx=self.width - 1 - self.cx)

    def to_dict(self) -> dict[str, Any]:
        """The camera as plain JSON values."""
        return {
            "fx": float(self.fx),
            "fy": float(self.fy),
            "cx": float(self.cx),
            "cy": float(self.cy),
            "width": int(self.width),
            "height": int(self.height),
            "origin": self.origin.value,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Camera:
        """Reads what ``to_dict`` wrote.

        Args:
            data: A mapping with the seven fields.

        Returns:
            The camera.

        Raises:
            InputError: A field is missing or is not a number.
        """
        try:
            fx, fy, cx, cy = (float(data[key]) for key in ("fx", "fy", "cx", "cy"))
            return cls(fx, fy, cx, cy, int(data["width"]), int(data["height"]), Origin(data["origin"]))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"camera record {data!r} is not complete ({error})",
                hint="it needs fx fy cx cy width height origin",
            ) from error

    def __str__(self) -> str:
        return f"camera {self.origin.value} {self.fov_long_deg:.0f}°"
