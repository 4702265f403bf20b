from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.image import Image
from leadline.core.kind import Freedom, Kind
from leadline.core.results import ModelRecord, Prediction
from leadline.exporters.colour import ColourExporter, present
from leadline.exporters.panels import laid_side_by_side
from leadline.exporters.side_by_side import SideBySideExporter
from leadline.ops.colour import ColourOptions, picture
from leadline.plugins.ports import ExportOptions


def shown(
    values: np.ndarray, kind: Kind | None = None, *, name: str = "indoor-small", seed: int = 0
) -> Prediction:
    height, width = values.shape
    rgb = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    depth = DepthMap(values, kind or Kind(), camera=Camera.assumed(width, height))
    return Prediction(Image.from_array(rgb), depth, ModelRecord(name))


def ramp(low: float, high: float, *, height: int = 120, width: int = 160) -> np.ndarray:
    return np.broadcast_to(np.linspace(low, high, width), (height, width)).copy()


def test_the_photo_stands_left_and_its_depth_with_legend_right() -> None:
    one = shown(ramp(1, 5))
    laid = laid_side_by_side([one], options=ColourOptions())
    drawn = picture(one.depth)
    assert laid.shape == (len(drawn), 320, 3)
    np.testing.assert_array_equal(laid[:120, :160], one.image.rgb_HW3)
    np.testing.assert_array_equal(laid[:, 160:], drawn)
    strip = laid[120:, :160]
    assert (strip == 255).mean() > 0.8
    assert strip.min() < 100  # the model's name is written there


def test_a_panorama_lies_above_its_depth() -> None:
    one = shown(ramp(1, 5, height=40, width=200))
    laid = laid_side_by_side([one, one], options=ColourOptions())
    drawn = picture(one.depth)
    assert laid.shape == (40 + 2 * len(drawn), 200, 3)
    np.testing.assert_array_equal(laid[:40], one.image.rgb_HW3)
    np.testing.assert_array_equal(laid[40 : 40 + len(drawn)], drawn)


def test_metric_maps_share_a_range_so_that_equal_colours_are_equal_distances() -> None:
    near, far = shown(ramp(1, 2)), shown(ramp(3, 8), name="b")
    laid = laid_side_by_side([near, far], options=ColourOptions(range="full"))
    both = ColourOptions(range=(1.0, 8.0))
    np.testing.assert_array_equal(laid[:, 160:320], picture(near.depth, options=both))
    np.testing.assert_array_equal(laid[:, 320:], picture(far.depth, options=both))


def test_maps_of_unknown_scale_and_given_ranges_keep_their_own() -> None:
    kind = Kind(freedom=Freedom.SCALE)
    pair = [shown(ramp(1, 2), kind), shown(ramp(3, 8), kind)]
    full = ColourOptions(range="full")
    laid = laid_side_by_side(pair, options=full)
    np.testing.assert_array_equal(laid[:, 160:320], picture(pair[0].depth, options=full))
    given = ColourOptions(range=(2.0, 4.0))
    metric = [shown(ramp(1, 2)), shown(ramp(3, 8))]
    laid = laid_side_by_side(metric, options=given)
    np.testing.assert_array_equal(laid[:, 320:], picture(metric[1].depth, options=given))


def test_flat_and_empty_maps_are_laid_too() -> None:
    flat, empty = shown(np.full((30, 40), 2.0)), shown(np.full((30, 40), np.nan))
    for pair in ([flat, flat], [empty, empty], [flat, empty], [empty, flat]):
        assert laid_side_by_side(pair, options=ColourOptions()).shape[1] == 120


def test_photos_of_different_sizes_and_none_at_all_are_refused() -> None:
    pair = [shown(ramp(1, 2)), shown(ramp(1, 2, height=60))]
    with pytest.raises(InputError, match=r"sizes \[\(60, 160\), \(120, 160\)\] are not of one photo"):
        laid_side_by_side(pair, options=ColourOptions())
    with pytest.raises(InputError, match="no prediction was given"):
        laid_side_by_side([], options=ColourOptions())


def test_several_models_go_into_one_file(tmp_path: Path) -> None:
    path = tmp_path / "a_side.jpg"
    many = [shown(ramp(1, 5), name=name) for name in ("a", "b", "c")]
    SideBySideExporter().write_several(many, path, options=ExportOptions())
    with Pil.open(path) as written:
        assert written.width == 4 * 160
        photo = np.asarray(written.crop((0, 0, 160, 120)), float)
    blurred = np.abs(photo - many[0].image.rgb_HW3)
    assert blurred.mean() < 12  # noise is the hardest thing for JPEG


def test_the_colour_file_is_the_picture_with_the_options_that_were_given(tmp_path: Path) -> None:
    one = shown(ramp(1, 5))
    options = ColourOptions("turbo", (0.5, 9.0))
    ColourExporter().write(one, tmp_path / "a.png", options=ExportOptions(options))
    with Pil.open(tmp_path / "a.png") as written:
        np.testing.assert_array_equal(np.asarray(written), picture(one.depth, options=options))


def opened(data: bytes | None) -> Pil.Image:
    assert data is not None
    return Pil.open(io.BytesIO(data))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (48, 64), (900, 3000), (3000, 900)])
def test_a_notebook_shows_at_most_1024_pixels(height: int, width: int) -> None:
    one = shown(ramp(1, 5, height=height, width=width))
    for value in (one, one.depth):
        size = opened(present(value)).size
        assert max(size) <= 1024
        assert max(size) >= min(1024, max(height, width)) * 0.5


def test_a_notebook_shows_photo_and_depth_and_nothing_of_other_values() -> None:
    one = shown(ramp(1, 5))
    np.testing.assert_array_equal(
        np.asarray(opened(present(one))), laid_side_by_side([one], options=ColourOptions())
    )
    np.testing.assert_array_equal(np.asarray(opened(present(one.depth))), picture(one.depth))
    assert present(3) is None
    assert present(Camera.assumed(4, 3)) is None


def test_panels_of_huge_photos_are_a_whole_fraction_of_their_size() -> None:
    slope = ramp(1.0, 4.0, height=3001, width=5121) + np.linspace(0, 3, 3001)[:, None]
    one = shown(slope)
    laid = laid_side_by_side([one], options=ColourOptions(range="full"))
    height, width = 1001, 1707  # a third, rounded up
    assert laid.shape[1] == 2 * width
    squares = one.image.rgb_HW3[:3000, :5121].reshape(1000, 3, width, 3, 3).mean((1, 3))
    np.testing.assert_allclose(laid[:1000, :width].astype(float), squares, atol=1)
    np.testing.assert_array_equal(
        laid[:height, width:],
        picture(shown(slope[::3, ::3]).depth, options=ColourOptions(range="full"))[:height],
    )
