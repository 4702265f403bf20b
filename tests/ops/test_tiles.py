from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.core.kind import Freedom
from leadline.ops.tiles import Blend, Tile, fit_to_whole, tile_rows


def plane(height: int, width: int, *, share: float = 1.0) -> np.ndarray:
    """A plane seen at a share of its size: linear in the photo's own pixels, whose centres are at whole numbers."""
    h, w = round(height * share), round(width * share)
    y, x = (np.arange(h) + 0.5) / share - 0.5, (np.arange(w) + 0.5) / share - 0.5
    return (2 + 0.003 * x[None] + 0.002 * y[:, None]).astype(np.float32)


@given(width=st.integers(1, 3000), height=st.integers(1, 3000), side=st.integers(64, 900))
@settings(max_examples=60, deadline=None)
def test_tiles_cover_the_photo_and_overlap_by_a_quarter(width: int, height: int, side: int) -> None:
    rows = tile_rows(width, height, side=side)
    for length, starts, size in (
        (width, [tile.left for tile in rows[0]], min(side, width)),
        (height, [row[0].top for row in rows], min(side, height)),
    ):
        assert starts[0] == 0
        assert starts[-1] + size == length
        assert all(0 < b - a <= size - size // 4 + 1 for a, b in itertools.pairwise(starts))
    assert {(tile.width, tile.height) for row in rows for tile in row} == {
        (min(side, width), min(side, height))
    }


@pytest.mark.parametrize("freedom", [Freedom.NONE, Freedom.SCALE, Freedom.AFFINE])
def test_a_fit_finds_the_factor_and_the_shift_of_a_tile(freedom: Freedom) -> None:
    tile, whole = Tile(130, 70, 256, 200), plane(600, 800, share=0.19)
    height, width = 600, 800
    there = plane(height, width)[tile.top : tile.top + tile.height, tile.left : tile.left + tile.width]
    shift = 1.7 if freedom is Freedom.AFFINE else 0.0
    found = fit_to_whole(
        (there - np.float32(shift)) / np.float32(2.5),
        tile,
        whole,
        width=width,
        height=height,
        freedom=freedom,
    )
    assert found is not None
    assert found.scale == pytest.approx(2.5, rel=2e-3)
    assert found.shift == pytest.approx(shift, abs=2e-2)


def test_what_is_unknown_or_an_outlier_does_not_pull_the_fit() -> None:
    tile, whole = Tile(0, 0, 256, 256), plane(512, 512, share=0.25)
    values = plane(512, 512)[:256, :256] / np.float32(3)
    values[:40] = np.nan
    values[100:130, 100:160] = 50
    found = fit_to_whole(values, tile, whole, width=512, height=512, freedom=Freedom.AFFINE)
    assert found is not None
    assert (found.scale, found.shift) == (pytest.approx(3, rel=1e-3), pytest.approx(0, abs=1e-2))


@pytest.mark.parametrize(
    ("values", "freedom"),
    [
        (np.full((256, 256), 2.0, np.float32), Freedom.AFFINE),
        (np.full((256, 256), np.nan, np.float32), Freedom.NONE),
        (-plane(512, 512)[:256, :256], Freedom.AFFINE),
        (-plane(512, 512)[:256, :256], Freedom.SCALE),
    ],
)
def test_a_tile_that_fixes_nothing_is_not_fitted(values: np.ndarray, freedom: Freedom) -> None:
    whole = plane(512, 512, share=0.25)
    assert fit_to_whole(values, Tile(0, 0, 256, 256), whole, width=512, height=512, freedom=freedom) is None


@pytest.mark.parametrize(("height", "width", "side"), [(300, 700, 128), (700, 300, 200), (90, 1000, 100)])
def test_a_blend_of_tiles_that_agree_is_the_map_itself(height: int, width: int, side: int) -> None:
    whole = np.random.default_rng(0).uniform(1, 5, (height, width)).astype(np.float32)
    whole[20:40, 50:90] = np.nan
    blend = Blend(width, height)
    for row in tile_rows(width, height, side=side):
        blend.begin_row(row[0].top, row[0].height)
        for tile in row:
            part = whole[tile.top : tile.top + tile.height, tile.left : tile.left + tile.width]
            blend.add(part, tile)
    np.testing.assert_allclose(blend.done(), whole, rtol=2e-6)


def test_neighbours_fade_into_each_other_without_a_step() -> None:
    blend = Blend(175, 100)
    (row,) = tile_rows(175, 100, side=100)
    blend.begin_row(0, 100)
    for tile, value in zip(row, (1.0, 2.0), strict=True):
        blend.add(np.full((100, 100), value, np.float32), tile)
    middle = blend.done()[50]
    assert (middle[:75] == 1).all()
    assert (middle[100:] == 2).all()
    assert 0 < np.diff(middle[74:101]).max() < 0.06


def test_what_one_tile_does_not_know_its_neighbour_says() -> None:
    blend = Blend(150, 100)
    blend.begin_row(0, 100)
    first = np.full((100, 100), 1.0, np.float32)
    first[:, 60:] = np.nan
    blend.add(first, Tile(0, 0, 100, 100))
    blend.add(np.full((100, 100), 1.0, np.float32), Tile(50, 0, 100, 100))
    assert (blend.done() == 1).all()
