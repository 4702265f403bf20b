"""Point clouds as values."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from leadline.core.cloud import PointCloud
from leadline.core.errors import InputError


@pytest.mark.parametrize(
    "points", [np.zeros((2, 2)), np.zeros(3), np.zeros((1, 2, 3)), [[0, 0, np.nan]], [[0, np.inf, 1]]]
)
def test_points_are_finite_triples(points: Any) -> None:
    with pytest.raises(InputError, match=r"are not finite \(N, 3\)"):
        PointCloud(points)


@pytest.mark.parametrize(
    "colours", [np.zeros((2, 3)), np.zeros((1, 3), np.uint8), np.zeros((2, 4), np.uint8)]
)
def test_colours_fit_the_points(colours: Any) -> None:
    with pytest.raises(InputError, match="do not fit 2 points"):
        PointCloud(np.zeros((2, 3)), colours)


def test_the_unit_is_metres_or_arbitrary() -> None:
    with pytest.raises(InputError, match="'mm' is not a unit"):
        PointCloud(np.zeros((2, 3)), None, "mm")
    assert (
        repr(PointCloud(np.zeros((2, 3)), None, "arbitrary")) == "PointCloud of 2 points, in arbitrary units"
    )
    assert len(PointCloud(np.zeros((0, 3)))) == 0


@pytest.mark.parametrize(
    "copied",
    [lambda c: c, copy.copy, copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))],
    ids=["itself", "copy", "deepcopy", "pickle"],
)
def test_arrays_are_read_only_and_not_the_caller_s(copied: Any) -> None:
    points, colours = np.zeros((2, 3), np.float32), np.zeros((2, 3), np.uint8)
    cloud = copied(PointCloud(points, colours))
    points[:], colours[:] = 1, 1
    for array in (cloud.points_N3, cloud.rgb_N3):
        assert not array.any()
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_a_cloud_without_colours_is_pickled_too() -> None:
    assert pickle.loads(pickle.dumps(PointCloud(np.zeros((2, 3))))).rgb_N3 is None
