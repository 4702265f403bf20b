"""NumPy arrays out of the bytes of .npy and .npz files."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.core.errors import DatasetError

__all__ = ["array_of"]


def array_of(data: bytes, name: str, *, member: str = "") -> NDArray[Any]:
    """The array of an .npy file, or one array of an .npz.

    Args:
        data: The file's bytes.
        name: What to call it in messages.
        member: Which array of an .npz; its only one where empty.

    Returns:
        The array, of numbers; objects are never unpickled.

    Raises:
        DatasetError: It is no such file, is cut short, or has no such array.
    """
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
