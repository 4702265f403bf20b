"""Cropping: windows, cameras, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.ops.crop import crop

CAMERA = Camera(50, 51, 3.25, 2.5, 7, 5)
NUMBERS = np.arange(35, dtype=np.float32).reshape(5, 7)
PHOTO = Image.from_array(
    np.repeat(NUMBERS[..., None], 3, axis=2).astype(np.uint8), camera=CAMERA, source="a.jpg"
)
DEPTH = DepthMap(np.where(NUMBERS == 17, np.inf, NUMBERS), Kind(), camera=CAMERA)


def test_a_window_of_depth() -> None:
    part = crop(DEPTH, left=2, top=1, width=3, height=2)
    np.testing.assert_array_equal(part.values, [[9, 10, 11], [16, np.inf, 18]])
    np.testing.assert_array_equal(part.infinite, [[False] * 3, [False, True, False]])
    assert part.camera == Camera(50, 51, 1.25, 1.5, 3, 2)
    assert part.kind == DEPTH.kind
    assert crop(DEPTH.with_camera(None), left=2, top=1, width=3, height=2).camera is None


def test_a_window_of_a_photo() -> None:
    part = crop(PHOTO, left=2, top=1, width=3, height=2)
    np.testing.assert_array_equal(part.rgb_HW3[..., 0], [[9, 10, 11], [16, 17, 18]])
    assert part.camera == Camera(50, 51, 1.25, 1.5, 3, 2)
    assert part.source == "a.jpg"


def test_a_window_does_not_hold_the_whole_in_memory() -> None:
    part = crop(PHOTO, left=0, top=0, width=1, height=1)
    assert not np.shares_memory(part.rgb_HW3, PHOTO.rgb_HW3)
    assert part.rgb_HW3.flags.c_contiguous


@pytest.mark.parametrize("value", [PHOTO, DEPTH], ids=lambda value: type(value).__name__)
class TestBoth:
    def test_the_whole_is_the_same_object(self, value: Any) -> None:
        assert crop(value, left=0, top=0, width=7, height=5) is value

    @pytest.mark.parametrize(
        "window",
        [
            (-1, 0, 2, 2),
            (0, -1, 2, 2),
            (0, 0, 0, 2),
            (0, 0, 2, 0),
            (6, 0, 2, 2),
            (0, 4, 2, 2),
            (0, 0, 8, 5),
            (0.5, 0, 2, 2),
            (0, 0, None, 2),
        ],
    )
    def test_windows_outside_empty_or_broken_are_refused(self, value: Any, window: tuple[Any, ...]) -> None:
        left, top, width, height = window
        with pytest.raises(InputError, match="does not lie within 7x5"):
            crop(value, left=left, top=top, width=width, height=height)
