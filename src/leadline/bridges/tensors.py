"""What a network is fed: pixels and labels as plain arrays, in the form asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.errors import InputError
from leadline.core.sample import Sample
from leadline.io.rasters import write_planes

__all__ = ["Arrays", "Augment", "Form", "camera_row", "fill_sample"]

Arrays = tuple[NDArray[Any], NDArray[np.float32], NDArray[np.bool_]]
"""Pixels, labels and mask, of a sample or of a batch."""


class Augment(Protocol):
    """What changes samples at random, the same way for the same epoch and sample."""

    def __call__(self, sample: Sample, *, epoch: int = 0) -> Sample:
        """A sample as an epoch sees it."""
        ...


@dataclass(frozen=True, slots=True)
class Form:
    """The form of the tensors.

    Convention:
        ``pixel_values`` (3, H, W), RGB: float32 (rgb / 255 - mean) / std, or the bytes as they are. ``labels`` (H, W),
        float32, in the unit of the truth's kind; sky is unknown to them.

    Args:
        pixels: ``"float32"`` or ``"uint8"``.
        mean: Of each channel, subtracted.
        std: Of each channel, divided by.
        unknown: What stands where no value is known: ``"zero"`` or ``"nan"``.

    Raises:
        InputError: Another word, or mean and std that are not three numbers each, std above 0, or that are given for bytes.

    Example:
        >>> imagenet = Form(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    """

    pixels: Literal["float32", "uint8"] = "float32"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    unknown: Literal["zero", "nan"] = "zero"

    def __post_init__(self) -> None:
        for name, words in (("pixels", ("float32", "uint8")), ("unknown", ("zero", "nan"))):
            if getattr(self, name) not in words:
                raise InputError(
                    f"{name} = {getattr(self, name)!r} is not {' or '.join(words)}", hint="choose one"
                )
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise InputError(
                f"mean {self.mean} and std {self.std} are not three numbers each, std above 0",
                hint="give one a channel, for pixels from 0 to 1",
            )
        if self.pixels == "uint8" and self.normalises:
            raise InputError("bytes are not normalised", hint="leave mean and std out, or ask for float32")

    @property
    def normalises(self) -> bool:
        """Whether mean or std change anything."""
        return any(self.mean) or any(each != 1 for each in self.std)


def fill_sample(sample: Sample, room: Arrays, *, form: Form) -> None:
    """Makes a network's input and target of a sample.

    Args:
        sample: The sample.
        room: Where pixels (3, H, W), labels (H, W) and mask (H, W) go, of the form's types.
        form: The form.
    """
    pixels_3HW, labels_HW, valid_HW = room
    _fill_pixels(sample.image.rgb_HW3, pixels_3HW, form)
    truth = sample.truth
    np.copyto(valid_HW, truth.valid)
    if form.unknown == "nan":
        np.copyto(labels_HW, truth.values)
        if bool(truth.infinite.any()):
            labels_HW[truth.infinite] = np.nan
    else:
        # The bits times one or nothing: a masked copy takes four times as long.
        np.multiply(truth.values.view(np.uint32), valid_HW, out=labels_HW.view(np.uint32))


def _fill_pixels(rgb_HW3: NDArray[np.uint8], out_3HW: NDArray[Any], form: Form) -> None:
    if form.pixels == "uint8":
        write_planes(rgb_HW3, out_3HW)
        return
    planes = np.empty(out_3HW.shape, np.uint8)
    write_planes(rgb_HW3, planes)
    np.copyto(out_3HW, planes)  # and divided in place: both at once takes a third longer
    np.divide(out_3HW, np.float32(255), out=out_3HW)
    if form.normalises:
        for channel, plane in enumerate(out_3HW):
            np.subtract(plane, np.float32(form.mean[channel]), out=plane)
            np.divide(plane, np.float32(form.std[channel]), out=plane)


def camera_row(camera: Camera) -> tuple[float, float, float, float]:
    """A camera's four numbers: fx, fy, cx, cy."""
    return camera.fx, camera.fy, camera.cx, camera.cy
