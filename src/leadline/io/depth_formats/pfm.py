"""Depth in PFM files: floats, bottom row first. The record lies beside them in ``<file>.json``."""

from __future__ import annotations

import json
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, OutputError
from leadline.core.record import RECORD_KEY, Record
from leadline.io.atomic import write_whole
from leadline.io.decode import check_pixels
from leadline.io.depth_formats.stored import Stored, floats, strips

__all__ = ["read_pfm", "sidecar_of", "write_pfm"]

_HEADER = re.compile(rb"(P[fF])\s+(\d{1,9})\s+(\d{1,9})\s+([+-]?[\d.eE+-]+)[ \t]*\r?\n")
_HEAD_BYTES = 256
_CRC = "crc32"


def sidecar_of(path: Path) -> Path:
    """Where the record of a PFM file lies: ``a_depth.pfm.json`` for ``a_depth.pfm``."""
    return path.with_name(path.name + ".json")


def write_pfm(path: Path, depth: DepthMap, record: Record) -> None:
    """Writes little-endian floats, and the record with their checksum into the sidecar.

    Both are written to their ends before either is put in place, the floats first and without an old record beside
    them: who stops in between leaves a bare file, never one with a record that is not its own.

    Convention:
        NaN is unknown and +inf known sky for a reader with the record; Middlebury's readers take both for unknown.

    Args:
        path: The file, which names the sidecar.
        depth: The map.
        record: The record.

    Raises:
        OutputError: One of the two cannot be written, or the sidecar's place is taken by a file of somebody else's.
    """
    sidecar = sidecar_of(path)
    _refuse_foreign(sidecar, path)
    with write_whole(sidecar) as record_part, write_whole(path) as part:
        crc = _write_floats(part, depth)
        told = {**record.to_dict(), _CRC: crc}
        record_part.write_text(json.dumps(told, sort_keys=True) + "\n", "ascii")
        sidecar.unlink(missing_ok=True)


def _refuse_foreign(sidecar: Path, path: Path) -> None:
    if not sidecar.is_file():
        return
    try:
        told = json.loads(sidecar.read_text("utf-8"))
    except (OSError, ValueError):
        told = None
    if not (isinstance(told, dict) and RECORD_KEY in told):
        raise OutputError(
            f"{str(path)!r} cannot be written: its record would replace {str(sidecar)!r}, which is not leadline's",
            hint="move that file, or choose another name or format",
        )


def _write_floats(part: Path, depth: DepthMap) -> int:
    """Writes header and rows; gives the rows' checksum."""
    bottom_up, crc = floats(depth)[::-1], 0
    with open(part, "wb") as stream:
        stream.write(f"Pf\n{depth.width} {depth.height}\n-1.0\n".encode())
        for rows in strips(*depth.shape):
            data = bottom_up[rows].astype("<f4").tobytes()
            crc = zlib.crc32(data, crc)
            stream.write(data)
    return crc


def read_pfm(path: Path, array: str, max_pixels: int) -> Stored:
    """Reads a grey PFM file and the record beside it.

    Convention:
        The header's scale tells the byte order by its sign; its size is ignored, as Middlebury's own readers do.

    Args:
        path: The file.
        array: Unused: a PFM file holds one array.
        max_pixels: Largest number of pixels that is read.

    Returns:
        What it holds.

    Raises:
        InputError: It is damaged, in colour, too large, or the record beside it belongs to another file.
    """
    with open(path, "rb") as stream:
        head = stream.read(_HEAD_BYTES)
        found = _HEADER.match(head)
        if found is None:
            raise InputError(f"{str(path)!r} does not begin like a PFM file", hint="check what it is")
        if found[1] == b"PF":
            raise InputError(f"{str(path)!r} is a PFM file in colour", hint="name one with a single channel")
        width, height = int(found[2]), int(found[3])
        check_pixels(width, height, str(path), max_pixels=max_pixels)
        stream.seek(found.end())
        data = stream.read(width * height * 4 + 1)
    if not data or len(data) != width * height * 4:
        raise InputError(
            f"{str(path)!r} is cut short or damaged: {width}x{height} floats take {width * height * 4:,} bytes, "
            f"it has {len(data):,}",
            hint="copy or write it again",
        )
    rows: NDArray[Any] = np.frombuffer(data, "<f4" if float(found[4]) < 0 else ">f4").reshape(height, width)
    return Stored(rows[::-1], "PFM file", _record(path, data))


def _record(path: Path, data: bytes) -> str | None:
    sidecar = sidecar_of(path)
    if not sidecar.exists():
        return None
    text = sidecar.read_text("utf-8", "replace")
    try:
        told = json.loads(text)
        crc = told[_CRC]
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"the record {str(sidecar)!r} is damaged ({error})",
            hint="delete it and read the file with an explicit kind",
        ) from error
    if crc != zlib.crc32(data):
        raise InputError(
            f"the record {str(sidecar)!r} belongs to another file than {path.name!r}: the checksum differs",
            hint="delete it and read the file with an explicit kind",
        )
    return text
