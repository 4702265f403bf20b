"""Augmented datasets, and a grid of one sample as several epochs see it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.core.errors import InputError
from leadline.core.kind import Kind
from leadline.core.sample import Entry, Sample
from leadline.flows.data.choosing import OPTION_HELP, PLACE_HELP, options_said
from leadline.flows.data.opening import open_dataset
from leadline.flows.data.preview import foot, shared_range
from leadline.flows.options import Told, check_bounds, told
from leadline.io.atomic import write_whole
from leadline.ops.colour import ColourOptions, colourise
from leadline.ops.resize import resize
from leadline.plugins.ports import Dataset
from leadline.plugins.registry import load

__all__ = ["AugmentRequest", "Augmented", "draw_grid", "run"]

_GAP = 6
_WHITE = 255


class Augmented:
    """A dataset whose samples are augmented as one epoch sees them; it fulfils the ``Dataset`` port.

    Args:
        dataset: Where the samples are from.
        augmentation: What changes them: ``leadline.augment.pipeline.Augmentation``.
        epoch: Which draws.
    """

    def __init__(self, dataset: Dataset, *, augmentation: Any, epoch: int = 0) -> None:
        self.dataset, self.augmentation, self.epoch = dataset, augmentation, epoch

    @property
    def kind(self) -> Kind:
        """What the truth's numbers mean."""
        return self.dataset.kind

    @property
    def entries(self) -> Sequence[Entry]:
        """What is known of every sample."""
        return self.dataset.entries

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Sample:
        sample: Sample = self.augmentation(self.dataset[index], epoch=self.epoch)
        return sample

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))


@dataclass(frozen=True, slots=True)
class AugmentRequest:
    """What ``leadline data augment`` is asked for."""

    place: str = field(metadata=told(Told(PLACE_HELP, positional=True)))
    out: Path = field(
        default=Path("augmented.png"),
        metadata=told(Told("Picture to write.", short="o", metavar="FILE")),
    )
    id: str = field(default="", metadata=told(Told("Which sample; the first one unless said.", metavar="ID")))
    option: tuple[str, ...] = field(
        default=(), metadata=told(Told(OPTION_HELP, metavar="KEY=VALUE", whole=True))
    )
    count: int = field(default=9, metadata=told(Told("How many views.", minimum=1, maximum=100)))
    seed: int = field(default=0, metadata=told(Told("Which sequence of draws.")))
    crop: str = field(
        default="448x576",
        metadata=told(
            Told("Rows and columns of the random crop; 0x0 keeps the size.", metavar="ROWSxCOLUMNS")
        ),
    )
    transforms: Path | None = field(
        default=None,
        metadata=told(
            Told("A pipeline saved by albumentations.save, instead of the default recipe.", metavar="FILE")
        ),
    )
    colormap: str = field(
        default="viridis", metadata=told(Told("Colour map of depth.", names="colormap", metavar="NAME"))
    )

    def __post_init__(self) -> None:
        check_bounds(self)
        self.size()

    def size(self) -> tuple[int, int]:
        """Rows and columns of the crop.

        Raises:
            InputError: It is not written as two numbers.
        """
        rows, _, columns = self.crop.lower().partition("x")
        if not (rows.isdigit() and columns.isdigit()):
            raise InputError(f"crop {self.crop!r} is not two numbers", hint="write rows and columns: 448x576")
        return int(rows), int(columns)


def run(request: AugmentRequest) -> tuple[Path, Sample]:
    """Writes the picture: one sample as the first epochs see it.

    Args:
        request: What to do.

    Returns:
        The file, and the sample as it was.

    Raises:
        DatasetError: The dataset or the sample is not there.
        InputError: A value is out of range.
        MissingExtra: albumentations is not installed.
        OutputError: The picture cannot be written.
    """
    from PIL import Image as PilImage

    collection = open_dataset(request.place, options=options_said(request.option))
    sample = collection.select(ids=[request.id])[0] if request.id else collection[0]
    augmentation = load("leadline.augment.pipeline:augmentation_of")(
        size=request.size(), file=request.transforms, seed=request.seed
    )
    views = [augmentation(sample, epoch=epoch) for epoch in range(request.count)]
    grid = draw_grid(views, options=ColourOptions(request.colormap))
    with write_whole(request.out) as part:
        PilImage.fromarray(grid).save(part, "PNG")
    return request.out, sample


def draw_grid(
    views: Sequence[Sample], *, options: ColourOptions | None = None, width: int = 288
) -> NDArray[np.uint8]:
    """Views side by side, each photo above its depth, all depth in one range of colours.

    Args:
        views: At least one.
        options: Colours.
        width: Of each picture, in pixels.

    Returns:
        uint8 (H, W, 3), as square a grid as they make, over a scale in the depth's unit.
    """
    options = shared_range(views, options or ColourOptions())
    cells = [_cell(view, options, width) for view in views]
    across = int(np.ceil(np.sqrt(len(cells))))
    height = max(cell.shape[0] for cell in cells)
    down = -(-len(cells) // across)
    grid = np.full((down * (height + _GAP) - _GAP, across * (width + _GAP) - _GAP, 3), _WHITE, np.uint8)
    for k, cell in enumerate(cells):
        top, left = k // across * (height + _GAP), k % across * (width + _GAP)
        grid[top : top + cell.shape[0], left : left + width] = cell
    return np.concatenate([grid, foot(views, options, grid.shape[1])])


def _cell(view: Sample, options: ColourOptions, width: int) -> NDArray[np.uint8]:
    height = max(1, round(width * view.image.height / view.image.width))
    photo = resize(view.image, width=width, height=height).rgb_HW3
    rows = (2 * np.arange(height) + 1) * view.truth.height // (2 * height)
    columns = (2 * np.arange(width) + 1) * view.truth.width // (2 * width)
    return np.concatenate([photo, colourise(view.truth, options=options)[np.ix_(rows, columns)]])
