from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pil
from PIL import ImageCms, ImageOps

from leadline.core.errors import InputError
from leadline.io import pixels
from leadline.io.images import read_image
from leadline.io.pixels import orientation_of, upright_rgb

tifffile = pytest.importorskip("tifffile")
imwrite = tifffile.imwrite


def png(samples: np.ndarray, *, colour_type: int, depth: int = 16) -> bytes:
    """A PNG writer of four lines, so that 16-bit files come from somebody else than the reader."""
    height, width = samples.shape[:2]

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    raw = b"".join(b"\0" + row.astype(">u2" if depth == 16 else "u1").tobytes() for row in samples)
    head = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    )


def encoded(picture: Pil.Image, form: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, form, **options)  # type: ignore[arg-type]
    return stream.getvalue()


RAMP = np.linspace(0, 65535, 4096).round().astype(np.uint16).reshape(64, 64)


def test_16_bit_grey_is_scaled_and_never_clipped() -> None:
    expected = np.rint(RAMP.astype(np.float64) / 65535 * 255)
    for data in (png(RAMP, colour_type=0), encoded(Pil.fromarray(RAMP))):
        rgb = read_image(data).rgb_HW3
        np.testing.assert_array_equal(rgb[..., 0], expected)
        np.testing.assert_array_equal(rgb[..., 2], expected)


@pytest.mark.parametrize("order", ["<", ">"])
def test_16_bit_tiff_in_either_byte_order(tmp_path: Path, order: str) -> None:
    imwrite(tmp_path / "a.tif", RAMP, byteorder=order)
    expected = np.rint(RAMP.astype(np.float64) / 65535 * 255)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").rgb_HW3[..., 1], expected)


def test_16_bit_colour_and_grey_with_alpha() -> None:
    rgb = np.stack([RAMP, RAMP.T, RAMP[::-1]], -1)
    got = read_image(png(rgb, colour_type=2)).rgb_HW3
    assert np.abs(got.astype(float) - rgb / 257).max() <= 1
    alpha = np.full_like(RAMP, 65535)
    alpha[:32] = 0
    got = read_image(png(np.stack([RAMP, alpha], -1), colour_type=4)).rgb_HW3
    assert (got[:32] == 255).all()
    assert np.abs(got[32:, :, 0].astype(float) - RAMP[32:] / 257).max() <= 1


def test_16_bit_colour_tiff(tmp_path: Path) -> None:
    rgb = np.stack([RAMP, RAMP.T, RAMP[::-1]], -1)
    imwrite(tmp_path / "a.tif", rgb, photometric="rgb")
    assert np.abs(read_image(tmp_path / "a.tif").rgb_HW3.astype(float) - rgb / 257).max() <= 1


def test_float_tiff_in_0_to_1_is_a_photo_and_others_are_not(tmp_path: Path) -> None:
    unit = (RAMP / 65535).astype(np.float32)
    imwrite(tmp_path / "a.tif", unit)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").rgb_HW3[..., 0], np.rint(unit * 255))
    for wrong in (unit * 9, unit - 1, np.where(unit > 0.5, np.nan, unit).astype(np.float32)):
        imwrite(tmp_path / "b.tif", wrong)
        with pytest.raises(InputError, match=r"holds floats outside 0..1.*'leadline info'"):
            read_image(tmp_path / "b.tif")


def test_32_bit_integers(tmp_path: Path) -> None:
    imwrite(tmp_path / "a.tif", RAMP.astype(np.int32))
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").rgb_HW3[..., 0], np.rint(RAMP / 257))
    imwrite(tmp_path / "a.tif", RAMP.astype(np.int32) + 1)
    with pytest.raises(InputError, match=r"32-bit integers outside 0..65535"):
        read_image(tmp_path / "a.tif")


def test_one_bit_and_palette() -> None:
    bits = np.random.default_rng(0).random((9, 13)) > 0.5
    for form in ("PNG", "TIFF", "BMP", "PPM"):
        got = read_image(encoded(Pil.fromarray(bits), form)).rgb_HW3
        np.testing.assert_array_equal(got, np.repeat(bits[..., None] * 255, 3, -1))
    palette = Pil.new("P", (2, 1))
    palette.putpalette([255, 0, 0, 0, 0, 255])
    palette.putdata([0, 1])
    np.testing.assert_array_equal(read_image(encoded(palette)).rgb_HW3, [[[255, 0, 0], [0, 0, 255]]])
    see_through = encoded(palette, transparency=b"\x00\x80")  # first colour unseen, second half seen
    np.testing.assert_array_equal(read_image(see_through).rgb_HW3, [[[255, 255, 255], [127, 127, 255]]])


@given(alpha=st.integers(0, 255), level=st.integers(0, 255))
def test_transparency_lies_on_white(alpha: int, level: int) -> None:
    expected = level * alpha / 255 + 255 * (1 - alpha / 255)
    for picture in (
        Pil.new("RGBA", (3, 2), (level, level, level, alpha)),
        Pil.new("LA", (3, 2), (level, alpha)),
    ):
        got = read_image(encoded(picture)).rgb_HW3
        assert np.abs(got.astype(float) - expected).max() <= 1
        np.testing.assert_array_equal(upright_rgb(picture, name="x"), got)


def test_a_transparent_colour_of_grey_and_rgb_png_lies_on_white() -> None:
    grey = Pil.new("L", (2, 1), 7)
    grey.putpixel((1, 0), 90)
    got = read_image(encoded(grey, transparency=7)).rgb_HW3
    np.testing.assert_array_equal(got, [[[255, 255, 255], [90, 90, 90]]])
    rgb = Pil.new("RGB", (2, 1), (1, 2, 3))
    rgb.putpixel((1, 0), (9, 8, 7))
    got = read_image(encoded(rgb, transparency=(1, 2, 3))).rgb_HW3
    np.testing.assert_array_equal(got, [[[255, 255, 255], [9, 8, 7]]])


CMYK = {
    (0, 255, 255, 0): (255, 0, 0),
    (255, 0, 255, 0): (0, 255, 0),
    (0, 0, 0, 255): (0, 0, 0),
    (0, 0, 0, 0): (255,) * 3,
}


@pytest.mark.parametrize("ink", list(CMYK))
def test_cmyk_jpeg_and_tiff(ink: tuple[int, int, int, int]) -> None:
    for form, options in (("JPEG", {"quality": 100}), ("TIFF", {})):
        got = read_image(encoded(Pil.new("CMYK", (16, 16), ink), form, **options)).rgb_HW3
        assert np.abs(got.astype(int) - CMYK[ink]).max() <= 3


@pytest.mark.parametrize("luma", [0, 60, 128, 255])
def test_ycck_jpeg_as_adobe_writes_it(luma: int) -> None:
    """Adobe stores 255 - ink, and with transform 2 the YCbCr of R, G, B = 255 - stored; so Y is the ink, here grey."""
    inks = (255 - luma, 255 - 128, 255 - 128, 0)
    data = bytearray(encoded(Pil.new("CMYK", (16, 16), inks), "JPEG", quality=100))
    transform = data.index(b"Adobe") + 11
    assert data[transform] == 0
    data[transform] = 2
    got = read_image(bytes(data)).rgb_HW3
    assert np.abs(got.astype(int) - (255 - luma)).max() <= 3


@pytest.mark.parametrize("mode", ["YCbCr", "LAB", "HSV"])
def test_other_colour_spaces_go_to_rgb(mode: str) -> None:
    picture = Pil.new("RGB", (4, 4), (200, 100, 50))
    other = (
        ImageCms.applyTransform(
            picture,
            ImageCms.buildTransform(
                ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
            ),
        )
        if mode == "LAB"
        else picture.convert(mode)
    )
    assert other is not None
    got = upright_rgb(other, name="x")
    assert np.abs(got.astype(int) - [200, 100, 50]).max() <= 4


def upright_marker() -> np.ndarray:
    """A picture with four distinct corners, wider than high."""
    rgb = np.zeros((40, 64, 3), np.uint8)
    rgb[:20, :32], rgb[:20, 32:], rgb[20:, :32], rgb[20:, 32:] = (
        (255, 0, 0),
        (0, 255, 0),
        (0, 0, 255),
        (200, 200, 0),
    )
    return rgb


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["PNG", "TIFF", "JPEG", "WEBP", "AVIF"])
def test_every_exif_orientation_stands_upright(
    orientation: int, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against Pillow's own exif_transpose, in strips that do not divide the height."""
    monkeypatch.setattr(pixels, "_STRIP_PIXELS", 64 * 7)
    exif = Pil.Exif()
    exif[0x0112] = orientation
    data = encoded(
        Pil.fromarray(upright_marker()), form, exif=exif, **({"lossless": True} if form == "WEBP" else {})
    )
    got = read_image(data).rgb_HW3
    with Pil.open(io.BytesIO(data)) as picture:
        expected = np.asarray(ImageOps.exif_transpose(picture))
    np.testing.assert_array_equal(got, expected)
    assert got.shape[:2] == ((64, 40) if orientation >= 5 else (40, 64))


def test_a_phone_photo_held_upright_is_turned_clockwise() -> None:
    """Orientation 6: the stored first row is the right-hand side of the scene."""
    exif = Pil.Exif()
    exif[0x0112] = 6
    got = read_image(encoded(Pil.fromarray(upright_marker()), "PNG", exif=exif)).rgb_HW3
    assert tuple(got[0, 0]) == (0, 0, 255)
    assert tuple(got[0, -1]) == (255, 0, 0)
    assert tuple(got[-1, 0]) == (200, 200, 0)
    assert tuple(got[-1, -1]) == (0, 255, 0)


def test_a_damaged_orientation_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = Pil.new("RGB", (4, 3))
    picture.getexif()[0x0112] = 77
    assert orientation_of(picture) == 1

    def broken(_: object) -> None:
        raise SyntaxError("not a TIFF file")

    monkeypatch.setattr(Pil.Image, "getexif", broken)
    assert orientation_of(picture) == 1


def linear_profile(*, grey: bool = False) -> bytes:
    """A matrix profile whose tone curve is gamma 1.0, or a grey one: the sRGB profile with its curves replaced."""
    curve = b"curv\0\0\0\0\0\0\0\0\0\0\0\0"
    tags: dict[bytes, bytes] = {b"wtpt": _xyz(0.9642, 1.0, 0.8249), b"desc": _desc(b"linear light")}
    if grey:
        tags[b"kTRC"] = curve
    else:
        tags |= {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
        tags |= {
            b"rXYZ": _xyz(0.4360, 0.2225, 0.0139),
            b"gXYZ": _xyz(0.3851, 0.7169, 0.0971),
            b"bXYZ": _xyz(0.1431, 0.0606, 0.7139),
        }
    table, body, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    size = at + len(body)
    head = struct.pack(
        ">I4sI4s4s4s", size, b"\0\0\0\0", 0x02400000, b"mntr", b"GRAY" if grey else b"RGB ", b"XYZ "
    )
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + b"\0" * 28 + _xyz(0.9642, 1.0, 0.8249)[8:]
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def _xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(v * 65536)) for v in values)


def _desc(text: bytes) -> bytes:
    return b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text + b"\0" + b"\0" * 78


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
def test_an_icc_profile_is_converted_to_srgb(mode: str) -> None:
    """Linear light to sRGB by the formula of IEC 61966-2-1."""
    levels = np.arange(256, dtype=np.uint8)[None]
    picture = Pil.fromarray(levels).convert(mode)
    got = read_image(encoded(picture, icc_profile=linear_profile(grey=mode == "L"))).rgb_HW3
    light = levels / 255
    expected = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.power(light, 1 / 2.4) - 0.055)
    assert np.abs(got[0].astype(float) - expected[0, :, None]).max() <= 2


def test_srgb_damaged_and_unfitting_profiles_leave_the_numbers_alone() -> None:
    picture = Pil.new("RGB", (4, 4), (200, 100, 50))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    cut = linear_profile()[:150]
    for profile in (srgb, b"junk", cut, linear_profile(grey=True)):
        np.testing.assert_array_equal(
            read_image(encoded(picture, icc_profile=profile)).rgb_HW3, np.asarray(picture)
        )


def test_a_profile_that_cannot_be_used_leaves_the_numbers_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ImageCms.PyCMSError("no")

    monkeypatch.setattr(ImageCms, "buildTransform", refuse)
    picture = Pil.new("RGB", (4, 4), (200, 100, 50))
    got = read_image(encoded(picture, icc_profile=linear_profile())).rgb_HW3
    np.testing.assert_array_equal(got, np.asarray(picture))


def test_the_callers_picture_is_not_changed() -> None:
    picture = Pil.fromarray(upright_marker())
    picture.getexif()[0x0112] = 6
    before = picture.tobytes()
    assert read_image(picture).rgb_HW3.shape == (64, 40, 3)
    assert picture.tobytes() == before
    assert picture.size == (64, 40)
