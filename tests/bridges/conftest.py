"""A dataset in memory, and one that has a broken frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.core.sample import Entry, Sample
from leadline.testing.scenes import noise_photo


class Album:
    """Samples made when they are asked for; those in ``broken`` cannot be read."""

    def __init__(self, count: int, broken: frozenset[int] = frozenset(), kind: Kind | None = None) -> None:
        self.count, self.broken, self.kind = count, broken, kind or Kind()

    @property
    def entries(self) -> list[Entry]:
        return [Entry(f"frame {index}", scene="hall", split="train") for index in range(self.count)]

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < self.count:
            raise IndexError(index)
        if index in self.broken:
            raise DatasetError(f"'depth/{index}.png' is cut short", hint="copy it again")
        camera = Camera(50.0 + index, 51.0, 15.5, 11.5, 32, 24)
        values = np.arange(1, 769, dtype=np.float32).reshape(24, 32) + index
        values[0, :4] = np.nan, 0, np.inf, -1
        truth = DepthMap(values, self.kind, camera=camera)
        photo = Image(noise_photo(24, 32, seed=index).rgb_HW3, camera)
        return Sample(f"frame {index}", photo, truth, scene="hall", split="train")

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(self.count))


class Ragged(Album):
    """The odd ones are smaller."""

    def __getitem__(self, index: int) -> Sample:
        sample = super().__getitem__(index)
        if index % 2 == 0:
            return sample
        camera = Camera.assumed(16, 12)
        image = Image(noise_photo(12, 16).rgb_HW3, camera)
        return replace(sample, image=image, truth=DepthMap(np.ones((12, 16)), Kind(), camera=camera))


@pytest.fixture
def album() -> type[Album]:
    return Album


@pytest.fixture
def ragged() -> Ragged:
    return Ragged(6)
