"""A picture that shows itself in a notebook and can be saved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leadline.core.errors import InputError
from leadline.io.atomic import write_whole
from leadline.io.pictures import png_bytes

__all__ = ["Sheet"]

_LONGEST_SHOWN = 4096


@dataclass(frozen=True, eq=False)
class Sheet:
    """A picture.

    Args:
        rgb_HW3: uint8 (H, W, 3).
        broken: Samples that could not be drawn, with the reason.
    """

    rgb_HW3: NDArray[np.uint8]
    broken: tuple[str, ...] = ()

    def save(self, path: str | Path) -> Path:
        """Writes the picture, whole or not at all.

        Args:
            path: A .png or .jpg file.

        Returns:
            The path.

        Raises:
            InputError: The name has another ending.
            OutputError: It cannot be written.
        """
        from PIL import Image

        path = Path(path)
        form = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}.get(path.suffix.lower())
        if form is None:
            raise InputError(f"{str(path)!r} is no name of a picture", hint="end it in .png or .jpg")
        with write_whole(path) as part:
            Image.fromarray(self.rgb_HW3).save(part, form)
        return path

    def _repr_png_(self) -> bytes:
        return png_bytes(self.rgb_HW3, longest=_LONGEST_SHOWN)

    def __repr__(self) -> str:
        return f"Sheet of {self.rgb_HW3.shape[1]}x{self.rgb_HW3.shape[0]} pixels"
