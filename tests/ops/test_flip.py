"""Mirroring."""

from __future__ import annotations

import numpy as np

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.ops.flip import flip

CAMERA = Camera(50, 51, 0.5, 0.25, 3, 1)


def test_depth_masks_and_camera_are_mirrored() -> None:
    flipped = flip(DepthMap(np.array([[1.0, np.nan, np.inf]]), Kind(), camera=CAMERA))
    np.testing.assert_array_equal(flipped.values, np.float32([[np.inf, np.nan, 1]]))
    np.testing.assert_array_equal(flipped.valid, [[False, False, True]])
    np.testing.assert_array_equal(flipped.infinite, [[True, False, False]])
    assert flipped.camera == Camera(50, 51, 1.5, 0.25, 3, 1)
    assert flip(DepthMap(np.ones((1, 1)), Kind())).camera is None


def test_a_photo_is_mirrored_with_its_camera_into_plain_memory() -> None:
    photo = flip(
        Image.from_array(np.arange(9, dtype=np.uint8).reshape(1, 3, 3), camera=CAMERA, source="a.jpg")
    )
    np.testing.assert_array_equal(photo.rgb_HW3[0], [[6, 7, 8], [3, 4, 5], [0, 1, 2]])
    assert photo.camera.cx == 1.5
    assert photo.source == "a.jpg"
    assert photo.rgb_HW3.flags.c_contiguous
