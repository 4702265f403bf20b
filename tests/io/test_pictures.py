from __future__ import annotations

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

from leadline.core.camera import Camera
from leadline.core.errors import InputError, OutputError
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.core.record import Record
from leadline.io import pictures
from leadline.io.depth_files import read_depth
from leadline.io.images import read_image
from leadline.io.marks import is_marked, mark_of
from leadline.io.pictures import jpeg_bytes, png_bytes, write_picture
from leadline.io.sources import find_photos

RECORD = Record(Kind(Quantity.INVERSE, Freedom.AFFINE), camera=Camera.assumed(30, 20), source="a.jpg")


def ramp(height: int = 20, width: int = 30) -> np.ndarray:
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return np.stack([x, y, 255 - x], -1).astype(np.uint8)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_picture_keeps_pixels_and_record_and_says_it_is_no_depth(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a_colour{suffix}"
    write_picture(path, ramp(), record=RECORD)
    with Pil.open(path) as picture:
        mark = mark_of(picture)
        error = np.abs(np.asarray(picture, int) - ramp())
    assert error.max() <= (0 if suffix == ".png" else 12)
    assert mark is not None
    assert mark.role == "picture"
    assert Record.from_json(mark.text) == RECORD
    assert "not depth values" in json.loads(mark.text)["note"]
    assert is_marked(path)
    with pytest.raises(InputError, match="leadline wrote it, and it shows depth"):
        read_image(path)
    with pytest.raises(InputError, match="holds no photo"):
        find_photos([tmp_path])


def test_a_picture_is_never_read_as_depth(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", ramp(), record=RECORD)
    with pytest.raises(
        InputError, match="only shows depth: its colours are not depth values; read the depth file"
    ):
        read_depth(tmp_path / "a.png", kind="metric", scale=1)


def test_a_picture_too_large_for_jpeg_is_made_smaller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "_JPEG_LARGEST", 15)
    write_picture(tmp_path / "a.jpg", ramp(), record=RECORD)
    with Pil.open(tmp_path / "a.jpg") as picture:
        assert picture.size == (15, 10)
    wide = np.zeros((1, 65501, 3), np.uint8)
    monkeypatch.undo()
    write_picture(tmp_path / "b.jpg", wide, record=RECORD)
    with Pil.open(tmp_path / "b.jpg") as picture:
        assert picture.width == 65500


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_picture_that_cannot_be_written_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="a part of its path is a file"):
        write_picture(tmp_path / "file" / f"a{suffix}", ramp(), record=RECORD)
    assert os.listdir(tmp_path) == ["file"]


def test_png_bytes_fit_and_are_never_enlarged() -> None:
    for longest, size in ((15, (15, 10)), (300, (30, 20))):
        with Pil.open(io.BytesIO(png_bytes(ramp(), longest=longest))) as picture:
            assert picture.size == size


def test_pictures_of_others_have_no_mark(tmp_path: Path) -> None:
    for form in ("PNG", "JPEG", "TIFF", "GIF"):
        path = tmp_path / f"a.{form.lower()}"
        Pil.fromarray(ramp()).save(path, form)
        assert not is_marked(path)
        with Pil.open(path) as picture:
            assert mark_of(picture) is None
    assert not is_marked(tmp_path / "none.png")
    assert not is_marked(tmp_path)


def test_jpeg_bytes_hold_the_picture_at_its_size() -> None:
    rows, columns = np.mgrid[:40, :60]
    smooth = np.stack([4 * rows, 3 * columns, rows + columns], -1).astype(np.uint8)
    with Pil.open(io.BytesIO(jpeg_bytes(smooth, quality=90))) as read:
        assert (read.format, read.size) == ("JPEG", (60, 40))
        assert np.abs(np.asarray(read).astype(int) - smooth).mean() < 2
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    assert len(jpeg_bytes(noise, quality=50)) < len(jpeg_bytes(noise, quality=90))
