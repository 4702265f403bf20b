"""What an engine says where there is no memory for a photo: the next size that fits, found by trying."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
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
    error: BaseException,
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
        error: What was raised. What its frames hold on to is let go: it would be missing in what is tried next.
        images: The photos that went through together.
        name: The model's name.
        device: Where it ran.
        seen: A photo as the network is given it: arrays or tensors by name.
        run: Runs one photo; called for smaller ones until one goes through.
        failures: What it raises where one does not.

    Returns:
        The error, whose hint names a smaller batch, or a size that went through.
    """
    for raised in (error, error.__cause__):
        if raised is not None:
            traceback.clear_frames(raised.__traceback__)
    image = images[0]
    many = "" if len(images) == 1 else f"{len(images)} photos of "
    what = f"no memory for {name!r} on {device} with {many}{image.width}x{image.height}"
    if len(images) > 1:
        return EngineError(what, hint=f"give fewer photos at once: --batch {len(images) // 2}")
    return EngineError(
        what, hint=_what_fits(image, device, seen, run, (LeadlineError, MemoryError, *failures))
    )


def _what_fits(
    image: Image,
    device: str,
    seen: Callable[[Image], Mapping[str, Any]],
    run: Callable[[Image], object],
    failures: tuple[type[Exception], ...],
) -> str:
    """What a user may do who has not memory enough: found by trying, for only that tells."""
    less = "use a smaller model, or " + ("close other programs" if device == "cpu" else "--device cpu")
    whole: list[tuple[int, ...]] = []
    with suppress(*failures):
        whole = _shapes(seen(image))
    for parts in _SMALLER:
        width, height = max(1, image.width // parts), max(1, image.height // parts)
        try:
            smaller = resize(image, width=width, height=height)
            shapes = _shapes(seen(smaller))
            if shapes == whole:
                size = _largest(shapes)
                return (
                    f"its network takes a photo of any size as {size}, so a smaller one needs no less: {less}"
                )
            run(smaller)
        except failures:
            continue
        return f"a photo of {width}x{height} fits; --tile auto takes a larger one in parts"
    return f"nor does a photo of {width}x{height} fit: {less}"


def _shapes(inputs: Mapping[str, Any]) -> list[tuple[int, ...]]:
    return [tuple(each.shape) for each in inputs.values()]


def _largest(shapes: Sequence[tuple[int, ...]]) -> str:
    """Width and height of the largest input, which is the photo's, colours first or last."""
    shape = max(shapes, key=math.prod)
    rows, columns = shape[-3:-1] if shape[-1] == _COLOURS else shape[-2:]
    return f"{columns}x{rows}"
