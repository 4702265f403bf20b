"""High resolution: a large photo seen in tiles, at the scale of one look at the whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import EngineError, InputError
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.core.results import Answer
from leadline.ops.crop import crop
from leadline.ops.resize import resize
from leadline.ops.tiles import Blend, Tile, fit_to_whole, tile_rows
from leadline.plugins.ports import Session
from leadline.plugins.specs import ModelSpec

__all__ = ["TiledSession", "batch_of", "side_of"]

_UNKNOWN_PX = 512
"""Side of a model's own view where it does not say it."""

_ENLARGED = 2
"""Sides of a model's own view in a tile chosen for it: half its pixels in each direction, as small photos lose too."""

_SHARE = 5
"""A tile chosen for a model spans at least so great a part of the photo: in less it would see no scene."""

ItemT = TypeVar("ItemT")


def side_of(tile: str | int, spec: ModelSpec, session: Session) -> int:
    """The side of tiles.

    Args:
        tile: ``"auto"``, or pixels.
        spec: The model.
        session: It, open.

    Returns:
        What was said; else twice the side at which the network sees a photo.

    Raises:
        InputError: The model is prompted: a prompt cannot be cut as exactly as a photo. Or it runs elsewhere, where every tile
            would be sent and charged.
    """
    if spec.weights.scheme == "remote":
        raise InputError(
            f"model {spec.name!r} runs elsewhere, and every tile would be sent there and charged as a photo",
            hint="leave --tile out, or use a model that runs here",
        )
    if spec.prompted:
        raise InputError(
            f"model {spec.name!r} needs a prompt with each photo, and prompts are not cut into tiles",
            hint="leave --tile out, or use another model",
        )
    if isinstance(tile, int):
        return tile
    declared = max(spec.processing.height, spec.processing.width) if spec.processing else 0
    native_px = getattr(session, "native_px", 0) or spec.native_px or declared or _UNKNOWN_PX
    return int(_ENLARGED * native_px)


def batch_of(session: Session) -> int:
    """Photos that a session likes to be given at once.

    Args:
        session: Any session.

    Returns:
        What it says, else 1.
    """
    return int(getattr(session, "batch", 1))


class TiledSession:
    """A session that shows another one a large photo tile by tile.

    The whole photo is shown once, small. Each tile is brought to that prediction by a scale (and a shift, where the model
    leaves one unknown), and tiles fade into each other where they overlap. A tile's camera is the photo's, cut with it. A
    tile that holds nothing to compare takes the whole's values. Memory is that of the map and of a row of tiles.

    Args:
        session: Who answers.
        kind: What its numbers mean, where an answer does not say otherwise.
        side: Longest side of a tile in pixels; photos that are no larger are shown as they are.
        chosen: Whether the side was chosen for the model, and so grows with photos of which it would be less than a fifth.
        batch: Tiles that are shown together.
    """

    def __init__(
        self, session: Session, kind: Kind, *, side: int, chosen: bool = False, batch: int = 1
    ) -> None:
        self._session = session
        self._kind = kind
        self._side, self._batch = side, batch
        self._chosen = chosen

    @property
    def description(self) -> str:
        """What runs, where, and in which tiles."""
        return f"{self._session.description}, tiles of {self._side}{' or more' if self._chosen else ''}"

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the other session's user should know."""
        return tuple(getattr(self._session, "remarks", ()))

    def run(self, images: Sequence[Image], *, prompts: Sequence[DepthMap] = ()) -> list[Answer]:
        """Predicts values for photos.

        Args:
            images: Photos of any sizes.
            prompts: None.

        Returns:
            One answer a photo, at its size.

        Raises:
            EngineError: The engine failed, or answered at another size than the tile's.
        """
        large = [max(image.width, image.height) > self._side for image in images]
        plain = iter(self._session.run([one for one, cut in zip(images, large, strict=True) if not cut]))
        return [self._tiled(image) if cut else next(plain) for image, cut in zip(images, large, strict=True)]

    def close(self) -> None:
        """Gives memory back."""
        self._session.close()

    def _tiled(self, image: Image) -> Answer:
        side = max(self._side, -(-max(image.width, image.height) // _SHARE)) if self._chosen else self._side
        small = _shrunk(image, side)
        (whole,) = self._seen([small])
        known = _known(whole)
        spread = whole.uncertainty is not None
        kind = whole.kind or self._kind
        depth, doubt = Blend(image.width, image.height), Blend(image.width, image.height) if spread else None
        sky = None if whole.infinite is None else Blend(image.width, image.height)
        for row in tile_rows(image.width, image.height, side=side):
            for blend in (depth, doubt, sky):
                if blend is not None:
                    blend.begin_row(row[0].top, row[0].height)
            for tile, answer in self._answers(image, row):
                values = _known(answer)
                found = fit_to_whole(
                    values, tile, known, width=image.width, height=image.height, freedom=kind.freedom
                )
                if found is None:
                    values = _enlarged(known, tile, image)
                else:
                    values = values * np.float32(found.scale) + np.float32(found.shift)
                depth.add(values, tile)
                if doubt is not None and answer.uncertainty is not None:
                    if found is None:
                        assert whole.uncertainty is not None
                        doubt.add(_enlarged(whole.uncertainty, tile, image), tile)
                    else:
                        doubt.add(answer.uncertainty * np.float32(found.scale), tile)
                if sky is not None and answer.infinite is not None:
                    sky.add(answer.infinite.astype(np.float32), tile)
        infinite = None if sky is None else sky.done() > 0.5
        values = depth.done()
        if infinite is not None:
            values[infinite] = np.nan
        return Answer(
            values,
            _camera(whole.camera, image),
            whole.kind,
            infinite,
            None if doubt is None else doubt.done(),
        )

    def _answers(self, image: Image, row: Sequence[Tile]) -> Iterator[tuple[Tile, Answer]]:
        for some in _batches(row, self._batch):
            shown = [
                crop(image, left=tile.left, top=tile.top, width=tile.width, height=tile.height)
                for tile in some
            ]
            yield from zip(some, self._seen(shown), strict=True)

    def _seen(self, images: Sequence[Image]) -> list[Answer]:
        answers = self._session.run(images)
        for image, answer in zip(images, answers, strict=True):
            if answer.values.shape != (image.height, image.width):
                raise EngineError(
                    f"{self._session.description} gave depth of {answer.values.shape} for {image}",
                    hint="an engine must answer at the photo's size",
                )
        return answers


def _shrunk(image: Image, side: int) -> Image:
    share = side / max(image.width, image.height)
    width, height = max(1, round(share * image.width)), max(1, round(share * image.height))
    return resize(image, width=width, height=height)


def _known(answer: Answer) -> NDArray[np.float32]:
    """Values with NaN where it says nothing or sees sky."""
    if answer.infinite is None:
        return np.where(np.isfinite(answer.values), answer.values, np.float32(np.nan))
    return np.where(answer.infinite | ~np.isfinite(answer.values), np.float32(np.nan), answer.values)


def _enlarged(whole: NDArray[np.float32], tile: Tile, image: Image) -> NDArray[np.float32]:
    """The part of the small prediction under a tile, at the tile's size."""
    from PIL import Image as PilImage

    across, down = whole.shape[1] / image.width, whole.shape[0] / image.height
    box = (
        tile.left * across,
        tile.top * down,
        (tile.left + tile.width) * across,
        (tile.top + tile.height) * down,
    )
    plane = PilImage.fromarray(np.ascontiguousarray(whole))
    return np.asarray(plane.resize((tile.width, tile.height), PilImage.Resampling.BILINEAR, box=box))


def _camera(camera: Camera | None, image: Image) -> Camera | None:
    return None if camera is None else camera.resized(image.width, image.height)


def _batches(items: Sequence[ItemT], size: int) -> Iterator[list[ItemT]]:
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some
