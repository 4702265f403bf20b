"""Arrays of .npy bytes: the quick way gives what NumPy gives, and leaves it all that is odd."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from leadline.core.errors import DatasetError
from leadline.io.arrays import array_of


def saved(array: np.ndarray[Any, Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.uint16).reshape(3, 4),
        np.asfortranarray(np.arange(12, dtype=np.float32).reshape(3, 4)),
        np.arange(6, dtype=">u2").reshape(2, 3),
        np.float64(3.5).reshape(()),
        np.empty((0, 4), np.float32),
    ],
    ids=["plain", "columns first", "big end", "one number", "nothing"],
)
def test_arrays_come_back(array: np.ndarray[Any, Any]) -> None:
    read = array_of(saved(array), "a.npy")
    assert read.dtype == array.dtype
    assert read.shape == array.shape
    assert np.array_equal(read, array)


@pytest.mark.parametrize("length", [0, 9, 40, 127, -1])
def test_cut_files_are_named(length: int) -> None:
    data = saved(np.arange(12, dtype=np.uint16))[:length]
    with pytest.raises(DatasetError, match=r"'a\.npy' is no NumPy file, or is damaged"):
        array_of(data, "a.npy")


def test_a_header_of_nonsense_is_named() -> None:
    data = saved(np.arange(12, dtype=np.uint16)).replace(b"'<u2'", b"'<q9'")
    with pytest.raises(DatasetError, match=r"'a\.npy' is no NumPy file, or is damaged"):
        array_of(data, "a.npy")


def test_objects_are_never_unpickled() -> None:
    with pytest.raises(DatasetError, match=r"'a\.npy' is no NumPy file, or is damaged \(Object arrays"):
        array_of(saved(np.array([{}], object)), "a.npy")
