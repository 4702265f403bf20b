from __future__ import annotations

import io
import os
import random
import sys
import threading
import typing
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pil

from leadline.core.camera import Origin
from leadline.core.errors import InputError, MissingExtra
from leadline.core.image import Image
from leadline.io import decode, images
from leadline.io.images import read_image

FORMATS = ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "JPEG2000", "PPM", "MPO"]


def scene(width: int = 48, height: int = 32) -> Pil.Image:
    """Smooth colour ramps, so that lossy formats come close."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Pil.fromarray(np.stack([x, y, 255 - x], -1).round().astype(np.uint8))


def encoded(picture: Pil.Image, form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_gives_the_same_scene(tmp_path: Path, form: str) -> None:
    path = tmp_path / "photo.of-any-name"
    path.write_bytes(encoded(scene(), form))
    image = read_image(path)
    assert (image.width, image.height) == (48, 32)
    assert image.source == str(path)
    assert image.camera.origin is Origin.ASSUMED
    assert not image.rgb_HW3.flags.writeable
    error = np.abs(image.rgb_HW3.astype(int) - np.asarray(scene(), int))
    assert error.max() <= {"PNG": 0, "TIFF": 0, "BMP": 0, "PPM": 0, "GIF": 60}.get(form, 30)
    assert error.mean() < {"GIF": 20}.get(form, 6)


def test_heic_comes_through_its_extra(tmp_path: Path) -> None:
    heif = pytest.importorskip("pillow_heif")
    path = tmp_path / "photo.heic"
    heif.from_pillow(scene()).save(path, quality=95)
    image = read_image(path)
    assert np.abs(image.rgb_HW3.astype(int) - np.asarray(scene(), int)).mean() < 6


def test_heic_without_its_extra_gives_the_line_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "photo.heic"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 100)
    monkeypatch.setattr("leadline.plugins.need.find_spec", lambda _: None)
    with pytest.raises(
        MissingExtra, match=r"a HEIC photo needs 'pillow_heif': pip install 'leadline\[heif\]'"
    ):
        read_image(path)


def test_progressive_and_grey_jpeg() -> None:
    image = read_image(encoded(scene(), "JPEG", quality=95, progressive=True))
    assert np.abs(image.rgb_HW3.astype(int) - np.asarray(scene(), int)).mean() < 6
    grey = read_image(encoded(scene().convert("L"), "JPEG", quality=95)).rgb_HW3
    assert (grey[..., 0] == grey[..., 1]).all()
    assert (grey[..., 0] == grey[..., 2]).all()
    assert np.abs(grey[..., 0].astype(int) - np.asarray(scene().convert("L"), int)).max() <= 4


def test_an_animated_gif_gives_its_first_frame() -> None:
    frames = [Pil.new("RGB", (8, 6), colour) for colour in ("red", "lime", "blue")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=50)
    assert (read_image(data).rgb_HW3 == [255, 0, 0]).all()


def test_a_multi_picture_file_gives_its_first_picture() -> None:
    frames = [Pil.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    image = read_image(encoded(frames[0], "MPO", save_all=True, append_images=frames[1:]))
    assert np.abs(image.rgb_HW3.astype(int) - [254, 0, 0]).max() <= 2


def test_every_way_of_handing_over_a_photo_is_the_same(
    tmp_path: Path, site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encoded(scene(), "PNG")
    path = tmp_path / "a.png"
    path.write_bytes(data)
    site.files["a.png"] = data

    class Stdin:
        buffer = io.BytesIO(data)

    monkeypatch.setattr(sys, "stdin", Stdin)
    with open(path, "rb") as stream:
        given: dict[str, Any] = {
            str(path): path,
            "a.png": None,
            "bytes": data,
            "stdin": "-",
            site.url("a.png"): site.url("a.png"),
            "file": io.BytesIO(data),
            f"{path}": stream,
            "picture": scene(),
            "array": np.asarray(scene()),
        }
        monkeypatch.chdir(tmp_path)
        given["a.png"] = "a.png"
        for name, source in given.items():
            image = read_image(source)
            assert image.source == name
            np.testing.assert_array_equal(image.rgb_HW3, np.asarray(scene()))
    assert read_image(bytearray(data)).width == read_image(memoryview(data)).width == 48
    same = read_image(Image.from_array(np.asarray(scene()), source="mine"))
    assert same.source == "mine"


def test_a_pipe_without_seeking_is_read(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_bytes, args=(encoded(scene(), "PNG"),))
    writer.start()
    np.testing.assert_array_equal(read_image(fifo).rgb_HW3, np.asarray(scene()))
    writer.join()


def test_arrays_of_grey_and_alpha() -> None:
    grey = np.array([[0, 128, 255]], np.uint8)
    np.testing.assert_array_equal(read_image(grey).rgb_HW3[..., 1], grey)
    rgba = np.array([[[10, 20, 30, 255], [10, 20, 30, 0]]], np.uint8)
    np.testing.assert_array_equal(read_image(rgba).rgb_HW3, [[[10, 20, 30], [255, 255, 255]]])
    for wrong in (
        np.zeros((4, 4, 3)),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros(4, np.uint8),
        np.zeros((0, 4), np.uint8),
    ):
        with pytest.raises(InputError, match="is not uint8"):
            read_image(wrong)


def test_a_given_camera_wins_and_speaks_of_the_upright_photo() -> None:
    exif = Pil.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0xA405] = 26
    data = encoded(scene(), "JPEG", exif=exif)
    assert read_image(data).camera.origin is Origin.EXIF
    by_angle = read_image(data, fov_deg=90.0).camera
    assert by_angle.origin is Origin.GIVEN
    assert by_angle.fx == pytest.approx(48 / 2)  # upright it is 32 wide and 48 high; tan 45° = 1
    flat = read_image(encoded(scene(), "JPEG"), fov_deg=90.0).camera
    assert (flat.width, flat.height, flat.fx) == (48, 32, by_angle.fx)  # one camera, held either way
    by_focal = read_image(data, focal_px=500.0).camera
    assert (by_focal.fx, by_focal.fy, by_focal.cx, by_focal.width) == (500.0, 500.0, 15.5, 32)
    assert read_image(read_image(data), focal_px=7.0).camera.fx == 7.0
    with pytest.raises(InputError, match="both given; give one of them"):
        read_image("no-such-file.jpg", fov_deg=60.0, focal_px=500.0)
    with pytest.raises(InputError, match=r"200.* is not between 0° and 180°"):
        read_image(data, fov_deg=200.0)
    with pytest.raises(InputError, match=r"fx = -5.0 is not positive"):
        read_image(data, focal_px=-5.0)


def test_the_type_of_a_source_is_there_at_run_time() -> None:
    taken = typing.get_type_hints(read_image)["source"]
    assert taken == images.PhotoSource
    assert {str, bytes, images.PillowPicture, Image} <= set(typing.get_args(taken))


def test_paths_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "holiday.jpg").write_bytes(encoded(scene(), "JPEG"))
    with pytest.raises(InputError, match=r"there is no '.*holidy.jpg'; did you mean '.*holiday.jpg'"):
        read_image(tmp_path / "holidy.jpg")
    with pytest.raises(InputError, match=r"there is no '.*x.jpg'; check the path"):
        read_image(tmp_path / "none" / "x.jpg")
    with pytest.raises(InputError, match="there is no"):
        read_image(tmp_path / "holiday.jpg" / "x.jpg")
    with pytest.raises(InputError, match="is a folder; name a photo in it"):
        read_image(tmp_path)
    with pytest.raises(InputError, match=r"cannot be read: .*null byte"):
        read_image("a\0b.jpg")

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(images, "open", denied, raising=False)
    with pytest.raises(InputError, match="cannot be read: Permission denied; check its name"):
        read_image(tmp_path / "holiday.jpg")


@pytest.mark.parametrize("source", [None, 3, ["a.jpg"], io.StringIO("text")])
def test_things_that_are_no_photo(source: Any) -> None:
    with pytest.raises(InputError, match="is not a photo; pass a path"):
        read_image(source)


def test_an_address_that_fails_is_told(site: Any) -> None:
    with pytest.raises(InputError, match="the server answers 404"):
        read_image(site.url("gone.jpg"))


def test_empty_and_foreign_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.touch()
    with pytest.raises(InputError, match=r"'.*photo.jpg' is empty \(0 bytes\); copy the photo again"):
        read_image(path)
    path.write_text("this is my shopping list\n")
    with pytest.raises(InputError, match=r"'.*photo.jpg' is no photo: it looks like plain text; name a JPEG"):
        read_image(path)
    path.write_bytes(b"\0\0\0\x18ftypmp42" + b"\0" * 99)
    with pytest.raises(InputError, match=r"a video .* take a frame out of the video"):
        read_image(path)
    path.write_bytes(b"v/1\1" + b"\0" * 99)
    with pytest.raises(InputError, match="an OpenEXR file; if it is a depth file, 'leadline info'"):
        read_image(path)


@pytest.mark.parametrize("form", FORMATS)
def test_a_photo_cut_in_half_is_told(form: str) -> None:
    data = encoded(scene(200, 150), form)
    with pytest.raises(
        InputError, match=r"'bytes' begins like an? .* but is damaged or cut short after [\d,]+ bytes"
    ):
        read_image(data[: len(data) // 2])


@pytest.mark.parametrize("form", FORMATS)
def test_damage_anywhere_is_a_photo_or_an_input_error(form: str) -> None:
    data = encoded(scene(64, 40), form)
    draw = random.Random(form)
    refused = 0
    for _ in range(60):
        broken = bytearray(data[: draw.randrange(1, len(data) + 1)])
        for _ in range(draw.randrange(0, 6)):
            broken[draw.randrange(len(broken))] = draw.randrange(256)
        try:
            assert read_image(bytes(broken), max_pixels=10_000_000).width > 0
        except InputError:
            refused += 1
    assert refused > 10


def test_a_pillow_image_that_breaks_while_decoding_is_told(tmp_path: Path) -> None:
    path = tmp_path / "half.png"
    data = encoded(scene(), "PNG")
    path.write_bytes(data[: len(data) // 2])
    with Pil.open(path) as picture, pytest.raises(InputError, match=r"half.png' cannot be decoded"):
        read_image(picture)


def bomb(width: int, height: int) -> bytes:
    """A small PNG file that says it is large, and would be."""
    import struct
    import zlib

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    packer = zlib.compressobj(9)
    row = b"\0" * (1 + (width + 7) // 8)
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def test_a_decompression_bomb_is_refused_with_the_limit_and_the_way_to_raise_it() -> None:
    data = bomb(40_000, 30_000)
    assert len(data) < 200_000
    limit = Pil.MAX_IMAGE_PIXELS
    with pytest.raises(
        InputError,
        match=r"has 1,200,000,000 pixels \(40000x30000\); the limit is 256,000,000; "
        r".*--max-pixels 1200000000 \(max_pixels= in Python\)",
    ):
        read_image(data)
    assert limit == Pil.MAX_IMAGE_PIXELS
    with pytest.raises(InputError, match="the limit is 100"):
        read_image(np.zeros((11, 10, 3), np.uint8), max_pixels=100)
    with pytest.raises(InputError, match="the limit is 100"):
        read_image(scene(), max_pixels=100)


def test_a_raised_limit_lets_a_large_photo_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pil, "MAX_IMAGE_PIXELS", 100)
    data = bomb(64, 20)
    assert read_image(data, max_pixels=64 * 20).width == 64
    assert Pil.MAX_IMAGE_PIXELS == 100
    tiff = encoded(scene(), "TIFF")
    assert read_image(tiff).width == 48
    with pytest.raises(InputError, match="the limit is 1,279"):
        read_image(data, max_pixels=64 * 20 - 1)


def test_a_photo_between_pillows_warning_and_its_limit_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pil, "MAX_IMAGE_PIXELS", 1000)
    assert read_image(encoded(scene(), "PNG")).width == 48  # 1536 pixels: Pillow alone would warn


def test_what_leadline_wrote_is_no_photo(tmp_path: Path) -> None:
    from leadline.core.depth_map import DepthMap
    from leadline.core.kind import Kind
    from leadline.io.depth_files import write_depth

    for suffix in (".png", ".tiff"):
        path = tmp_path / f"a_depth{suffix}"
        write_depth(path, DepthMap(np.ones((4, 4)), Kind()))
        with pytest.raises(InputError, match="leadline wrote it, and it shows depth; 'leadline info'"):
            read_image(path)


def test_camera_raw_files_are_refused_rather_than_read_as_thumbnails() -> None:
    for tags in ({254: 1}, {50706: b"\x01\x04\0\0"}):
        data = encoded(scene(), "TIFF", tiffinfo=tags)
        with pytest.raises(
            InputError, match="camera raw file: its first page is only a thumbnail; develop it"
        ):
            read_image(data)


def test_threads_leave_pillows_limit_and_the_warning_filters_as_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Pil, "MAX_IMAGE_PIXELS", 100)
    data = encoded(scene(), "PNG")
    before = list(warnings.filters)
    widths: list[int] = []
    threads = [
        threading.Thread(target=lambda: widths.extend(read_image(data).width for _ in range(20)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert widths == [48] * 160
    assert Pil.MAX_IMAGE_PIXELS == 100
    assert list(warnings.filters) == before


def test_pillows_warnings_do_not_leak_but_others_do() -> None:
    with decode.calm():
        warnings.warn_explicit("odd", UserWarning, "TiffImagePlugin.py", 1, module="PIL.TiffImagePlugin")
        with pytest.warns(UserWarning, match="mine"):
            warnings.warn("mine", stacklevel=1)
    with pytest.warns(UserWarning, match="odd"):
        warnings.warn_explicit("odd", UserWarning, "TiffImagePlugin.py", 1, module="PIL.TiffImagePlugin")
