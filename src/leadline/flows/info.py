"""What a file is, in words: depth file, picture of depth, point cloud, or photo."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from leadline.core.camera import Origin
from leadline.core.errors import InputError, KindError
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.flows.options import Told, check_bounds, told
from leadline.io.decode import PHOTO_SUFFIXES
from leadline.io.depth_files import read_depth
from leadline.io.describe import FileDescription, describe_file
from leadline.io.images import DEFAULT_MAX_PIXELS, read_image
from leadline.io.marks import is_ours

__all__ = ["InfoRequest", "describe"]

_LENSES = {
    Origin.GIVEN: "given",
    Origin.EXIF: "from EXIF",
    Origin.ESTIMATED: "estimated",
    Origin.ASSUMED: "assumed: the photo does not say; give --fov or --focal where you know it",
}


@dataclass(frozen=True, slots=True)
class InfoRequest:
    """What ``leadline info`` is asked for."""

    files: tuple[str, ...] = field(
        metadata=told(Told("Depth files, pictures, clouds or photos.", positional=True))
    )
    kind: str | None = field(
        default=None,
        metadata=told(
            Told("What the numbers of a bare depth file mean: metric-depth, disparity …", metavar="KIND")
        ),
    )
    scale: float | None = field(
        default=None,
        metadata=told(Told("Units per stored step of a bare depth file: 0.001.", metavar="NUMBER")),
    )
    offset: float | None = field(
        default=None, metadata=told(Told("Value of stored 0 in a bare depth file.", metavar="NUMBER"))
    )
    array: str = field(
        default="",
        metadata=told(
            Told("Array or channel of a bare .npz or .exr file that holds several.", metavar="NAME")
        ),
    )
    max_pixels: int = field(
        default=DEFAULT_MAX_PIXELS,
        metadata=told(Told("Largest file that is read, in pixels.", minimum=1)),
    )

    def __post_init__(self) -> None:
        check_bounds(self)
        if self.kind is not None:
            Kind.parse(self.kind)
        elif not (self.scale is None and self.offset is None and not self.array):
            raise InputError(
                "scale, offset or array is given without a kind",
                hint="say what the numbers mean: --kind metric-depth",
            )


def describe(path: str | os.PathLike[str], *, request: InfoRequest | None = None) -> FileDescription:
    """Says what a file is.

    Args:
        path: The file.
        request: What is known of a bare file, and the limit on pixels.

    Returns:
        What it is.

    Raises:
        InputError: There is no such file, it is damaged, or it is nothing leadline knows.
        KindError: The file's own record says otherwise than the request.
    """
    asked = request or InfoRequest((str(path),))
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{str(path)!r} is a folder", hint="name the files in it")
    if asked.kind is not None:
        return _said(path, asked)
    try:
        return describe_file(path, max_pixels=asked.max_pixels)
    except (InputError, KindError):
        if path.suffix.lower() not in PHOTO_SUFFIXES or not path.is_file() or is_ours(path):
            raise
        return _photo(path, read_image(path, max_pixels=asked.max_pixels))


def _said(path: Path, asked: InfoRequest) -> FileDescription:
    depth, record = read_depth(
        path,
        kind=asked.kind,
        scale=asked.scale,
        offset=asked.offset,
        array=asked.array,
        max_pixels=asked.max_pixels,
    )
    facts = (
        f"kind: {depth.kind} ({depth.kind.words}), as you said",
        f"valid: {100 * float(depth.valid.mean()):.3g}% of pixels",
    )
    form = f"bare {path.suffix.lower().lstrip('.').upper()} file"
    return FileDescription(path, "depth", form, repr(depth), facts, record)


def _photo(path: Path, image: Image) -> FileDescription:
    camera = image.camera
    lens = f"{camera.fx:.1f} px focal length, {camera.fov_long_deg:.1f}° across the longer side, {_LENSES[camera.origin]}"
    return FileDescription(
        path,
        "photo",
        "photo",
        f"photo, {image.width}x{image.height}; it holds no depth",
        (f"camera: {lens}", f"'leadline predict {path}' makes depth of it"),
        camera=camera,
    )
