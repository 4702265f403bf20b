"""Writing PNG files fast: 8-bit RGB and 16-bit grey, with text chunks, a strip of rows at a time.

What takes the time of a PNG is deflate. ISA-L does it seven to ten times faster than zlib, and to smaller files than zlib's own
fastest level; where it is not installed zlib does it. Depth is smooth from row to row, so each of its rows is stored as the
difference to the one above (filter ``Up``); drawn colours repeat rather than grow, and are stored as they are.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from leadline.plugins.need import has

__all__ = ["write_png"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB = 0, 2
_NONE, _UP = 0, 2
_LEVEL = 1
_STRIP_BYTES = 1 << 22


def write_png(path: Path, array: NDArray[Any], *, texts: Mapping[str, str]) -> None:
    """Writes a PNG file.

    Args:
        path: The file; it is written over.
        array: uint16 (H, W), or uint8 (H, W, 3).
        texts: Text chunks by keyword, in Latin-1; they come before the pixels.
    """
    colour = array.ndim == 3
    header = struct.pack(
        ">IIBBBBB",
        array.shape[1],
        array.shape[0],
        8 * array.itemsize,
        _RGB if colour else _GREY,
        0,
        0,
        0,
    )
    deflate = _compressor()
    with open(path, "wb") as stream:
        stream.write(_SIGNATURE)
        _chunk(stream, b"IHDR", header)
        for keyword, text in texts.items():
            _chunk(stream, b"tEXt", keyword.encode("latin-1") + b"\0" + text.encode("latin-1"))
        for strip in _filtered(array, _NONE if colour else _UP):
            _chunk(stream, b"IDAT", deflate.compress(strip))
        _chunk(stream, b"IDAT", deflate.flush())
        _chunk(stream, b"IEND", b"")


def _compressor() -> Any:
    if has("isal"):
        from isal import isal_zlib

        return isal_zlib.compressobj(_LEVEL)
    return zlib.compressobj(_LEVEL)


def _chunk(stream: BinaryIO, name: bytes, body: bytes) -> None:
    if body or name == b"IEND":
        stream.write(struct.pack(">I", len(body)) + name)
        stream.write(body)
        stream.write(struct.pack(">I", zlib.crc32(body, zlib.crc32(name))))


def _filtered(array: NDArray[Any], kind: int) -> Iterator[NDArray[np.uint8]]:
    """Strips of rows as PNG stores them: the filter's number, then bytes, the high byte of 16 bits first."""
    height = array.shape[0]
    row_bytes = array[0].nbytes
    rows = max(1, _STRIP_BYTES // row_bytes)
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        plain = _bytes_of(array[max(0, top - 1) : bottom] if kind == _UP else array[top:bottom])
        strip = np.empty((bottom - top, row_bytes + 1), np.uint8)
        strip[:, 0] = kind
        if kind == _UP:
            above = plain[:-1] if top else np.concatenate([np.zeros_like(plain[:1]), plain[:-1]])
            np.subtract(plain[1:] if top else plain, above, out=strip[:, 1:])
        else:
            strip[:, 1:] = plain
        yield strip


def _bytes_of(rows: NDArray[Any]) -> NDArray[np.uint8]:
    big_first = rows.astype(">u2", order="C") if rows.dtype == np.uint16 else np.ascontiguousarray(rows)
    return big_first.view(np.uint8).reshape(rows.shape[0], -1)
