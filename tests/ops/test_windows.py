"""Benchmarks' windows against the numbers of their published code."""

from __future__ import annotations

import numpy as np
import pytest

from leadline.core.errors import InputError, UnknownName
from leadline.ops.windows import WINDOWS, window


def inside(name: str, height: int, width: int) -> tuple[int, int, int, int]:
    rows, columns = window(name, height=height, width=width)
    return rows.start, rows.stop, columns.start, columns.stop


def test_the_window_of_nyu_is_the_one_that_every_table_has() -> None:
    assert inside("nyu-eigen", 480, 640) == (45, 471, 41, 601)
    assert inside("nyu-eigen", 240, 320) == (22, 236, 20, 300)


@pytest.mark.parametrize(
    ("name", "top", "bottom", "left", "right"),
    [
        ("kitti-garg", 0.40810811, 0.99189189, 0.03594771, 0.96405229),
        ("kitti-eigen", 0.3324324, 0.91351351, 0.0359477, 0.96405229),
    ],
)
@pytest.mark.parametrize(("height", "width"), [(375, 1242), (370, 1226), (374, 1238), (376, 1241)])
def test_windows_of_kitti_are_truncated_shares(
    name: str, top: float, bottom: float, left: float, right: float, height: int, width: int
) -> None:
    bounds = np.array([top * height, bottom * height, left * width, right * width]).astype(np.int32)
    assert inside(name, height, width) == tuple(bounds)


def test_the_frame_of_the_benchmark_is_the_lowest_352_rows_and_the_middle_1216_columns() -> None:
    assert inside("kitti-benchmark", 375, 1242) == (23, 375, 13, 1229)
    assert inside("kitti-benchmark", 352, 1216) == (0, 352, 0, 1216)
    assert inside("kitti-benchmark", 200, 300) == (0, 200, 0, 300)


def test_a_window_on_the_benchmarks_frame_is_that_of_the_cut_frame_moved() -> None:
    cut = inside("kitti-garg", 352, 1216)
    assert inside("kitti-benchmark-garg", 375, 1242) == (cut[0] + 23, cut[1] + 23, cut[2] + 13, cut[3] + 13)
    cut = inside("kitti-eigen", 352, 1216)
    assert inside("kitti-benchmark-eigen", 375, 1242) == (cut[0] + 23, cut[1] + 23, cut[2] + 13, cut[3] + 13)


def test_no_window_is_everything() -> None:
    assert inside("none", 3, 5) == (0, 3, 0, 5)


def test_a_window_that_is_not_there_is_refused_with_a_near_name() -> None:
    with pytest.raises(UnknownName, match="kitti-garg"):
        window("kiti-garg", height=3, width=5)


@pytest.mark.parametrize("name", [name for name in WINDOWS if name.startswith("kitti")])
def test_an_image_too_small_for_a_window_is_refused(name: str) -> None:
    if name == "kitti-benchmark":
        pytest.skip("it fits any image")
    with pytest.raises(InputError, match="holds no pixel"):
        window(name, height=1, width=1)
