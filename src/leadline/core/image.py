"""A photo: upright RGB pixels and the camera that saw them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.errors import InputError

__all__ = ["Image"]


@dataclass(frozen=True, eq=False)
class Image:
    """Upright RGB pixels with their camera.

    Convention:
        sRGB, 8 bits a channel, row 0 at the top. The array is read-only.

    Args:
        rgb_HW3: Pixels, uint8, shape (H, W, 3).
        camera: The camera; the ASSUMED one where none is known.
        source: What the user called this photo: a path, a URL, or ``"array"``.

    Raises:
        InputError: The array is not uint8 (H, W, 3) with at least one pixel, or the camera has another size.

    Example:
        >>> Image.from_array(np.zeros((480, 640, 3), np.uint8)).camera.width
        640
    """

    rgb_HW3: NDArray[np.uint8]
    camera: Camera
    source: str = "array"

    def __post_init__(self) -> None:
        rgb = self.rgb_HW3
        if (
            not isinstance(rgb, np.ndarray)
            or rgb.dtype != np.uint8
            or rgb.ndim != 3
            or rgb.shape[2] != 3
            or rgb.size == 0
        ):
            shape, dtype = getattr(rgb, "shape", None), getattr(rgb, "dtype", type(rgb).__name__)
            raise InputError(
                f"an image of shape {shape} and type {dtype} is not uint8 (H, W, 3)",
                hint="pass 8-bit RGB pixels",
            )
        if (self.camera.width, self.camera.height) != (rgb.shape[1], rgb.shape[0]):
            raise InputError(
                f"camera of {self.camera.width}x{self.camera.height} does not fit an image of {rgb.shape[1]}x{rgb.shape[0]}",
                hint="use camera.resized(width, height)",
            )
        if rgb.flags.writeable:
            rgb = rgb.copy()
            rgb.flags.writeable = False
            object.__setattr__(self, "rgb_HW3", rgb)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.rgb_HW3.flags.writeable = False

    @classmethod
    def from_array(
        cls, rgb_HW3: NDArray[np.uint8], *, camera: Camera | None = None, source: str = "array"
    ) -> Image:
        """An image from pixels, with the ASSUMED camera where none is given.

        Args:
            rgb_HW3: Pixels, uint8, shape (H, W, 3).
            camera: The camera, if it is known.
            source: A name for messages and files.

        Returns:
            The image.
        """
        if camera is None and getattr(rgb_HW3, "ndim", 0) >= 2 and rgb_HW3.size:
            camera = Camera.assumed(rgb_HW3.shape[1], rgb_HW3.shape[0])
        return cls(rgb_HW3, camera or Camera.assumed(1, 1), source)

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.rgb_HW3.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.rgb_HW3.shape[1])

    def __repr__(self) -> str:
        return f"Image {self.height}x{self.width}, {self.camera}, {self.source!r}"
