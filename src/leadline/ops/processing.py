"""Pre- and post-processing of networks whose file cannot hold them.

A model's file maps uint8 RGB of any size to depth at the source's size where it can. Where it cannot (fixed position
embeddings, a foreign ONNX file), the family declares a ``Processing`` beside its network, and every engine applies
this one implementation, so that the numbers are the same in each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from leadline.core.errors import InputError

__all__ = ["Processing", "prepare", "restore"]


@dataclass(frozen=True, slots=True)
class Processing:
    """How a photo becomes a network's input and its output becomes depth.

    Convention:
        input = (rgb / 255 - mean) / std; depth = output x scale + offset.

    Args:
        height: Network input height in pixels.
        width: Network input width in pixels.
        mean: Per-channel mean, in units of 1.
        std: Per-channel standard deviation, in units of 1.
        layout: Order of the input's axes.
        output_scale: Factor from the network's unit to the kind's unit: 0.01 for centimetres.
        output_offset: Added after the factor.
        resample: Pillow's filter that brings the photo to the network's size.
        way_back: How the output is brought to the photo's size: by Pillow's antialiased bilinear filter, or interpolated
            between its values as PyTorch does it, ``"linear"`` or ``"cubic"`` (Keys' kernel, a = -0.75).
        keeps_range: Whether values stay within what the network said: cubic interpolation swings beyond it.

    Raises:
        InputError: A size below 1 or a standard deviation of 0.
    """

    height: int
    width: int
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    output_scale: float = 1.0
    output_offset: float = 0.0
    resample: Literal["bilinear", "bicubic"] = "bilinear"
    way_back: Literal["antialiased", "linear", "cubic"] = "antialiased"
    keeps_range: bool = False

    def __post_init__(self) -> None:
        if self.height < 1 or self.width < 1:
            raise InputError(
                f"network input of {self.width}x{self.height} has no pixels",
                hint="give height and width of at least 1",
            )
        if 0.0 in self.std:
            raise InputError(
                f"standard deviation {self.std} contains 0", hint="use 1 to leave a channel as it is"
            )


def prepare(rgb_HW3: NDArray[np.uint8], *, processing: Processing) -> NDArray[np.float32]:
    """A photo as the network wants it.

    Args:
        rgb_HW3: Pixels, uint8, shape (H, W, 3).
        processing: The declared record.

    Returns:
        float32, shape (3, h, w) or (h, w, 3) by the layout: resized with Pillow's antialiased filter, then normalised.
    """
    from PIL import Image as PilImage

    size = (processing.width, processing.height)
    kernel = PilImage.Resampling[processing.resample.upper()]
    resized = np.asarray(PilImage.fromarray(rgb_HW3).resize(size, kernel))
    mean, std = (np.asarray(v, np.float32) for v in (processing.mean, processing.std))
    pixels = ((resized.astype(np.float32) / 255 - mean) / std).astype(np.float32)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)) if processing.layout == "NCHW" else pixels


def restore(
    output: NDArray[np.float32], *, processing: Processing, height: int, width: int
) -> NDArray[np.float32]:
    """A network's output as depth at the photo's size.

    Args:
        output: One map; axes of length 1 are dropped.
        processing: The declared record.
        height: Rows of the photo.
        width: Columns of the photo.

    Returns:
        float32, shape (height, width): resized, then scaled.

    Raises:
        InputError: The output is not one map.
    """
    plane = output.reshape([n for n in output.shape if n != 1] or [1, 1])
    if plane.ndim == 1:
        trailing = output.ndim == 4 and processing.layout == "NHWC"
        plane = plane.reshape(output.shape[1:3] if trailing else output.shape[-2:])
    if plane.ndim != 2:
        raise InputError(
            f"network output of shape {output.shape} is not one depth map",
            hint="name the output that holds depth",
        )
    resized = _resized(plane.astype(np.float32), height, width, processing.way_back)
    if processing.keeps_range:
        resized = resized.clip(plane.min(), plane.max())
    return resized * np.float32(processing.output_scale) + np.float32(processing.output_offset)


def _resized(plane: NDArray[np.float32], height: int, width: int, way: str) -> NDArray[np.float32]:
    if way == "antialiased":
        from PIL import Image as PilImage

        return np.asarray(PilImage.fromarray(plane).resize((width, height), PilImage.Resampling.BILINEAR))
    rows = _blended(plane, height, way)
    return np.ascontiguousarray(_blended(rows.T, width, way).T)


def _blended(rows: NDArray[np.float32], count: int, way: str) -> NDArray[np.float32]:
    """Rows between rows: weighted sums of the two or four nearest, the outermost repeated beyond the edge."""
    place = (np.arange(count) + 0.5) * (len(rows) / count) - 0.5
    first = np.floor(place)
    share = place - first
    taps = _cubic_taps(share) if way == "cubic" else ((0, 1 - share), (1, share))
    blended = np.zeros((count, rows.shape[1]), np.float32)
    for offset, weight in taps:
        index = np.clip(first + offset, 0, len(rows) - 1).astype(np.intp)
        blended += rows[index] * weight.astype(np.float32)[:, None]
    return blended


def _cubic_taps(share: NDArray[np.float64]) -> tuple[tuple[int, NDArray[np.float64]], ...]:
    """Keys, "Cubic convolution interpolation for digital image processing" (1981), with a = -0.75 as PyTorch has it."""
    a = -0.75

    def near(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def far(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    return ((-1, far(share + 1)), (0, near(share)), (1, near(1 - share)), (2, far(2 - share)))
