"""What an engine says where there is no memory for a photo: the next size that fits, found by trying."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from leadline.core.errors import EngineError, LeadlineError
from leadline.core.image import Image
from leadline.ops.resize import resize

__all__ = ["is_out_of_memory", "no_memory"]

_SMALLER = (2, 4, 8)
"""Parts of a photo's sides that are tried where there is no memory for the whole."""

_COLOURS = 3

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


def no_memory(
    images: Sequence[Image],
    *,
    name: str,
    device: str,
    seen: Callable[[Image], Mapping[str, Any]],
    run: Callable[[Image], object],
    failures: tuple[type[Exception], ...],
) -> EngineError:
    """The error for photos that there was no memory for.

    Args:
        images: The photos that went through together.
        name: The model's name.
        device: Where it ran.
        seen: A photo as the network is given it: arrays or tensors by name.
        run: Runs one photo; called for smaller ones until one goes through.
        failures: What it raises where one does not.

    Returns:
        The error, whose hint names a smaller batch, or a size that went through.
    """
    many = "" if len(images) == 1 else f"{len(images)} photos of "
    what = f"no memory for {name!r} on {device} with {many}{images[0].width}x{images[0].height}"
    if len(images) > 1:
        return EngineError(what, hint=f"give fewer photos at once: --batch {len(images) // 2}")
    less = "use a smaller model, or " + ("close other programs" if device == "cpu" else "--device cpu")
    whole = _shapes(seen(images[0]))
    refusals: tuple[type[Exception], ...] = (LeadlineError, *failures)
    for photo in _smaller(images[0]):
        size = f"{photo.width}x{photo.height}"
        if _shapes(seen(photo)) == whole:
            return EngineError(
                what,
                hint=f"its network takes a photo of any size as {_largest(whole)}, so a smaller one needs no less: {less}",
            )
        try:
            run(photo)
        except refusals:
            continue
        return EngineError(what, hint=f"a photo of {size} fits; --tile auto takes a larger one in parts")
    return EngineError(what, hint=f"nor does a photo of {size} fit: {less}")


def _smaller(image: Image) -> Iterator[Image]:
    """A photo at the sizes that are tried, the largest first."""
    for parts in _SMALLER:
        yield resize(image, width=max(1, image.width // parts), height=max(1, image.height // parts))


def _shapes(inputs: Mapping[str, Any]) -> list[tuple[int, ...]]:
    return [tuple(each.shape) for each in inputs.values()]


def _largest(shapes: Sequence[tuple[int, ...]]) -> str:
    """Width and height of the largest input, which is the photo's, colours first or last."""
    shape = max(shapes, key=math.prod)
    rows, columns = shape[-3:-1] if shape[-1] == _COLOURS else shape[-2:]
    return f"{columns}x{rows}"
