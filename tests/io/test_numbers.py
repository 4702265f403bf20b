"""Numbers out of bytes of every form that depth comes in, and what is refused."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Pil

from leadline.core.errors import DatasetError, InputError
from leadline.io.numbers import numbers_in

RNG = np.random.default_rng(5)
BYTES = RNG.integers(0, 256, (6, 8), np.uint8)
WORDS = RNG.integers(0, 65536, (6, 8), np.uint16)
FLOATS = RNG.normal(size=(6, 8)).astype(np.float32)


def saved(pixels: NDArray[Any], form: str = "PNG", mode: str = "") -> bytes:
    stream = io.BytesIO()
    picture = Pil.fromarray(pixels)
    (picture.convert(mode) if mode else picture).save(
        stream, form, **({"lossless": True} if form == "WEBP" else {})
    )
    return stream.getvalue()


def npz(**arrays: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "expected", "highest"),
    [
        (saved(BYTES), BYTES, 255),
        (saved(WORDS), WORDS, 65535),
        (saved(WORDS, "TIFF"), WORDS, 65535),
        (saved(FLOATS, "TIFF"), FLOATS, 0),
        (saved(BYTES, "PNG", "RGB"), BYTES, 255),
        (saved(BYTES, "PNG", "RGBA"), BYTES, 255),
        (saved(BYTES, "PNG", "LA"), BYTES, 255),
        (saved(BYTES, "PNG", "P"), BYTES, 255),
        (saved(BYTES, "WEBP", "RGB"), BYTES, 255),
        (saved(BYTES > 99), (BYTES > 99) * np.uint8(255), 255),
        (b"P5 8 6 255\n" + BYTES.tobytes(), BYTES, 255),
        (npz(depth=FLOATS), FLOATS, 0),
        (npz(depth=WORDS[..., None]), WORDS, 65535),
    ],
    ids=[
        "png8",
        "png16",
        "tiff16",
        "tiff32f",
        "rgb",
        "rgba",
        "la",
        "p",
        "webp",
        "bits",
        "pgm",
        "npz",
        "npz-hw1",
    ],
)
def test_the_numbers_are_those_that_were_stored(data: bytes, expected: NDArray[Any], highest: int) -> None:
    numbers = numbers_in(data, "x")
    assert np.array_equal(numbers.plane_HW, expected)
    assert numbers.plane_HW.dtype == expected.dtype
    assert numbers.highest == highest


@pytest.mark.parametrize("suffix", [".exr", ".pfm"])
def test_float_formats(tmp_path: Path, bare: Callable[[Path, NDArray[Any]], Path], suffix: str) -> None:
    numbers = numbers_in(bare(tmp_path / f"a{suffix}", FLOATS).read_bytes(), "x")
    assert np.array_equal(numbers.plane_HW, FLOATS)
    assert numbers.highest == 0


def test_a_channel_of_an_exr_by_its_name(tmp_path: Path) -> None:
    import OpenEXR

    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, {"R": FLOATS, "G": FLOATS + 1}) as file:
        file.write(str(tmp_path / "a.exr"))
    data = (tmp_path / "a.exr").read_bytes()
    assert np.array_equal(numbers_in(data, "x", channel="G").plane_HW, FLOATS + 1)
    with pytest.raises(InputError, match="no channel"):
        numbers_in(data, "x")


def test_which_array_of_several() -> None:
    data = npz(depth=FLOATS, mask=BYTES)
    assert np.array_equal(numbers_in(data, "x", channel="depth").plane_HW, FLOATS)
    with pytest.raises(DatasetError, match="holds 2 arrays: depth, mask"):
        numbers_in(data, "x")
    with pytest.raises(DatasetError, match="no array 'dept'"):
        numbers_in(data, "x", channel="dept")


@pytest.mark.parametrize("shape", [(6, 8, 3), (3, 6, 8), (1, 3, 6, 8)])
def test_which_channel_of_an_array(shape: tuple[int, ...]) -> None:
    planes = np.stack([FLOATS, FLOATS + 1, FLOATS + 2])
    array = np.moveaxis(planes, 0, -1) if shape[-1] == 3 else planes.reshape(shape)
    assert np.array_equal(numbers_in(npz(a=array), "x", channel="2").plane_HW, FLOATS + 2)
    with pytest.raises(InputError, match="3 channels that differ"):
        numbers_in(npz(a=array), "x")


def test_which_channel_of_a_picture() -> None:
    data = saved(np.stack([BYTES, BYTES // 2, BYTES // 3], -1))
    assert np.array_equal(numbers_in(data, "x", channel="1").plane_HW, BYTES // 2)
    for channel in ("3", "red", "-1"):
        with pytest.raises(InputError, match=f"has 3 channels, and no channel '{channel}'; give 0 to 2"):
            numbers_in(data, "x", channel=channel)
    with pytest.raises(InputError, match="it is a coloured picture, not depth"):
        numbers_in(data, "x")


def test_sixteen_bits_in_colour_are_refused_rather_than_halved() -> None:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    data = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(13)))
        + chunk(b"IEND", b"")
    )
    with pytest.raises(InputError, match="several channels of 16 bits, of which 8 would be lost"):
        numbers_in(data, "x")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "nothing \\(0 bytes\\)"),
        (b"%PDF-1.7", "a PDF document"),
        (b"<html>", "is no picture and no array of numbers"),
        (npz(a=np.zeros((2, 3, 4, 5))), "shape \\(2, 3, 4, 5\\)"),
        (npz(a=np.array(["x"])), "not one plane of numbers"),
        (npz(a=np.zeros((0, 4))), "shape \\(0, 4\\)"),
        (b"PF\n2 2\n-1.0\n" + bytes(48), "in colour"),
    ],
)
def test_what_holds_no_plane_of_numbers_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        numbers_in(data, "x")


@pytest.mark.parametrize(
    "data", [saved(BYTES)[:60], npz(a=FLOATS)[:200], b"\x93NUMPY\x01\x00", saved(BYTES, "JPEG")[:300]]
)
def test_damage_is_told(data: bytes) -> None:
    with pytest.raises(DatasetError, match="'x'"):
        numbers_in(data, "x")


def test_objects_are_never_unpickled() -> None:
    stream = io.BytesIO()
    np.save(stream, np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(DatasetError):
        numbers_in(stream.getvalue(), "x")
