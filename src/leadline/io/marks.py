"""How pictures carry the record: in a text chunk, tag or comment of their own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from leadline.core.record import RECORD_KEY, Record

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

__all__ = ["PICTURE_KEY", "TIFF_DESCRIPTION", "Mark", "is_marked", "is_ours", "mark_of", "picture_text"]

PICTURE_KEY = f"{RECORD_KEY}-picture"
"""Name of the text chunk in pictures that show depth but do not hold it."""

TIFF_DESCRIPTION = 270
_JSON_KEY = f'"{RECORD_KEY}": '
_HEAD_BYTES = 8192
_EDGE_BYTES = 65536
_NOTE = "This picture shows depth; its colours are not depth values."


@dataclass(frozen=True, slots=True)
class Mark:
    """A record found in a picture.

    Args:
        role: ``"depth"`` where the numbers are depth, ``"picture"`` where they only show it.
        text: The record as JSON.
    """

    role: Literal["depth", "picture"]
    text: str


def picture_text(record: Record) -> str:
    """What a picture that shows depth says of itself, as one line of JSON.

    Args:
        record: The record of the depth it shows.

    Returns:
        JSON, ASCII only, that begins with a note that the colours are not depth.
    """
    return f'{{"note": "{_NOTE}", {record.to_json()[1:]}'


def mark_of(picture: PilImage) -> Mark | None:
    """The record that leadline left in a picture.

    Args:
        picture: An opened Pillow image; it need not be decoded.

    Returns:
        The mark, or None where leadline did not write the picture.
    """
    info: dict[Any, Any] = picture.info
    if isinstance(info.get(RECORD_KEY), str):
        return Mark("depth", info[RECORD_KEY])
    if isinstance(info.get(PICTURE_KEY), str):
        return Mark("picture", info[PICTURE_KEY])
    comment = info.get("comment")
    if isinstance(comment, bytes) and _JSON_KEY.encode() in comment:
        return Mark("picture", comment.decode("ascii", "replace"))
    described = getattr(picture, "tag_v2", {}).get(TIFF_DESCRIPTION)
    if isinstance(described, str) and _JSON_KEY in described:
        return Mark("depth", described)
    return None


def is_marked(path: Path) -> bool:
    """Whether the first bytes of a file hold a record, so that leadline wrote it. Cheap enough for whole folders.

    Args:
        path: A picture file.

    Returns:
        True for leadline's own pictures and depth files; False for others, and for what cannot be read.
    """
    try:
        with open(path, "rb") as stream:
            return _JSON_KEY.encode() in stream.read(_HEAD_BYTES)
    except OSError:
        return False


def is_ours(path: Path) -> bool:
    """Whether leadline wrote a file of any of its formats, so that writing it again loses nothing of the user's.

    Args:
        path: A file that is there.

    Returns:
        True where the record's key stands in the first or last bytes, or in the sidecar ``<file>.json``.
    """
    key = RECORD_KEY.encode()
    sidecar = path.with_name(path.name + ".json")
    try:
        with open(path, "rb") as stream:
            head = stream.read(_EDGE_BYTES)
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - _EDGE_BYTES))
            if key in head or key in stream.read():
                return True
        return sidecar.is_file() and key in sidecar.read_bytes()[:_EDGE_BYTES]
    except OSError:
        return False
