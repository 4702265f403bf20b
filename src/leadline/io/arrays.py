"""NumPy arrays out of the bytes of .npy and .npz files."""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.core.errors import DatasetError

__all__ = ["array_of"]

_VERSION_1 = b"\x93NUMPY\x01\x00"


def array_of(data: bytes, name: str, *, member: str = "") -> NDArray[Any]:
    """The array of an .npy file, or one array of an .npz.

    Args:
        data: The file's bytes.
        name: What to call it in messages.
        member: Which array of an .npz; its only one where empty.

    Returns:
        The array, of numbers; objects are never unpickled. It may be read-only.

    Raises:
        DatasetError: It is no such file, is cut short, or has no such array.
    """
    plain = _plain(data) if data[:8] == _VERSION_1 else None
    if plain is not None:
        return plain
    try:
        loaded = np.load(io.BytesIO(data), allow_pickle=False)
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            return np.asarray(loaded)
        names = loaded.files
        if not member and len(names) != 1:
            raise DatasetError(
                f"{name!r} holds {len(names)} arrays: {', '.join(names)}", hint="say which one"
            )
        return np.asarray(loaded[member or names[0]])
    except KeyError as error:
        raise DatasetError(
            f"{name!r} has no array {member!r}, only {', '.join(loaded.files)}", hint="copy it again"
        ) from error
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
        if isinstance(error, DatasetError):
            raise
        raise DatasetError(
            f"{name!r} is no NumPy file, or is damaged ({error})", hint="copy it again"
        ) from error


def _plain(data: bytes) -> NDArray[Any] | None:
    """A whole .npy file of numbers in C order as a view of its bytes; None leaves all else, errors too, to NumPy."""
    start = 10 + int.from_bytes(data[8:10], "little")
    known = _header(data[:start])
    if known is None:
        return None
    shape, dtype = known
    count = math.prod(shape)
    if len(data) != start + count * dtype.itemsize:
        return None
    return np.frombuffer(data, dtype, count, start).reshape(shape)


@lru_cache(maxsize=64)
def _header(head: bytes) -> tuple[tuple[int, ...], np.dtype[Any]] | None:
    """Shape and type; the files of a set have one header, and reading it takes longer than reading the numbers."""
    stream = io.BytesIO(head)
    try:
        np.lib.format.read_magic(stream)
        shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(stream)
    except (ValueError, EOFError):
        return None
    return None if fortran_order or dtype.hasobject else (shape, dtype)
