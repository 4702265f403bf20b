"""Telling from its first bytes what a file is."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["HEAD_BYTES", "Looks", "looks_like"]

HEAD_BYTES = 512
"""How many first bytes are needed."""


@dataclass(frozen=True, slots=True)
class Looks:
    """What a file looks like.

    Args:
        words: What a person would call it: ``"a JPEG picture"``.
        decoder: Pillow's name of the format where it is a picture leadline reads, else empty.
    """

    words: str
    decoder: str = ""


_SIGNATURES: tuple[tuple[int, bytes, Looks], ...] = (
    (0, b"\xff\xd8\xff", Looks("a JPEG picture", "JPEG")),
    (0, b"\x89PNG\r\n\x1a\n", Looks("a PNG picture", "PNG")),
    (8, b"CR", Looks("a camera raw file (Canon CR2)")),
    (0, b"II*\0", Looks("a TIFF picture", "TIFF")),
    (0, b"MM\0*", Looks("a TIFF picture", "TIFF")),
    (0, b"II+\0", Looks("a TIFF picture", "TIFF")),
    (0, b"MM\0+", Looks("a TIFF picture", "TIFF")),
    (0, b"GIF87a", Looks("a GIF picture", "GIF")),
    (0, b"GIF89a", Looks("a GIF picture", "GIF")),
    (0, b"BM", Looks("a BMP picture", "BMP")),
    (0, b"\0\0\0\x0cjP  \r\n", Looks("a JPEG 2000 picture", "JPEG2000")),
    (0, b"\xffO\xffQ", Looks("a JPEG 2000 picture", "JPEG2000")),
    (0, b"\xff\n", Looks("a JPEG XL picture")),
    (0, b"\0\0\0\x0cJXL ", Looks("a JPEG XL picture")),
    (0, b"8BPS", Looks("a Photoshop file")),
    (0, b"\0\0\1\0", Looks("an icon")),
    (0, b"IIRO", Looks("a camera raw file (Olympus ORF)")),
    (0, b"IIU\0", Looks("a camera raw file (Panasonic RW2)")),
    (0, b"FUJIFILMCCD-RAW", Looks("a camera raw file (Fujifilm RAF)")),
    (0, b"v/1\1", Looks("an OpenEXR file")),
    (0, b"#?RADIANCE", Looks("a Radiance HDR picture")),
    (0, b"\x93NUMPY", Looks("a NumPy array file")),
    (0, b"glTF", Looks("a glTF scene")),
    (0, b"ply\n", Looks("a PLY point cloud or mesh")),
    (0, b"%PDF", Looks("a PDF document")),
    (0, b"PK\3\4", Looks("a ZIP archive (or an NPZ, DOCX or the like)")),
    (0, b"\x1f\x8b", Looks("a gzip archive")),
    (0, b"\x1aE\xdf\xa3", Looks("a video (Matroska or WebM)")),
    (
        0,
        b"version https://git-lfs",
        Looks("a Git LFS pointer: the photo itself was not fetched (git lfs pull)"),
    ),
)

_BRANDS: tuple[tuple[frozenset[bytes], Looks], ...] = (
    (frozenset((b"avif", b"avis")), Looks("an AVIF picture", "AVIF")),
    (
        frozenset((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")),
        Looks("a HEIC picture", "HEIF"),
    ),
    (frozenset((b"crx ",)), Looks("a camera raw file (Canon CR3)")),
)


def looks_like(head: bytes) -> Looks:
    """Tells what a file is from its first bytes, whatever its name says.

    Args:
        head: The first ``HEAD_BYTES`` bytes, fewer where the file is shorter.

    Returns:
        What it looks like; ``decoder`` is empty for what leadline does not read as a photo.

    Example:
        >>> looks_like(b"%PDF-1.7").words
        'a PDF document'
    """
    for offset, magic, looks in _SIGNATURES:
        if head[offset : offset + len(magic)] == magic and (magic != b"CR" or head[:4] == b"II*\0"):
            return looks
    if head[4:8] == b"ftyp":
        return _container(head)
    if head[:4] == b"RIFF":
        return (
            Looks("a WebP picture", "WEBP")
            if head[8:12] == b"WEBP"
            else Looks("a RIFF file (AVI video or WAV sound)")
        )
    if len(head) > 2 and head[:1] == b"P" and head[1:2] in b"123456" and head[2:3] in b" \t\r\n":
        return Looks("a PNM picture", "PPM")
    if head[:3] in (b"Pf\n", b"PF\n"):
        return Looks("a PFM file of floats")
    return _text(head)


def _container(head: bytes) -> Looks:
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[i : i + 4] for i in (8, *range(16, max(16, size - 3), 4))}
    for known, looks in _BRANDS:
        if brands & known:
            return looks
    return Looks("a video (MP4 or QuickTime)")


def _text(head: bytes) -> Looks:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:256].lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return Looks("a web page (HTML), not a picture")
    if start.startswith((b"<svg", b"<?xml")):
        return Looks("an SVG or XML text")
    try:
        text = head.decode("utf-8", errors="strict" if len(head) < HEAD_BYTES else "ignore")
    except UnicodeDecodeError:
        text = "\0"
    if text and all(c.isprintable() or c in "\t\r\n\f" for c in text):
        return Looks("plain text")
    return Looks(f"data of no known kind (first bytes {head[:8].hex(' ')})")
