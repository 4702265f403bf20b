from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

from leadline.io import png
from leadline.io.png import write_png


def depth(height: int, width: int) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    noise = np.random.default_rng(0).integers(0, 9, (height, width))
    return (1000 + 37 * rows + 3 * columns + noise).astype(np.uint16)


@pytest.fixture(params=["isal", "zlib"])
def deflate(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Who compresses; what is not installed here is skipped."""
    if request.param == "isal":
        pytest.importorskip("isal")
    else:
        monkeypatch.setattr(png, "has", lambda package: False)
    return str(request.param)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (37, 53), (480, 640)])
@pytest.mark.parametrize("strip", [1, 1000, 1 << 22])
def test_pillow_reads_every_value_back(
    tmp_path: Path, size: tuple[int, int], strip: int, deflate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(png, "_STRIP_BYTES", strip)
    grey, colour = depth(*size), np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)
    for array in (grey, colour, np.full(size, 65535, np.uint16)):
        write_png(tmp_path / "a.png", array, texts={"leadline": '{"a": 1}', "note": "µ"})
        with Pil.open(tmp_path / "a.png") as picture:
            picture.load()
            assert picture.info["leadline"] == '{"a": 1}'
            assert picture.info["note"] == "µ"
            assert picture.mode == ("RGB" if array.ndim == 3 else "I;16")
            assert np.array_equal(np.asarray(picture), array), deflate


def test_other_readers_agree(tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    write_png(tmp_path / "a.png", depth(100, 120), texts={})
    assert np.array_equal(cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED), depth(100, 120))


def test_views_that_are_not_contiguous_are_written_as_they_look(tmp_path: Path) -> None:
    turned = np.rot90(depth(20, 30))
    write_png(tmp_path / "a.png", turned, texts={})
    assert np.array_equal(np.asarray(Pil.open(tmp_path / "a.png")), turned)


def test_smooth_depth_becomes_smaller_than_through_pillow(tmp_path: Path, deflate: str) -> None:
    rows, columns = np.mgrid[:480, :640]
    smooth = (2500 + 900 * np.sin(rows / 90) + 700 * np.cos(columns / 70)).astype(np.uint16)
    write_png(tmp_path / "a.png", smooth, texts={})
    Pil.fromarray(smooth).save(tmp_path / "b.png", compress_level=1)
    assert (tmp_path / "a.png").stat().st_size < (tmp_path / "b.png").stat().st_size, deflate


def test_nothing_is_loaded_before_a_png_is_written() -> None:
    code = "import sys, leadline.io.png; print('isal' in sys.modules, 'PIL' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
