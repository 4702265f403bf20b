"""The record that files carry which show or use depth without holding it."""

from __future__ import annotations

from pathlib import PurePath
from urllib.parse import urlsplit

from leadline.core.record import Record
from leadline.core.results import Prediction
from leadline.io.fetch import is_url

__all__ = ["record_of", "source_name"]


def record_of(prediction: Prediction) -> Record:
    """The record of a prediction's depth.

    Args:
        prediction: The prediction.

    Returns:
        Kind, camera, whether the scale is uncertain, maker, and the photo's name without its folders.
    """
    depth = prediction.depth
    return Record(
        depth.kind,
        camera=depth.camera,
        model=prediction.model,
        source=source_name(prediction.image.source),
        scale_uncertain=depth.scale_uncertain,
    )


def source_name(source: str) -> str:
    """What a file that travels says of its photo: its name, not the folders or secrets of who made it.

    Args:
        source: A path, an address, or another name.

    Returns:
        The last part of a path; an address without user, query and fragment.

    Example:
        >>> source_name("holiday/trip/a.jpg"), source_name("https://ann:pw@e.org/a.jpg?token=1")
        ('a.jpg', 'https://e.org/a.jpg')
    """
    if not is_url(source):
        return PurePath(source).name or source
    parts = urlsplit(source)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
