"""What a file is, in words: depth file, picture of depth, point cloud, or photo."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadline.core.camera import Camera, Origin
from leadline.core.errors import InputError
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.io.decode import PHOTO_SUFFIXES
from leadline.io.depth_files import read_depth
from leadline.io.describe import describe_file
from leadline.io.images import DEFAULT_MAX_PIXELS, read_image

__all__ = ["Description", "describe"]

_LENSES = {
    Origin.GIVEN: "given",
    Origin.EXIF: "from EXIF",
    Origin.ESTIMATED: "estimated",
    Origin.ASSUMED: "assumed: the photo does not say; give --fov or --focal where you know it",
}


@dataclass(frozen=True, slots=True)
class Description:
    """What a file is.

    Args:
        path: The file.
        role: ``"depth"``, ``"bare"``, ``"picture"``, ``"cloud"`` or ``"photo"``.
        summary: One line.
        facts: Further lines.
        details: The same as plain JSON values.
    """

    path: str
    role: str
    summary: str
    facts: tuple[str, ...]
    details: dict[str, Any]


def describe(
    path: str | os.PathLike[str],
    *,
    kind: Kind | None = None,
    scale: float | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> Description:
    """Says what a file is.

    Args:
        path: The file.
        kind: What a bare file's numbers mean, where you know it.
        scale: Units per stored step of a bare file.
        max_pixels: Largest number of pixels that is read.

    Returns:
        What it is.

    Raises:
        InputError: There is no such file, it is damaged, or it is nothing leadline knows.
    """
    if Path(path).is_dir():
        raise InputError(f"{str(path)!r} is a folder", hint="name the files in it")
    if kind is not None:
        return _told(str(path), kind, scale)
    try:
        found = describe_file(path, max_pixels=max_pixels)
    except InputError:
        if Path(path).suffix.lower() not in PHOTO_SUFFIXES or not Path(path).is_file():
            raise
        return _photo(read_image(path, max_pixels=max_pixels))
    return Description(str(path), found.role, found.summary, found.facts, found.to_dict())


def _told(path: str, kind: Kind, scale: float | None) -> Description:
    depth, record = read_depth(path, kind=kind, scale=scale)
    facts = (
        f"kind: {kind} ({kind.words}), as you said",
        f"valid: {100 * float(depth.valid.mean()):.3g}% of pixels",
    )
    details = {
        "path": path,
        "role": "depth",
        "summary": repr(depth),
        "facts": list(facts),
        "record": record.to_dict(),
    }
    return Description(path, "depth", repr(depth), facts, details)


def _photo(image: Image) -> Description:
    camera = image.camera
    summary = f"photo, {image.width}x{image.height}; it holds no depth"
    facts = (_lens(camera), f"'leadline predict {image.source}' makes depth of it")
    details = {
        "path": image.source,
        "role": "photo",
        "summary": summary,
        "facts": list(facts),
        "camera": camera.to_dict(),
    }
    return Description(image.source, "photo", summary, facts, details)


def _lens(camera: Camera) -> str:
    return f"camera: {camera.fx:.1f} px focal length, {camera.fov_deg:.1f}° across, {_LENSES[camera.origin]}"
