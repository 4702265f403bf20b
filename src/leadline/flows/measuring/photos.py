"""The photos of a benchmark: a folder of files, the same for every variant."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.kind import Kind
from leadline.flows.demo import bundled_photo
from leadline.io.depth_files import write_depth
from leadline.io.images import read_image
from leadline.io.sources import find_photos

__all__ = ["PHOTOS", "Album", "fill_album", "fill_prompts"]

PHOTOS = 32
"""Files there are, so that a folder is long enough for a fast model; fewer photos come round again."""

_QUALITY = 92
_PROMPT_HEIGHT, _PROMPT_WIDTH = 192, 256


@dataclass(frozen=True, slots=True)
class Album:
    """The photos of a benchmark.

    Args:
        files: The files, at least as many as the largest batch.
        size: Their size as text, ``"640x480"``; ``"mixed"`` where they differ.
        source: Where they are from, in words.
    """

    files: tuple[Path, ...]
    size: str
    source: str


def fill_album(
    folder: Path, *, sources: Sequence[str], size: tuple[int, int] | None, least: int = 1
) -> Album:
    """Puts photos into a folder; what is given as it is becomes a link or a copy, what changes its size a JPEG file.

    Args:
        folder: An empty folder.
        sources: Photos as ``find_photos`` takes them; empty for the one that ships.
        size: Width and height to bring them to; None leaves them as they are.
        least: The largest batch: as many files there must be.

    Returns:
        What is in the folder.

    Raises:
        InputError: No photo was found, or one cannot be used.
    """
    found = [photo.source for photo in find_photos(sources or (str(bundled_photo()),))]
    used = found[: max(PHOTOS, least)]
    makers = [_maker(source, size) for source in used]
    files = [makers[k % len(used)](folder / f"{k:04d}") for k in range(max(PHOTOS, least))]
    sizes = {maker.size for maker in makers}
    width, height = next(iter(sizes))
    told = "the photo that ships" if not sources else f"{len(used)} of {len(found)} that were given"
    return Album(tuple(files), f"{width}x{height}" if len(sizes) == 1 else "mixed", told)


def fill_prompts(folder: Path, photos: Sequence[Path], *, kind: Kind) -> DepthMap:
    """Puts a prompt for each photo into a folder, for models that are prompted: a floor, as a phone's LiDAR gives it.

    Args:
        folder: An empty folder.
        photos: The photo files.
        kind: The kind of the prompts.

    Returns:
        The prompt, which is the same for all.
    """
    rows = np.linspace(3, 1, _PROMPT_HEIGHT, dtype=np.float32)
    floor = DepthMap(np.repeat(rows[:, None], _PROMPT_WIDTH, 1), kind)
    first = folder / f"{photos[0].stem}_depth.npz"
    write_depth(first, floor)
    for photo in photos[1:]:
        _same(first, folder / f"{photo.stem}_depth.npz")
    return floor


@dataclass(frozen=True, slots=True, eq=False)
class _Maker:
    """Makes files of one photo: links where it stays as it is, else JPEG files, each turned a little further."""

    source: str
    size: tuple[int, int]
    rgb_HW3: NDArray[np.uint8] | None

    def __call__(self, stem: Path) -> Path:
        from PIL import Image

        if self.rgb_HW3 is None:
            return _same(Path(self.source), stem.with_suffix(Path(self.source).suffix))
        # No two files are alike, so that nothing can be kept from one to the next.
        turned = np.roll(self.rgb_HW3, 7 * int(stem.name), axis=1)
        file = stem.with_suffix(".jpg")
        Image.fromarray(turned).save(file, quality=_QUALITY)
        return file


def _maker(source: str, size: tuple[int, int] | None) -> _Maker:
    from PIL import Image

    image = read_image(source)
    own = (image.width, image.height)
    if size is None and os.path.isfile(source):
        return _Maker(source, own, None)
    picture = Image.fromarray(image.rgb_HW3).resize(size or own, Image.Resampling.BICUBIC)
    return _Maker(source, size or own, np.asarray(picture))


def _same(source: Path, file: Path) -> Path:
    try:
        os.link(source.resolve(), file)
    except OSError:
        # Another disk, or one that has no links.
        shutil.copyfile(source, file)
    return file
