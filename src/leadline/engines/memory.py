"""What an engine says where there is no memory for a photo: the next size that fits, found by trying."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from leadline.core.errors import EngineError, LeadlineError
from leadline.core.image import Image
from leadline.ops.resize import resize

__all__ = ["is_out_of_memory", "no_memory", "smaller_photos"]

_SMALLER = (2, 4, 8)
"""Parts of a photo's sides that are tried where there is no memory for the whole."""

_WORDS = ("out of memory", "can't allocate memory", "bad_alloc", "bad allocation", "failed to allocate")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an engine failed for want of memory, by its type or its words.

    Args:
        error: What it raised.

    Example:
        >>> is_out_of_memory(RuntimeError("std::bad_alloc")), is_out_of_memory(RuntimeError("no such operator"))
        (True, False)
    """
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(words in text for words in _WORDS)


def smaller_photos(image: Image) -> list[Image]:
    """A photo at the sizes that are tried, the largest first.

    Args:
        image: The photo for which there was no memory.

    Returns:
        It at a half, a quarter and an eighth of its sides.
    """
    return [
        resize(image, width=max(1, image.width // parts), height=max(1, image.height // parts))
        for parts in _SMALLER
    ]


def no_memory(
    images: Sequence[Image],
    *,
    name: str,
    device: str,
    run: Callable[[Image], object],
    failures: tuple[type[Exception], ...],
) -> EngineError:
    """The error for photos that there was no memory for.

    Args:
        images: The photos that went through together.
        name: The model's name.
        device: Where it ran.
        run: Runs one photo; called for smaller ones until one goes through.
        failures: What it raises where one does not.

    Returns:
        The error, whose hint names a smaller batch, or a size that went through.
    """
    many = "" if len(images) == 1 else f"{len(images)} photos of "
    what = f"no memory for {name!r} on {device} with {many}{images[0].width}x{images[0].height}"
    if len(images) > 1:
        return EngineError(what, hint=f"give fewer photos at once: --batch {len(images) // 2}")
    smaller = smaller_photos(images[0])
    refusals: tuple[type[Exception], ...] = (LeadlineError, *failures)
    for photo in smaller:
        try:
            run(photo)
        except refusals:
            continue
        return EngineError(
            what,
            hint=f"a photo of {photo.width}x{photo.height} fits; --tile auto takes a larger one in parts",
        )
    least = smaller[-1]
    return EngineError(
        what,
        hint=f"nor does a photo of {least.width}x{least.height} fit: use a smaller model, or close others",
    )
