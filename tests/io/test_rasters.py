"""Decoding for datasets: simplejpeg, OpenCV and Pillow give the same pixels, and faults are named."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PilImage

from leadline.core.errors import DatasetError
from leadline.io import rasters
from leadline.io.rasters import decode_plane, decode_rgb, size_of


@pytest.fixture(params=["quick", "pillow"])
def decoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "pillow":
        monkeypatch.setattr(rasters, "_opencv", lambda: None)
        monkeypatch.setattr(rasters, "_has_simplejpeg", lambda: False)
    else:
        pytest.importorskip("cv2")
        pytest.importorskip("simplejpeg")
    return str(request.param)


def encoded(picture: PilImage.Image, form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()


def texture(height: int = 37, width: int = 53) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    waves = [127 + 120 * np.sin(rows / (5 + k) + columns / (3 + k)) for k in range(3)]
    return np.stack(waves, -1).astype(np.uint8)


@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"progressive": True}, {"quality": 30}])
def test_jpeg_pixels_are_those_of_pillow(decoder: str, options: dict[str, Any]) -> None:
    data = encoded(PilImage.fromarray(texture()), "JPEG", **options)
    expected = np.asarray(PilImage.open(io.BytesIO(data)))
    pixels = decode_rgb(data, "a.jpg")
    assert np.array_equal(pixels, expected)
    assert not pixels.flags.writeable


def test_real_photos_are_those_of_pillow(decoder: str, shared_data: Path) -> None:
    for name in ("redwood/RGBD/color/00000.jpg", "nyu_train795/image/0002.jpg", "iphone_arkit/image.jpg"):
        data = (shared_data / name).read_bytes()
        picture = PilImage.open(io.BytesIO(data))
        assert picture.getexif().get(0x112, 1) == 1
        assert np.array_equal(decode_rgb(data, name), np.asarray(picture.convert("RGB"))), name


def test_a_photo_is_turned_upright(decoder: str) -> None:
    exif = PilImage.Exif()
    exif[0x112] = 6
    data = encoded(PilImage.fromarray(texture(20, 30)), "JPEG", exif=exif)
    assert decode_rgb(data, "a.jpg").shape == (30, 20, 3)


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGBA", "P"])
def test_other_modes_become_rgb(decoder: str, mode: str) -> None:
    form = "JPEG" if mode in ("L", "CMYK") else "PNG"
    data = encoded(PilImage.fromarray(texture()).convert(mode), form)
    assert decode_rgb(data, "a").shape == (37, 53, 3)


@pytest.mark.parametrize("numbers", [np.uint8, np.uint16])
def test_png_numbers_are_kept(decoder: str, numbers: type) -> None:
    top = np.iinfo(numbers).max
    plane = np.random.default_rng(1).integers(0, top, (31, 47), numbers, endpoint=True)
    read = decode_plane(encoded(PilImage.fromarray(plane), "PNG"), "d.png")
    assert read.dtype == numbers
    assert np.array_equal(read, plane)


def test_float_tiff_is_kept(decoder: str) -> None:
    plane = np.linspace(0, 9, 12, dtype=np.float32).reshape(3, 4)
    read = decode_plane(encoded(PilImage.fromarray(plane), "TIFF"), "d.tiff")
    assert read.dtype == np.float32
    assert np.array_equal(read, plane)


def test_grey_stored_as_colour_is_one_plane(decoder: str) -> None:
    grey = texture()[..., :1].repeat(3, -1)
    assert np.array_equal(decode_plane(encoded(PilImage.fromarray(grey), "PNG"), "d.png"), grey[..., 0])


def test_a_coloured_picture_is_no_depth(decoder: str) -> None:
    with pytest.raises(DatasetError, match=r"'d\.png' has 3 channels that differ: it is a picture"):
        decode_plane(encoded(PilImage.fromarray(texture()), "PNG"), "d.png")


@pytest.mark.parametrize("byteorder", ["", "big", "little"])
def test_pgm_of_either_end(byteorder: str) -> None:
    plane = np.array([[1, 256], [2047, 1000]])
    stored = plane.astype("<u2" if byteorder == "little" else ">u2").tobytes()
    data = b"P5\n# by a camera\n2 2\n65535\n" + stored
    assert np.array_equal(decode_plane(data, "d.pgm", byteorder=byteorder), plane)
    assert decode_plane(b"P5 2 1 255\n\x07\x09", "d.pgm").tolist() == [[7, 9]]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"P5 x", "no whole PGM header"),
        (b"P5 4 4 65535\n123", "cut short: 3 of 32 bytes"),
        (b"nothing", "no picture that can be read"),
    ],
)
def test_damaged_planes_are_named(decoder: str, data: bytes, words: str) -> None:
    with pytest.raises(DatasetError, match=rf"'d'.*{words}"):
        decode_plane(data, "d")


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_cut_photos_are_named(decoder: str, form: str) -> None:
    data = encoded(PilImage.fromarray(texture(200, 300)), form)
    with pytest.raises(DatasetError, match=r"'a' is damaged or cut short after [\d,]+ bytes"):
        decode_rgb(data[: len(data) // 2], "a")


def test_an_empty_photo_is_named(decoder: str) -> None:
    with pytest.raises(DatasetError, match=r"'a' is empty \(0 bytes\)"):
        decode_rgb(b"", "a")


def test_a_cut_depth_png_is_named(decoder: str) -> None:
    data = encoded(PilImage.fromarray(texture(200, 300)[..., 0].astype(np.uint16)), "PNG")
    with pytest.raises(DatasetError, match=r"'d' is damaged or cut short"):
        decode_plane(data[: len(data) // 2], "d")


def test_sizes_come_from_the_header() -> None:
    data = encoded(PilImage.fromarray(texture()), "PNG")
    assert size_of(data[:200], "a") == (53, 37)
    with pytest.raises(DatasetError, match="'a' is no picture"):
        size_of(b"abc", "a")


def test_pictures_too_large_to_be_true_are_refused(decoder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rasters, "DEFAULT_MAX_PIXELS", 100)
    with pytest.raises(DatasetError, match="53x37 pixels, which no dataset has"):
        decode_rgb(encoded(PilImage.fromarray(texture()), "PNG"), "a")


def test_a_jpeg_whose_header_claims_too_much_is_named(decoder: str) -> None:
    data = bytearray(encoded(PilImage.fromarray(texture()), "JPEG"))
    at = data.find(b"\xff\xc0") + 5
    data[at : at + 4] = (65000).to_bytes(2, "big") * 2
    with pytest.raises(DatasetError, match=r"'a\.jpg' is damaged or cut short .*4225000000 pixels"):
        decode_rgb(bytes(data), "a.jpg")
