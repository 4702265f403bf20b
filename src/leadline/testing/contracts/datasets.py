"""What every dataset must do. Each check takes an open one; samples are looked at from its start, middle and end."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from leadline.core.sample import Sample
from leadline.plugins.ports import Dataset

__all__ = ["DATASET_CHECKS"]


def _some(dataset: Dataset) -> list[Sample]:
    return [dataset[index] for index in sorted({0, len(dataset) // 2, len(dataset) - 1})]


def is_a_dataset(dataset: Dataset) -> None:
    """It fulfils the port and holds something."""
    assert isinstance(dataset, Dataset), f"{dataset!r} has no kind, length, items and order"
    assert len(dataset) > 0, "it is empty"


def samples_fit_together(dataset: Dataset) -> None:
    """Photo and truth have one size and one camera; the truth is of the dataset's kind and knows some pixels."""
    for sample in _some(dataset):
        size = (sample.image.height, sample.image.width)
        assert sample.truth.shape == size, f"{sample.id}: truth {sample.truth.shape}, photo {size}"
        assert sample.truth.kind == dataset.kind, f"{sample.id}: {sample.truth.kind}, not {dataset.kind}"
        assert sample.truth.camera in (None, sample.image.camera), f"{sample.id}: two cameras"
        assert bool(sample.truth.valid.any()), f"{sample.id}: no valid pixel"


def ids_are_unique(dataset: Dataset) -> None:
    """No two samples share an id."""
    ids = [sample.id for sample in _some(dataset)]
    assert len(set(ids)) == len(ids), f"ids repeat: {ids}"


def reading_again_gives_the_same(dataset: Dataset) -> None:
    """An item is the same however often and in whatever way it is read."""
    first, again, in_order = dataset[0], dataset[0], next(iter(dataset))
    for other in (again, in_order):
        assert other.id == first.id, f"{other.id!r} is not {first.id!r}"
        assert np.array_equal(other.image.rgb_HW3, first.image.rgb_HW3), "the photo differs"
        assert np.array_equal(other.truth.values, first.truth.values, equal_nan=True), "the truth differs"


def ends(dataset: Dataset) -> None:
    """Behind the last sample there is an IndexError."""
    try:
        dataset[len(dataset)]
    except IndexError:
        return
    raise AssertionError("there is a sample behind the last one")


DATASET_CHECKS: tuple[Callable[[Dataset], None], ...] = (
    is_a_dataset,
    samples_fit_together,
    ids_are_unique,
    reading_again_gives_the_same,
    ends,
)
