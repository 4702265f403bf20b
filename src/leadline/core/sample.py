"""One item of a dataset: a photo and its true depth."""

from __future__ import annotations

from dataclasses import dataclass

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.image import Image

__all__ = ["Sample"]


@dataclass(frozen=True, eq=False)
class Sample:
    """A photo with its true depth.

    Args:
        id: Unique within the dataset, stable between runs.
        image: The photo, upright, with the dataset's own camera.
        truth: Its depth, with the kind the dataset states.
        scene: The place it was taken in; splits keep scenes whole. Empty where unknown.
        split: ``"train"``, ``"val"``, ``"test"``, or empty where unknown.

    Raises:
        InputError: The id is empty.
    """

    id: str
    image: Image
    truth: DepthMap
    scene: str = ""
    split: str = ""

    def __post_init__(self) -> None:
        if not self.id:
            raise InputError("a sample has an empty id", hint="give every sample a name of its own")

    def __repr__(self) -> str:
        return f"Sample {self.id!r}: {self.image!r}, {self.truth!r}"
