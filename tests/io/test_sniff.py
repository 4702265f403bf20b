from __future__ import annotations

import io

import pytest
from PIL import Image as Pil

from leadline.io.sniff import HEAD_BYTES, looks_like


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "GIF", "BMP", "WEBP", "PPM", "JPEG2000", "AVIF"])
def test_what_pillow_writes_is_known_by_its_bytes(form: str) -> None:
    stream = io.BytesIO()
    Pil.new("RGB", (8, 8)).save(stream, form)
    assert looks_like(stream.getvalue()[:HEAD_BYTES]).decoder == form


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"II*\0\x10\0\0\0CR\x02\0", "Canon CR2"),
        (b"II*\0\x10\0\0\0XXCR", "TIFF"),
        (b"MM\0+\0\x08", "TIFF"),
        (b"\0\0\0\x18ftypcrx \0\0\0\0", "Canon CR3"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "AVIF"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "video"),
        (b"RIFF\0\0\0\0AVI LIST", "AVI"),
        (b"\xff\x0a\xfa\x7f", "JPEG XL"),
        (b"8BPS\0\1", "Photoshop"),
        (b"%PDF-1.7\n", "PDF"),
        (b"PK\3\4abc", "ZIP"),
        (b"\x93NUMPY\1\0", "NumPy"),
        (b"Pf\n640 480\n-1.0\n", "PFM"),
        (b"P5 640 480 255\n", "PNM"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><svg/>", "SVG"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"),
        ("Grüße\n".encode(), "plain text"),
        ("é".encode() * 300, "plain text"),
        (b"\x00\x01\x02\x03\x04\x05\x06\x07\x08", "first bytes 00 01 02 03 04 05 06 07"),
        (b"abc\x00def", "no known kind"),
        (b"\xc3", "no known kind"),
        (b"P", "plain text"),
    ],
)
def test_other_files_are_called_by_their_name(head: bytes, words: str) -> None:
    assert words in looks_like(head[:HEAD_BYTES]).words
