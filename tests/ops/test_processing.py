"""Declared pre- and post-processing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image as PilImage

from leadline.core.errors import InputError
from leadline.ops.processing import Processing, prepare, restore

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.mark.parametrize(("height", "width"), [(0, 5), (5, 0), (-1, 5)])
def test_an_input_has_pixels(height: int, width: int) -> None:
    with pytest.raises(InputError, match=f"network input of {width}x{height} has no pixels"):
        Processing(height, width)


def test_a_standard_deviation_is_not_0() -> None:
    with pytest.raises(InputError, match="contains 0"):
        Processing(4, 4, std=(1.0, 0.0, 1.0))


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_a_photo_is_resized_and_normalised(layout: Any) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (30, 41, 3), np.uint8)
    found = prepare(rgb, processing=Processing(14, 28, MEAN, STD, layout))
    small = np.asarray(PilImage.fromarray(rgb).resize((28, 14), PilImage.Resampling.BILINEAR))
    expected = (small / 255.0 - MEAN) / STD
    if layout == "NCHW":
        expected = np.moveaxis(expected, -1, 0)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_same_size_keeps_every_pixel() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (6, 7, 3), np.uint8)
    found = prepare(rgb, processing=Processing(6, 7, layout="NHWC"))
    np.testing.assert_allclose(found * 255, rgb, atol=1e-4)


@pytest.mark.parametrize("shape", [(4, 5), (1, 4, 5), (1, 1, 4, 5), (1, 4, 5, 1)])
def test_axes_of_length_1_are_dropped_and_the_unit_is_applied(shape: tuple[int, ...]) -> None:
    plane = np.arange(20, dtype=np.float32)
    processing = Processing(4, 5, output_scale=0.01, output_offset=0.5)
    found = restore(plane.reshape(shape), processing=processing, height=4, width=5)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, plane.reshape(4, 5) * 0.01 + 0.5, atol=1e-6)


def test_depth_is_resized_bilinearly_to_the_photo() -> None:
    ramp = np.tile(np.linspace(0, 7, 8, dtype=np.float32), (3, 1))
    found = restore(ramp, processing=Processing(3, 8), height=9, width=32)
    assert found.shape == (9, 32)
    centres = (np.arange(32) + 0.5) / 4 - 0.5
    np.testing.assert_allclose(found[4, 2:-2], centres[2:-2], atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1, 1, 6), (1, 1, 6, 1), (1, 1), (1, 1, 1, 1), (6, 1), (1, 6)])
def test_maps_one_pixel_wide_or_high_are_maps(shape: tuple[int, ...]) -> None:
    size = max(shape)
    found = restore(
        np.arange(size, dtype=np.float32).reshape(shape), processing=Processing(1, 1), height=3, width=6
    )
    assert found.shape == (3, 6)
    if size == 6 and shape[-1] == 6:
        np.testing.assert_array_equal(found, np.tile(np.arange(6), (3, 1)))


def test_a_column_with_the_channel_last_is_a_column() -> None:
    column = np.arange(6, dtype=np.float32).reshape(1, 6, 1, 1)
    found = restore(column, processing=Processing(6, 1, layout="NHWC"), height=6, width=2)
    np.testing.assert_array_equal(found, np.tile(np.arange(6)[:, None], 2))


@pytest.mark.parametrize("shape", [(6,), (2, 4, 5), (1, 3, 4, 5), (2, 1, 4, 5)])
def test_several_maps_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="is not one depth map"):
        restore(np.zeros(shape, np.float32), processing=Processing(4, 5), height=4, width=5)


@pytest.mark.parametrize(("way", "mode"), [("linear", "bilinear"), ("cubic", "bicubic")])
@pytest.mark.parametrize("size", [(7, 9), (20, 30), (3, 40), (1, 1)])
def test_the_way_back_is_pytorchs(way: Any, mode: str, size: tuple[int, int]) -> None:
    torch = pytest.importorskip("torch")
    plane = np.random.default_rng(1).random((7, 9)).astype(np.float32)
    wanted = torch.nn.functional.interpolate(
        torch.from_numpy(plane)[None, None], size=size, mode=mode, align_corners=False
    )[0, 0].numpy()
    made = restore(plane, processing=Processing(7, 9, way_back=way), height=size[0], width=size[1])
    np.testing.assert_allclose(made, wanted, atol=2e-6)


def test_values_stay_in_the_networks_range_where_that_is_said() -> None:
    plane = np.zeros((4, 4), np.float32)
    plane[1, 1] = 1
    swung, kept = (
        restore(plane, processing=Processing(4, 4, way_back="cubic", keeps_range=told), height=16, width=16)
        for told in (False, True)
    )
    assert swung.min() < -0.01
    assert (kept.min(), kept.max()) == (0, min(1, swung.max()))


def test_photos_are_resized_by_the_filter_that_is_said() -> None:
    rgb = np.random.default_rng(2).integers(0, 256, (20, 20, 3), np.uint8)
    for name, kernel in (
        ("bilinear", PilImage.Resampling.BILINEAR),
        ("bicubic", PilImage.Resampling.BICUBIC),
    ):
        wanted = np.asarray(PilImage.fromarray(rgb).resize((6, 5), kernel)) / 255
        made = prepare(rgb, processing=Processing(5, 6, resample=name, layout="NHWC"))  # type: ignore[arg-type]
        np.testing.assert_allclose(made, wanted, atol=1e-6)
