"""Surer: a photo seen several ways, the answers brought together, and how far they disagree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.core.depth_map import DepthMap
from leadline.core.errors import EngineError, UnknownName
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.core.results import Answer
from leadline.flows.tiled import batch_of
from leadline.ops.agreement import agree
from leadline.ops.flip import flip
from leadline.ops.resize import resize
from leadline.plugins.ports import Session

__all__ = ["LOOKS", "SurerSession", "looks_of"]


@dataclass(frozen=True, slots=True)
class _View:
    """A way to see a photo: mirrored or not, at a share of its size."""

    mirrored: bool = False
    share: float = 1.0

    def of(self, image: Image) -> Image:
        """The photo seen so, with its camera."""
        width, height = self._size(image)
        return resize(flip(image) if self.mirrored else image, width=width, height=height)

    def tells_more(self, image: Image) -> bool:
        """Whether it differs from the photo itself: a photo one pixel wide is its own mirror image."""
        return self._size(image) != (image.width, image.height) or (self.mirrored and image.width > 1)

    def back(self, depth: DepthMap, image: Image) -> DepthMap:
        """Depth of the photo seen so, in the photo's own frame."""
        full = resize(depth, width=image.width, height=image.height)
        return flip(full) if self.mirrored else full

    def _size(self, image: Image) -> tuple[int, int]:
        return max(1, round(self.share * image.width)), max(1, round(self.share * image.height))


LOOKS = {"flip": (_View(mirrored=True),), "scales": (_View(share=0.75), _View(share=1.25))}
"""What is looked at besides the photo itself: its mirror image; the photo at three quarters and five quarters."""


def looks_of(words: str | Sequence[str]) -> tuple[str, ...]:
    """Reads the looks that are asked for.

    Args:
        words: ``("flip", "scales")``, or the same in one text with commas.

    Returns:
        Each once, in the order in which they are done.

    Raises:
        UnknownName: There is no such look.

    Example:
        >>> looks_of("scales,flip")
        ('flip', 'scales')
    """
    asked = words.split(",") if isinstance(words, str) else list(words)
    named = [word.strip() for word in asked if word.strip()]
    for word in named:
        if word not in LOOKS:
            raise UnknownName("look at a photo", word, known=LOOKS)
    return tuple(word for word in LOOKS if word in named)


class SurerSession:
    """A session that shows each photo to another one several ways and brings the answers together.

    The camera goes with the photo: mirrored, or with the focal length in the pixels of the other size, so that a model
    whose metres rest on it answers in the same metres. The camera that a model estimates is the one of the photo itself.

    Args:
        session: Who answers.
        kind: What its numbers mean, where an answer does not say otherwise.
        looks: What is looked at besides the photo, of ``LOOKS``.
    """

    def __init__(self, session: Session, kind: Kind, *, looks: Sequence[str]) -> None:
        self._session = session
        self._kind = kind
        self._views = [view for word in looks for view in LOOKS[word]]
        self.batch = batch_of(session)
        self._looked = f"{1 + len(self._views)} looks ({', '.join(looks)})"

    @property
    def description(self) -> str:
        """What runs, where, and how many looks it takes."""
        return f"{self._session.description}, {self._looked}"

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the other session's user should know."""
        return tuple(getattr(self._session, "remarks", ()))

    def run(self, images: Sequence[Image], *, prompts: Sequence[DepthMap] = ()) -> list[Answer]:
        """Predicts values for photos, with their standard deviation over the looks.

        Args:
            images: Photos of any sizes.
            prompts: A low-resolution depth map a photo, for models that are prompted.

        Returns:
            One answer a photo, at its size, of the kind that the model gives.

        Raises:
            EngineError: The engine failed, or answered at another size than the photo's.
        """
        own = self._session.run(images, prompts=prompts)
        others: list[list[DepthMap]] = [[] for _ in images]
        for view in self._views:
            for place, depth in self._seen(view, images, prompts):
                others[place].append(depth)
        return [
            self._together(answer, image, more)
            for answer, image, more in zip(own, images, others, strict=True)
        ]

    def close(self) -> None:
        """Gives memory back."""
        self._session.close()

    def _seen(
        self, view: _View, images: Sequence[Image], prompts: Sequence[DepthMap]
    ) -> Iterator[tuple[int, DepthMap]]:
        """The places of the photos that a view tells more of, and their depth in their own frames."""
        places = [place for place, image in enumerate(images) if view.tells_more(image)]
        shown = [view.of(images[place]) for place in places]
        told = [flip(prompts[place]) if view.mirrored else prompts[place] for place in places if prompts]
        answers = self._session.run(shown, prompts=told) if shown else []
        for place, image, answer in zip(places, shown, answers, strict=True):
            yield place, view.back(self._depth(answer, image), images[place])

    def _together(self, own: Answer, image: Image, others: Sequence[DepthMap]) -> Answer:
        depth, spread = agree([self._depth(own, image), *others])
        return Answer(depth.values, own.camera, own.kind, own.infinite, _with_own(spread, own.uncertainty))

    def _depth(self, answer: Answer, image: Image) -> DepthMap:
        if answer.values.shape != (image.height, image.width):
            raise EngineError(
                f"{self._session.description} gave depth of {answer.values.shape} for {image}",
                hint="an engine must answer at the photo's size",
            )
        sky: dict[str, Any] = {} if answer.infinite is None else {"infinite": answer.infinite}
        return DepthMap(answer.values, answer.kind or self._kind, **sky)


def _with_own(spread: NDArray[np.float32], own: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """The looks' standard deviation and the model's own, in quadrature; one of them alone where the other is unknown."""
    if own is None:
        return spread
    both = np.hypot(spread, own)
    return np.where(np.isnan(spread), own, np.where(np.isnan(own), spread, both)).astype(np.float32)
