"""Colouring: ranges, polarity, what is not a distance, and large maps."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, UnknownName
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.ops.colormaps import SKY, UNKNOWN
from leadline.ops.colour import ColourOptions, colormap_table, colourise, picture, value_range
from leadline.ops.geometry import to_inverse

NAN, INF = np.nan, np.inf
FULL_GREY = ColourOptions("gray", "full")


def test_options_are_checked_when_they_are_made() -> None:
    with pytest.raises(UnknownName, match="did you mean 'viridis'"):
        ColourOptions("viridi")
    with pytest.raises(UnknownName, match="no colour range is called 'robus'; did you mean 'robust'"):
        ColourOptions(range="robus")


@pytest.mark.parametrize("numbers", [(1.0, 1.0), (NAN, 1.0), (0.0, INF), (1.0, 1e300), (0.0, 1e-40)])
def test_a_range_has_a_width(numbers: tuple[float, float]) -> None:
    with pytest.raises(InputError, match="has no width"):
        ColourOptions(range=numbers)


def test_ranges() -> None:
    values = np.random.default_rng(0).uniform(1, 9, (50, 60))
    values[0, 0], values[0, 1] = NAN, INF
    depth = DepthMap(values, Kind())
    known = values[np.isfinite(values)]
    assert value_range(depth) == pytest.approx(tuple(np.percentile(known, (2, 98))), rel=1e-6)
    assert value_range(depth, options=ColourOptions(range="full")) == pytest.approx(
        (known.min(), known.max())
    )
    for numbers in ((0.5, 4.0), (4.0, 0.5)):
        assert value_range(depth, options=ColourOptions(range=numbers)) == (0.5, 4.0)


@pytest.mark.parametrize("chosen", ["robust", "full"])
def test_without_a_valid_pixel_there_is_no_range(chosen: str) -> None:
    blank = DepthMap(np.full((3, 3), NAN), Kind())
    with pytest.raises(InputError, match="no pixel is valid"):
        value_range(blank, options=ColourOptions(range=chosen))
    assert value_range(blank, options=ColourOptions(range=(1, 2))) == (1, 2)


def test_large_maps_are_sampled_and_sparse_ones_are_not() -> None:
    rng = np.random.default_rng(1)
    values = rng.gamma(3.0, 1.0, (1500, 2000)).astype(np.float32) + 0.1
    exact = np.percentile(values, (2, 98))
    found = value_range(DepthMap(values, Kind()))
    assert found == pytest.approx(tuple(exact), rel=0.02)
    assert found == value_range(DepthMap(values, Kind()))
    sparse = np.full_like(values, NAN)
    sparse[1::7, 3::11] = values[1::7, 3::11]
    exact = np.nanpercentile(sparse, (2, 98))
    assert value_range(DepthMap(sparse, Kind())) == pytest.approx(tuple(exact), rel=1e-5)


def test_colour_is_linear_in_the_values_and_stays_at_its_ends() -> None:
    row = DepthMap(np.array([[0.5, 1.0, 2.0, 3.0, 5.0, 7.0]]), Kind())
    grey = colourise(row, options=ColourOptions("gray", (1.0, 5.0)))[0, :, 0]
    np.testing.assert_array_equal(grey, [255, 255, 191, 128, 0, 0])
    table = colormap_table("turbo")
    np.testing.assert_array_equal(colourise(row, options=ColourOptions("turbo", (5.0, 1.0)))[0], table[grey])


@pytest.mark.parametrize("name", ["viridis", "magma", "inferno", "gray"])
def test_near_is_bright_for_depth_and_inverse_depth_alike(name: str) -> None:
    depth = DepthMap(np.linspace(1, 9, 50)[None], Kind())
    for same in (
        depth,
        to_inverse(depth),
        to_inverse(depth).coarsened(Freedom.AFFINE),
        depth.coarsened(Freedom.AFFINE),
    ):
        light = colourise(same, options=ColourOptions(name)).astype(float) @ [0.2126, 0.7152, 0.0722]
        assert (np.diff(light[0]) <= 1).all()
        assert light[0, 0] > light[0, -1] + 100


def test_unknown_is_chequered_and_sky_is_its_own_colour() -> None:
    values = np.full((40, 40), NAN)
    values[:, :10], values[:, 10:20] = 2.0, INF
    for options in (ColourOptions(), FULL_GREY):
        pixels = colourise(DepthMap(values, Kind()), options=options)
        assert (pixels[:, 10:20] == SKY).all()
        shades = {tuple(map(int, pixel)) for pixel in pixels[:, 20:].reshape(-1, 3)}
        assert shades == set(UNKNOWN)
        assert (pixels[:, :10] == colormap_table(options.colormap)[128]).all()


def test_sky_of_inverse_depth_is_sky_too() -> None:
    depth = DepthMap(np.array([[0.5, 0.0]]), Kind(Quantity.INVERSE), infinite=np.array([[False, True]]))
    assert tuple(colourise(depth)[0, 1]) == SKY


def test_the_chequer_is_the_same_whatever_the_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.where(np.indices((90, 70)).sum(axis=0) % 3, 3.0, NAN) * np.linspace(1, 2, 70)
    depth = DepthMap(values, Kind())
    whole = colourise(depth)
    monkeypatch.setattr("leadline.ops.colour._BAND", 500)
    np.testing.assert_array_equal(colourise(depth), whole)


@pytest.mark.parametrize("chosen", ["full", "robust", (0.0, 1e-30), (-9e36, 9e36), (1e-34, 1e-38)])
@pytest.mark.parametrize("kind", [Kind(), Kind(Quantity.INVERSE), Kind(freedom=Freedom.AFFINE)], ids=str)
def test_extreme_values_do_not_break(chosen: Any, kind: Kind) -> None:
    for values in ([1e-38, 1.0, 3.4e38, NAN], [1e-45, 2e-45, 1e-45, 1e-45], [3.4e38, 3.3e38, NAN, NAN]):
        depth = DepthMap(np.array([values], np.float32), kind)
        assert picture(depth, options=ColourOptions(range=chosen)).shape[1] == 4


def test_affine_values_from_one_end_of_float32_to_the_other() -> None:
    depth = DepthMap(np.array([[-3.4e38, 0.0, 3.4e38]], np.float32), Kind(freedom=Freedom.AFFINE))
    np.testing.assert_array_equal(colourise(depth, options=FULL_GREY)[0, [0, 2], 0], [255, 0])


def test_a_24_megapixel_map_needs_no_large_temporaries() -> None:
    values = np.ones((4000, 6000), np.float32)
    values[::2] = 3
    values[:100] = NAN
    depth = DepthMap(values, Kind())
    tracemalloc.start()
    pixels = colourise(depth)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < pixels.nbytes + 24e6


def test_a_picture_is_the_colours_with_a_legend_underneath() -> None:
    depth = DepthMap(np.linspace(1, 4, 480 * 640).reshape(480, 640), Kind(), camera=Camera.assumed(640, 480))
    options = ColourOptions("magma")
    pixels = picture(depth, options=options)
    np.testing.assert_array_equal(pixels[:480], colourise(depth, options=options))
    assert 40 < len(pixels) - 480 < 120
    assert pixels.dtype == np.uint8


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (4000, 1), (37, 53), (2, 64), (480, 11)])
@pytest.mark.parametrize("fill", ["depth", "unknown", "sky", "one"])
def test_every_shape_makes_a_picture(shape: tuple[int, int], fill: str) -> None:
    values = {
        "depth": np.random.default_rng(0).uniform(1, 2, shape),
        "unknown": np.full(shape, NAN),
        "sky": np.full(shape, INF),
        "one": np.full(shape, 2.0),
    }[fill]
    pixels = picture(DepthMap(values, Kind()))
    assert pixels.shape[1:] == (shape[1], 3)
    assert pixels.shape[0] >= shape[0]
