"""Photos as people have them, good and bad."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def gradient() -> Image.Image:
    """A smooth picture of 64x48, so that its values are easy to check after lossy formats."""
    rows, columns = np.mgrid[:48, :64]
    return Image.fromarray(np.stack([columns * 4, rows * 5, (rows + columns) * 2], -1).astype(np.uint8))


@pytest.fixture
def folder(tmp_path: Path, gradient: Image.Image) -> Path:
    """A folder with one good photo."""
    made = tmp_path / "photos"
    made.mkdir()
    gradient.save(made / "good.jpg", quality=95)
    return made


@pytest.fixture
def many(tmp_path: Path) -> Callable[[int], Path]:
    """Makes a folder of so many photos of 640x480."""

    def make(number: int) -> Path:
        made = tmp_path / "many"
        made.mkdir()
        rows, columns = np.mgrid[:480, :640]
        first = made / "0000.bmp"
        Image.fromarray(np.stack([columns // 3, rows // 2, rows // 3], -1).astype(np.uint8)).save(first)
        for k in range(1, number):
            os.link(first, made / f"{k:04d}.bmp")
        return made

    return make


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


@pytest.fixture
def bomb(tmp_path: Path) -> Path:
    """A PNG of a few hundred bytes that says it has 100,000 x 100,000 pixels."""
    path = tmp_path / "bomb.png"
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    body = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(bytes(1000))) + _chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path
