"""What the datasets share: a list of entries, and one reader that makes a sample of an entry."""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np

from leadline.core.camera import Camera
from leadline.core.errors import DatasetError, InputError
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.core.sample import Entry, Sample
from leadline.io.rasters import decode_rgb
from leadline.io.trees import Tree

__all__ = ["Frames", "read_photo", "rows_of_numbers"]


class Frames(ABC):
    """Samples by position, read when they are asked for.

    A dataset lists its entries when it is opened, without decoding anything, and fills in ``_sample``.

    Args:
        tree: Where the files are.
        entries: What there is, in order; ids are unique.

    Raises:
        DatasetError: There is nothing, or an id comes twice.
    """

    kind: Kind = Kind()

    def __init__(self, tree: Tree, entries: Sequence[Entry]) -> None:
        self.tree = tree
        self.entries: tuple[Entry, ...] = tuple(entries)
        if not self.entries:
            raise DatasetError(
                f"{tree!r} holds no frame of this layout",
                hint="'leadline data doctor' says what it looks like",
            )
        seen: set[str] = set()
        for entry in self.entries:
            if entry.id in seen:
                raise DatasetError(
                    f"two frames of {tree!r} have the id {entry.id!r}", hint="name the folder of one dataset"
                )
            seen.add(entry.id)

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Sample:
        """One sample.

        Args:
            index: Position in the order of entries; negative ones count from the end.

        Returns:
            The sample.

        Raises:
            DatasetError: A file is missing, damaged, or not what the layout says; the file is named.
            IndexError: There is no such position.
        """
        entry = self.entries[operator.index(index)]
        try:
            return self._sample(entry)
        except InputError as error:
            raise DatasetError(
                f"frame {entry.id!r} of {self.tree!r}: {error.message}", hint=error.hint
            ) from error

    @abstractmethod
    def _sample(self, entry: Entry) -> Sample:
        """Reads one entry's files."""


def read_photo(tree: Tree, name: str, *, camera: Camera | None) -> Image:
    """A frame's photo with the dataset's camera.

    Args:
        tree: Where the file is.
        name: Its name.
        camera: The camera at the photo's own size; the ASSUMED one where None.

    Returns:
        The photo.

    Raises:
        DatasetError: The file cannot be read, or has another size than the camera.
    """
    rgb = decode_rgb(tree.read(name), tree.called(name))
    height, width = rgb.shape[:2]
    if camera is None:
        camera = Camera.assumed(width, height)
    if (camera.width, camera.height) != (width, height):
        raise DatasetError(
            f"{tree.called(name)!r} is {width}x{height}, but its camera is of {camera.width}x{camera.height}",
            hint="this is not the file that the calibration was made for",
        )
    return Image(rgb, camera, tree.called(name))


def rows_of_numbers(
    tree: Tree, name: str, *, columns: int = 0
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """A text file of numbers, such as a matrix of intrinsics; lines that begin with ``#`` are left out.

    Args:
        tree: Where the file is.
        name: Its name.
        columns: How many numbers a row must have; 0 for any one number.

    Returns:
        float64 (rows, columns).

    Raises:
        DatasetError: It holds something else.
    """
    lines = [line.replace(",", " ").split() for line in tree.text(name).splitlines()]
    kept = [line for line in lines if line and not line[0].startswith("#")]
    try:
        rows = np.array([[float(word) for word in line] for line in kept], np.float64)
        if rows.ndim != 2 or (columns and rows.shape[1] != columns):
            raise ValueError(f"rows of {sorted({len(line) for line in kept})} numbers")
    except ValueError as error:
        raise DatasetError(
            f"{tree.called(name)!r} is no table of numbers{f' with {columns} columns' if columns else ''} ({error})",
            hint="copy the file again",
        ) from error
    return rows
