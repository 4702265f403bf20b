"""Measured distances as they are typed, listed and filed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError, UnknownName
from leadline.core.kind import Along, Freedom, Kind, Quantity
from leadline.flows.measured import read_sparse, typed_points
from leadline.io.depth_files import write_depth


def typed(*texts: str) -> list[tuple[int, int, float]]:
    found = typed_points(texts, along=Along.RAY)
    assert found.along is Along.RAY
    return [
        (int(x), int(y), round(float(z), 9))
        for x, y, z in zip(found.columns, found.rows, found.depth_m, strict=True)
    ]


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("412,300=2.4m", (412, 300, 2.4)),
        (" 412 , 300 = 2.4 m ", (412, 300, 2.4)),
        ("0,0=240cm", (0, 0, 2.4)),
        ("7,8=2400mm", (7, 8, 2.4)),
        ("7,8=10ft", (7, 8, 3.048)),
        ("7,8=100in", (7, 8, 2.54)),
        ("7.4,8.6=.5m", (7, 9, 0.5)),
        ("7,8=1e3mm", (7, 8, 1.0)),
        ("-3,8=1m", (-3, 8, 1.0)),
    ],
)
def test_points_in_every_unit(text: str, point: tuple[int, int, float]) -> None:
    assert typed(text) == [point]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("412,300", "'412,300' is no point; such as 412,300=2.4m"),
        ("412=2.4m", "is no point"),
        ("99999999999999999999,2=3m", "is no point"),
        ("x,y=2.4m", "is no point"),
        ("", "is no point"),
        ("412,300=2.4", "does not say 2.4 of what; add one of m, cm, mm, ft, in"),
        ("412,300=", "has no distance that can be read: ''"),
        ("412,300=2,4m", "has no distance that can be read: '2,4m'"),
        ("412,300=7ft10in", "has no distance that can be read: '7ft10in'"),
        ("412,300=nan", "has no distance that can be read: 'nan'"),
        ("412,300=0m", "'412,300=0m' is no distance; give more than 0"),
        ("412,300=-2m", "'412,300=-2m' is no distance"),
        ("412,300=1e999m", "is no distance"),
    ],
)
def test_what_is_no_point_is_said_so(text: str, words: str) -> None:
    with pytest.raises(InputError) as refused:
        typed(text)
    assert words in str(refused.value)


def test_a_unit_that_is_unknown_and_a_pixel_given_twice() -> None:
    with pytest.raises(UnknownName, match="no unit is called 'yd'; known: cm, ft, in, m, mm"):
        typed("1,2=3yd")
    with pytest.raises(UnknownName, match="did you mean 'mm'"):
        typed("1,2=3mmm")
    with pytest.raises(InputError, match="pixel 1,2 is given twice"):
        typed("1,2=3m", "1.2,2=3m")


def test_a_list_of_points(tmp_path: Path) -> None:
    path = tmp_path / "points.txt"
    path.write_text("# by laser\n\n1,2=3m\n  4,5=60cm\n")
    assert typed(f"@{path}", "7,8=1m") == [(1, 2, 3.0), (4, 5, 0.6), (7, 8, 1.0)]
    with pytest.raises(InputError, match="there is no"):
        typed(f"@{path}x")
    path.write_bytes(b"\xff\x00\xfe")
    with pytest.raises(InputError, match="is no list of points"):
        typed(f"@{path}")


def sparse() -> DepthMap:
    values = np.full((6, 8), np.nan)
    values[1, 2], values[5, 7] = 1.5, 4.0
    return DepthMap(values, Kind())


@pytest.mark.parametrize("along", list(Along))
def test_known_pixels_of_a_depth_file(along: Along, tmp_path: Path) -> None:
    write_depth(tmp_path / "s.npz", DepthMap(sparse().values, Kind(along=along)))
    found = read_sparse(tmp_path / "s.npz", size=(6, 8), scale=None, along=None)
    assert found.along is along
    assert (found.rows.tolist(), found.columns.tolist(), found.depth_m.tolist()) == ([1, 5], [2, 7], [1.5, 4])
    other = Along.RAY if along is Along.AXIS else Along.AXIS
    with pytest.raises(KindError, match=f"--along says {other.value}"):
        read_sparse(tmp_path / "s.npz", size=(6, 8), scale=None, along=other)


def test_a_smaller_file_goes_to_the_photos_pixels(tmp_path: Path) -> None:
    write_depth(tmp_path / "s.png", sparse())
    found = read_sparse(tmp_path / "s.png", size=(30, 40), scale=None, along=None)
    assert (found.rows.tolist(), found.columns.tolist()) == (
        [7, 27],
        [12, 37],
    )  # the middles of blocks of five
    with pytest.raises(InputError, match="is 8x6, another shape than the photo's 40x40"):
        read_sparse(tmp_path / "s.png", size=(40, 40), scale=None, along=None)


def test_bare_files_need_their_scale_and_may_be_along_the_ray(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 1500], [4000, 0]], np.uint16)).save(tmp_path / "s.png")
    with pytest.raises(KindError, match="does not say what its numbers mean"):
        read_sparse(tmp_path / "s.png", size=(2, 2), scale=None, along=None)
    found = read_sparse(tmp_path / "s.png", size=(2, 2), scale=0.001, along=Along.RAY)
    assert (found.depth_m.round(6).tolist(), found.along) == ([1.5, 4.0], Along.RAY)
    assert read_sparse(tmp_path / "s.png", size=(2, 2), scale=0.001, along=None).along is Along.AXIS


def test_inverse_depth_is_turned_and_what_is_not_metric_refused(tmp_path: Path) -> None:
    inverse = DepthMap(np.array([[0.5, 0.25]]), Kind(Quantity.INVERSE))
    write_depth(tmp_path / "i.npz", inverse)
    assert read_sparse(tmp_path / "i.npz", size=(1, 2), scale=None, along=None).depth_m.tolist() == [2, 4]
    write_depth(tmp_path / "a.npz", inverse.coarsened(Freedom.SCALE))
    with pytest.raises(KindError, match="holds scale-invariant-inverse-depth, not metres"):
        read_sparse(tmp_path / "a.npz", size=(1, 2), scale=None, along=None)
    write_depth(tmp_path / "n.npz", DepthMap(np.full((2, 2), np.nan), Kind()))
    with pytest.raises(InputError, match="knows no pixel"):
        read_sparse(tmp_path / "n.npz", size=(2, 2), scale=None, along=None)


def test_of_very_many_pixels_some_are_used_and_always_the_same(tmp_path: Path) -> None:
    write_depth(tmp_path / "d.npz", DepthMap(np.random.default_rng(0).uniform(1, 9, (200, 150)), Kind()))
    one, two = (read_sparse(tmp_path / "d.npz", size=(200, 150), scale=None, along=None) for _ in range(2))
    assert len(one) == 20_000
    np.testing.assert_array_equal(one.depth_m, two.depth_m)
