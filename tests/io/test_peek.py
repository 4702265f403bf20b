from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from leadline.io.peek import UNKNOWN_PIXELS, pixel_count


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tiff", ".bmp", ".gif"])
def test_the_header_tells(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"p{suffix}"
    Image.new("RGB", (37, 53)).save(path)
    assert pixel_count(str(path)) == 37 * 53


def test_a_heic_photo_tells(tmp_path: Path) -> None:
    """In a process of its own: any HEIC photo read before would have told Pillow of the format."""
    heif = pytest.importorskip("pillow_heif")
    path = tmp_path / "p.heic"
    heif.from_pillow(Image.new("RGB", (64, 48))).save(path)
    told = "import sys; from leadline.io.peek import pixel_count; print(pixel_count(sys.argv[1]))"
    ended = subprocess.run([sys.executable, "-c", told, path], capture_output=True, text=True, check=True)
    assert int(ended.stdout) == 64 * 48


def test_a_heic_photo_without_its_extra_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "p.heic"
    path.write_bytes(b"\0\0\0\x1cftypmif1\0\0\0\0mif1heic")
    monkeypatch.setattr("leadline.plugins.need.has", lambda package: False)
    assert pixel_count(str(path)) == UNKNOWN_PIXELS


def test_a_huge_one_tells_or_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "p.png"
    Image.new("RGB", (100, 100)).save(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 6_000)
    assert pixel_count(str(path)) == 10_000
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert pixel_count(str(path)) == UNKNOWN_PIXELS


@pytest.mark.parametrize("content", [b"", b"text", b"\x89PNG\r\n\x1a\n\0\0"])
def test_what_cannot_be_read_is_not_known(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "p.png"
    path.write_bytes(content)
    assert pixel_count(str(path)) == UNKNOWN_PIXELS


@pytest.mark.parametrize("source", ["-", "http://127.0.0.1/a.jpg", "no/such/file.jpg"])
def test_what_is_not_there_is_not_known(source: str) -> None:
    assert pixel_count(source) == UNKNOWN_PIXELS
