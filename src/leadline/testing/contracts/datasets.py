"""What every dataset must do. Each check takes an open one; samples are looked at from its start, middle and end."""

from __future__ import annotations

import pickle
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
    """Photo and truth see one view; the truth is of the dataset's kind and knows some pixels."""
    for sample in _some(dataset):
        truth, photo = sample.truth, sample.image
        assert truth.kind == dataset.kind, f"{sample.id}: {truth.kind}, not {dataset.kind}"
        assert abs(truth.width / truth.height - photo.width / photo.height) < 0.02, (
            f"{sample.id}: truth {truth.shape}, photo {photo.height}x{photo.width}: not one view"
        )
        if truth.camera is not None:
            expected = photo.camera.resized(truth.width, truth.height)
            assert truth.camera == expected, f"{sample.id}: {truth.camera}, not {expected}"
        assert bool(truth.valid.any()), f"{sample.id}: no valid pixel"


def entries_say_what_samples_are(dataset: Dataset) -> None:
    """What is known without decoding is what decoding gives."""
    assert len(dataset.entries) == len(dataset), f"{len(dataset.entries)} entries, {len(dataset)} samples"
    for position in sorted({0, len(dataset) - 1}):
        entry, sample = dataset.entries[position], dataset[position]
        said = (entry.id, entry.scene, entry.split)
        assert said == (sample.id, sample.scene, sample.split), f"entry {said}, sample {sample!r}"


def it_travels(dataset: Dataset) -> None:
    """It can be sent to another process, and there reads the same."""
    other = pickle.loads(pickle.dumps(dataset))
    assert len(other) == len(dataset)
    assert np.array_equal(other[0].truth.values, dataset[0].truth.values, equal_nan=True), "the truth differs"


def ids_are_unique(dataset: Dataset) -> None:
    """No two samples share an id."""
    ids = [entry.id for entry in dataset.entries]
    assert len(set(ids)) == len(ids), f"ids repeat among {ids[:5]} …"


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
    entries_say_what_samples_are,
    it_travels,
    ids_are_unique,
    reading_again_gives_the_same,
    ends,
)
