"""Another engine that takes over where the first one cannot run a model: only where it was asked for, and it says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from leadline.core.depth_map import DepthMap
from leadline.core.errors import EngineError
from leadline.core.image import Image
from leadline.core.results import Answer
from leadline.plugins.ports import Session

__all__ = ["FallbackSession"]


class FallbackSession:
    """A session that hands photos to another engine once the first one fails, and from then on.

    Args:
        first: Opens the model in the engine that was asked for.
        other: Opens it in the one that takes over.
        names: What the two are called.

    Raises:
        EngineError: Neither can run it.
    """

    def __init__(
        self, first: Callable[[], Session], other: Callable[[], Session], *, names: tuple[str, str]
    ) -> None:
        self._other, self._names = other, names
        self._said: tuple[str, ...] = ()
        try:
            self._session = first()
        except EngineError as error:
            self._session = self._taken_over(error)

    @property
    def description(self) -> str:
        """What runs, and where, at this moment."""
        return self._session.description

    @property
    def remarks(self) -> tuple[str, ...]:
        """That the other engine took over and why, and what that one says."""
        return (*self._said, *getattr(self._session, "remarks", ()))

    def run(self, images: Sequence[Image], *, prompts: Sequence[DepthMap] = ()) -> list[Answer]:
        """Predicts raw values for photos.

        Args:
            images: Photos of any sizes.
            prompts: A depth map a photo, for models that are prompted.

        Returns:
            One answer a photo, at the photo's own size.

        Raises:
            EngineError: Both engines failed.
        """
        try:
            return self._session.run(images, prompts=prompts)
        except EngineError as error:
            if self._said:
                raise
            self._session.close()
            self._session = self._taken_over(error)
            return self._session.run(images, prompts=prompts)

    def close(self) -> None:
        """Gives the memory back."""
        self._session.close()

    def _taken_over(self, error: EngineError) -> Session:
        first, other = self._names
        self._said = (f"engine {other!r} takes over from {first!r}: {error.message}",)
        return self._other()
