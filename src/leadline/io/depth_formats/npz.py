"""Depth in NumPy's NPZ archives: values, masks and the record as members."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.record import RECORD_KEY, Record
from leadline.io.decode import check_pixels
from leadline.io.depth_formats.stored import Stored

__all__ = ["NPZ_ERRORS", "read_npz", "write_npz"]

NPZ_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, ValueError, EOFError, KeyError, OSError),
    *(NotImplementedError, RuntimeError, SyntaxError, TypeError),
)
"""What NumPy and zipfile raise on damaged archives."""

_VALUES, _VALID, _INFINITE, _UNCERTAINTY = "values", "valid", "infinite", "uncertainty"


def write_npz(
    path: Path, depth: DepthMap, record: Record, uncertainty: NDArray[np.float32] | None = None
) -> None:
    """Writes values as they are, and the masks and the record compressed.

    Args:
        path: The file.
        depth: The map.
        record: The record, stored as a text array.
        uncertainty: The standard deviation of each value, in the values' unit; stored as it is where there is one.
    """
    members: dict[str, tuple[NDArray[Any], int]] = {
        RECORD_KEY: (np.array(record.to_json()), zipfile.ZIP_STORED),
        _VALUES: (depth.values, zipfile.ZIP_STORED),
        _VALID: (depth.valid, zipfile.ZIP_DEFLATED),
        _INFINITE: (depth.infinite, zipfile.ZIP_DEFLATED),
    }
    if uncertainty is not None:
        members[_UNCERTAINTY] = (uncertainty, zipfile.ZIP_STORED)
    with zipfile.ZipFile(path, "w", compresslevel=1) as archive:
        for name, (array, compression) in members.items():
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.compress_type = compression
            with archive.open(entry, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def read_npz(path: Path, array: str, max_pixels: int) -> Stored:
    """Reads an archive: ours by its record, another by the name of its array.

    Args:
        path: The file.
        array: Name of the array in a bare archive; empty takes the only two-dimensional one.
        max_pixels: Largest number of pixels that is read.

    Returns:
        What it holds.

    Raises:
        InputError: It is damaged, too large, or holds no such array, or several and none was named.
    """
    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as archive:
            if RECORD_KEY in archive.files:
                return _ours(archive, path, max_pixels)
            return Stored(_bare(archive, path, array, max_pixels), "NPZ archive")
    except InputError:
        raise
    except NPZ_ERRORS as error:
        raise InputError(
            f"{str(path)!r} is not a whole NPZ archive of numbers ({error})", hint="copy or write it again"
        ) from error


def _ours(archive: Any, path: Path, max_pixels: int) -> Stored:
    values, valid, infinite = (
        _member(archive, path, name, max_pixels) for name in (_VALUES, _VALID, _INFINITE)
    )
    spread = _member(archive, path, _UNCERTAINTY, max_pixels) if _UNCERTAINTY in archive.files else None
    shapes = {array.shape for array in (values, valid, infinite, spread) if array is not None}
    floats = {array.dtype for array in (values, spread) if array is not None}
    if len(shapes) > 1 or floats != {np.dtype(np.float32)}:
        raise InputError(f"{str(path)!r} holds members that do not fit together", hint="write it again")
    record = str(archive[RECORD_KEY])
    return Stored(values, "NPZ archive", record, valid.astype(bool), infinite.astype(bool), spread)


def _bare(archive: Any, path: Path, array: str, max_pixels: int) -> NDArray[Any]:
    names = [array] if array else archive.files
    if array and array not in archive.files:
        raise InputError(
            f"{str(path)!r} holds no array {array!r}", hint=f"it holds {', '.join(archive.files)}"
        )
    found = {name: _header(archive, path, name) for name in names}
    planes = [name for name, (shape, dtype) in found.items() if len(shape) == 2 and dtype.kind in "fiu"]
    if len(planes) != 1:
        listed = ", ".join(f"{name} {shape}" for name, (shape, _) in found.items())
        raise InputError(
            f"{str(path)!r} holds {len(planes)} arrays that could be depth ({listed or 'nothing'})",
            hint="name one with array= (--array)",
        )
    return _member(archive, path, planes[0], max_pixels)


def _member(archive: Any, path: Path, name: str, max_pixels: int) -> NDArray[Any]:
    shape, _ = _header(archive, path, name)
    if len(shape) != 2:
        raise InputError(f"array {name!r} of {str(path)!r} has shape {shape}", hint="write it again")
    check_pixels(shape[1], shape[0], str(path), max_pixels=max_pixels)
    plane: NDArray[Any] = archive[name]
    return plane


def _header(archive: Any, path: Path, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of a member, without reading its numbers."""
    entry = name if name in archive.zip.namelist() else f"{name}.npy"
    with archive.zip.open(entry) as member:
        version = np.lib.format.read_magic(member)
        reader = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        if version not in reader:
            raise InputError(
                f"array {name!r} of {str(path)!r} is in NPY version {version}",
                hint="write it with numpy.savez",
            )
        shape, _, dtype = reader[version](member)
        return shape, dtype
