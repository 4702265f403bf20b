"""Legends: words, numbers, room."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.kind import KINDS, Along, Freedom, Kind, Quantity
from leadline.ops import legend as room
from leadline.ops.colormaps import SKY, UNKNOWN, colormap_table
from leadline.ops.legend import Words, legend, round_ticks

TABLE = colormap_table("viridis")


def of(kind: Kind, width: int = 640, height: int = 480, *, low: float = 0.93, high: float = 6.31) -> DepthMap:
    values = np.full((height, width), low)
    values[:, width // 2 :] = high
    return DepthMap(values, kind, camera=Camera.from_fov(60, width, height))


def texts(depth: DepthMap, span: tuple[float, float]) -> list[str]:
    """What is written under the bar, from left to right."""
    margin = 2 * round(0.8 * room._font(depth).size)
    font, words = room._font(depth), room._words(depth, span)
    return [text for _, text in sorted(room._labels(depth, span, font, depth.width - margin, words))]


def test_metres_run_from_near_to_far_over_round_numbers() -> None:
    assert texts(of(Kind()), (0.93, 6.31)) == ["0.9 m", "2", "3", "4", "5", "6.3 m"]
    assert texts(of(Kind(Quantity.INVERSE)), (0.4, 1.1)) == [
        "1.10 1/m",
        "0.9",
        "0.8",
        "0.7",
        "0.6",
        "0.40 1/m",
    ]


@pytest.mark.parametrize("kind", [k for k in KINDS.values() if k.freedom is not Freedom.NONE], ids=str)
def test_unknown_units_show_no_numbers(kind: Kind) -> None:
    assert texts(of(kind), (0.4, 1.1)) == ["near", "far"]
    titles = room._words(of(kind), (0.4, 1.1)).titles
    assert titles[0] == kind.words
    assert f"{kind.quantity.value.replace('-', ' ')}, unit unknown" in titles


def test_titles_name_the_unit_the_line_and_the_doubt() -> None:
    span = (1.0, 2.0)
    assert room._words(of(Kind()), span).titles[0] == "depth in metres"
    assert room._words(of(Kind(Quantity.INVERSE)), span).titles[0] == "inverse depth in 1/metres"
    assert room._words(of(Kind(along=Along.RAY)), span).titles[0] == "depth in metres along the ray"
    doubtful = replace(of(Kind()), scale_uncertain=True)
    assert all("(scale uncertain)" in title for title in room._words(doubtful, span).titles)
    assumed = of(Kind()).with_camera(Camera.assumed(640, 480))
    assert not any("uncertain" in title for title in room._words(assumed, span).titles)
    assert room._words(of(Kind()), None).titles == ("no valid pixel",)


def test_one_value_is_written_once() -> None:
    assert texts(of(Kind()), (2.0, 2.0)) == ["2 m"]


def test_the_bar_runs_from_the_near_end_of_the_table_to_the_far() -> None:
    strip = legend(of(Kind()), span=(0.93, 6.31), table=TABLE)
    row = int(np.argmax((strip == TABLE[255]).all(axis=-1).any(axis=1)))
    coloured = strip[row][(strip[row] < 250).any(axis=-1)]
    inner = coloured[1:-1]
    np.testing.assert_array_equal(inner[0], TABLE[255])
    np.testing.assert_array_equal(inner[-1], TABLE[0])


def test_a_key_names_sky_and_unknown_only_where_there_are_any() -> None:
    def holds(depth: DepthMap, colour: tuple[int, int, int]) -> bool:
        return bool((legend(depth, span=(0.93, 6.31), table=TABLE) == colour).all(axis=-1).sum() > 30)

    plain = of(Kind())
    values = plain.values.copy()
    values[0, 0] = np.inf
    with_sky = DepthMap(values, Kind())
    values[0, 1] = np.nan
    with_both = DepthMap(values, Kind())
    assert [holds(depth, SKY) for depth in (plain, with_sky, with_both)] == [False, True, True]
    assert [holds(depth, UNKNOWN[0]) for depth in (plain, with_sky, with_both)] == [False, False, True]


def test_a_key_that_does_not_fit_beside_the_title_is_left_out() -> None:
    values = np.full((200, 640), 2.0)
    values[0, 0] = np.inf
    for width, shown in ((640, True), (120, False)):
        strip = legend(DepthMap(values[:, :width], Kind()), span=(1, 2), table=TABLE)
        assert bool((strip == SKY).all(axis=-1).any()) == shown
        assert (strip == room._INK).all(axis=-1).any()


@pytest.mark.parametrize("width", [1, 3, 16, 64, 100, 160, 320, 1920])
@pytest.mark.parametrize("kind", [Kind(), Kind(Quantity.INVERSE, Freedom.AFFINE, Along.RAY)], ids=str)
def test_nothing_overlaps_and_nothing_is_cut(width: int, kind: Kind) -> None:
    depth = of(kind, width, 200)
    font = room._font(depth)
    margin = min(round(0.8 * font.size), width // 8)
    ends = []
    words = room._words(depth, (0.93, 6.31))
    for x, text in sorted(room._labels(depth, (0.93, 6.31), font, width - 2 * margin, words)):
        left = min(max(x - font.getlength(text) / 2, 0), width - 2 * margin - font.getlength(text))
        assert left >= (ends[-1] + 0.5 * font.size if ends else 0)
        ends.append(left + font.getlength(text))
    assert not ends or ends[-1] <= width - 2 * margin + 1e-6
    assert bool(ends) or width < 100
    assert not ends or width > 16
    strip = legend(depth, span=(0.93, 6.31), table=TABLE)
    assert strip.shape[1:] == (width, 3)
    if margin > 2:
        edge = max(1, int(font.size) // 18)
        assert (strip[:, : margin - edge - 1] == 255).all()


def test_without_a_span_there_is_no_bar() -> None:
    blank = DepthMap(np.full((200, 300), np.nan), Kind())
    assert len(legend(blank, span=None, table=TABLE)) < len(
        legend(of(Kind(), 300, 200), span=(1, 2), table=TABLE)
    )


@settings(max_examples=200, deadline=None)
@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e4), st.integers(1, 12))
def test_ticks_are_round_few_and_inside(low: float, width: float, most: int) -> None:
    high = low + width
    assume(high > low)
    ticks, decimals = round_ticks(low, high, most=most)
    slack = 1e-6 * width
    assert len(ticks) <= most
    assert all(low - slack <= tick <= high + slack for tick in ticks)
    written = [f"{tick:.{decimals}f}" for tick in ticks]
    assert len(set(written)) == len(written)
    np.testing.assert_allclose([float(text) for text in written], ticks, atol=1e-9 * max(abs(low), high))
    if len(ticks) > 1:
        step = ticks[1] - ticks[0]
        digits = f"{step:.3e}"
        assert digits[0] in "125"
        assert (high - low) / step <= most + 1


def test_a_legend_says_other_words_where_it_is_told_to() -> None:
    depth = of(Kind(Quantity.INVERSE, Freedom.AFFINE))
    told = Words(("standard deviation",), "", ("uncertain", "sure"))
    font = room._font(depth)
    assert [text for _, text in room._labels(depth, (0.0, 1.0), font, 600, told)] == ["uncertain", "sure"]
    metres = replace(told, unit="m")
    ends = [text for _, text in sorted(room._labels(depth, (0.0, 1.0), font, 600, metres))]
    assert (ends[0], ends[-1]) == ("1.0 m", "0.0 m")
    plain, other = (legend(depth, span=(0.0, 1.0), table=TABLE, words=words) for words in (None, told))
    assert not np.array_equal(plain, other)
    empty = [legend(depth, span=None, table=TABLE, words=words) for words in (None, told)]
    np.testing.assert_array_equal(*empty)
