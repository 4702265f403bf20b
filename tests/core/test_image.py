"""Photos as values."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from leadline.core.camera import Camera, Origin
from leadline.core.errors import InputError
from leadline.core.image import Image


@pytest.mark.parametrize(
    "rgb",
    [
        np.zeros((4, 5), np.uint8),
        np.zeros((4, 5, 4), np.uint8),
        np.zeros((4, 5, 3), np.float32),
        np.zeros((0, 5, 3), np.uint8),
        np.zeros(3, np.uint8),
        np.uint8(3),
        [[[1, 2, 3]]],
        None,
    ],
    ids=lambda rgb: f"{getattr(rgb, 'shape', rgb)}",
)
def test_only_uint8_rgb_is_an_image(rgb: Any) -> None:
    with pytest.raises(InputError, match=r"is not uint8 \(H, W, 3\)"):
        Image.from_array(rgb)


def test_the_camera_fits() -> None:
    with pytest.raises(InputError, match="camera of 4x5 does not fit an image of 5x4"):
        Image.from_array(np.zeros((4, 5, 3), np.uint8), camera=Camera.assumed(4, 5))


def test_without_a_camera_one_is_assumed() -> None:
    photo = Image.from_array(np.zeros((4, 5, 3), np.uint8), source="a.jpg")
    assert photo.camera == Camera.assumed(5, 4)
    assert photo.camera.origin is Origin.ASSUMED
    assert (photo.height, photo.width) == (4, 5)
    assert repr(photo) == "Image 4x5, camera assumed 63°, 'a.jpg'"


@pytest.mark.parametrize(
    "copied",
    [lambda p: p, copy.copy, copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))],
    ids=["itself", "copy", "deepcopy", "pickle"],
)
def test_pixels_are_read_only_and_not_the_caller_s(copied: Any) -> None:
    rgb = np.zeros((4, 5, 3), np.uint8)
    photo = copied(Image.from_array(rgb))
    rgb[:] = 9
    assert not photo.rgb_HW3.any()
    with pytest.raises(ValueError, match="read-only"):
        photo.rgb_HW3[0] = 1


def test_read_only_pixels_are_not_copied() -> None:
    rgb = np.zeros((4, 5, 3), np.uint8)
    rgb.flags.writeable = False
    assert Image.from_array(rgb).rgb_HW3 is rgb
