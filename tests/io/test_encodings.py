"""Stored integers to metres, against the formulas written out."""

from __future__ import annotations

import numpy as np
import pytest

from leadline.core.camera import Camera
from leadline.core.errors import DatasetError, UnknownName
from leadline.io.encodings import ENCODINGS, as_metres, encoding_of

WORDS = np.array([[0, 1, 1000, 8191], [8192, 40000, 65534, 65535]], np.uint16)


@pytest.mark.parametrize(
    ("name", "scale", "marks"),
    [("mm", 1 / 1000, {0, 65535}), ("tum", 1 / 5000, {0}), ("kitti", 1 / 256, {0}), ("cm", 1 / 100, {0})],
)
def test_linear_encodings(name: str, scale: float, marks: set[int]) -> None:
    depth = as_metres(WORDS, encoding_of(name))
    for row in range(2):
        for column in range(4):
            word = int(WORDS[row, column])
            assert depth.valid[row, column] == (word not in marks)
            if word not in marks:
                assert depth.values[row, column] == pytest.approx(word * scale, rel=1e-6)


def test_rotated_bits() -> None:
    millimetres = np.arange(1, 65536, 7, dtype=np.uint32)
    stored = ((millimetres << 3) | (millimetres >> 13)) & 0xFFFF
    depth = as_metres(stored.astype(np.uint16)[None], encoding_of("sun"))
    assert np.allclose(depth.values[0], millimetres / 1000, rtol=1e-6)
    assert not as_metres(np.zeros((1, 2), np.uint16), encoding_of("sun")).valid.any()


def test_kinect_disparity() -> None:
    stored = np.array([[400, 1000, 1092, 1093, 2047]], np.uint16)
    depth = as_metres(stored, encoding_of("kinect"))
    assert depth.valid.tolist() == [[True, True, True, False, False]]
    assert depth.values[0, :3] == pytest.approx([351.3 / 692.5, 351.3 / 92.5, 351.3 / 0.5])


def test_eight_bits() -> None:
    depth = as_metres(np.array([[0, 51, 255]], np.uint8), encoding_of("8bit-10m"))
    assert depth.values[0, 1:] == pytest.approx([2.0, 10.0])
    assert depth.valid.tolist() == [[False, True, True]]


def test_floats_as_they_are_and_with_their_camera() -> None:
    camera = Camera.assumed(4, 1)
    depth = as_metres(np.array([[0.5, 0, np.nan, np.inf]]), encoding_of("m"), camera=camera)
    assert depth.valid.tolist() == [[True, False, False, False]]
    assert not depth.infinite.any()
    assert depth.camera is camera


def test_the_wrong_type_is_refused_by_name() -> None:
    with pytest.raises(DatasetError, match=r"'a\.png' holds uint8 numbers, but depth encoding 'mm'"):
        as_metres(np.ones((1, 1), np.uint8), encoding_of("mm"), name="a.png")
    with pytest.raises(DatasetError, match="holds float32"):
        as_metres(np.ones((1, 1), np.float32), encoding_of("tum"))
    with pytest.raises(UnknownName, match="no depth encoding is called 'mmm'; did you mean 'mm'"):
        encoding_of("mmm")


def test_wide_integers_count_as_sixteen_bits() -> None:
    assert as_metres(np.array([[1500]], np.int32), encoding_of("mm")).range() == (1.5, 1.5)


@pytest.mark.parametrize("name", ENCODINGS)
def test_every_encoding_says_what_it_is(name: str) -> None:
    assert encoding_of(name).name == name
    assert "," in encoding_of(name).words
