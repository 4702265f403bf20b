"""Augmentation of photo, depth, masks, camera and pose together, replayable from a seed."""

from __future__ import annotations

import copy
import threading
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from leadline.augment.fused import taken
from leadline.augment.recipe import Recipe
from leadline.augment.tracking import Shown, coordinates, shown_by
from leadline.augment.views import View, view_through
from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError
from leadline.core.image import Image
from leadline.core.kind import Quantity
from leadline.core.sample import Sample
from leadline.ops.resize import resize
from leadline.plugins.need import need

__all__ = ["Augmentation", "augmentation_of"]

_PLACES = "leadline_places"
_WHO = "augmentation"


@dataclass(frozen=True, eq=False)
class Augmentation:
    """Changes samples at random, the same way for the same seed, epoch and sample, in whatever process or order.

    Photo, depth, masks, camera and pose change together, so that metric depth stays true: a crop moves the principal
    point, a zoom makes the lens longer, a flip moves cx. Depth and masks are taken from the nearest pixel and never
    blended; colours never touch them. Both come out at one size, also where the truth was smaller than the photo.

    Convention:
        A mirror image has no rigid pose, so its ``T_world_camera`` is None; turned about the optical axis, the pose
        turns along. What a transform fills in, or repeats in a reflected border, is unknown.

    Args:
        transforms: What to do: a ``Recipe``, or any ``albumentations.Compose``.
        seed: Which of the endless sequences of draws.
        bent: What to do where a transform leaves no pinhole camera (perspective, elastic, grid distortion, shear):
            ``"raise"``, or ``"forget"`` to keep each pixel's depth along the old camera's axis, without a camera.

    Raises:
        InputError: ``transforms`` is neither, or ``bent`` is another word.
        MissingExtra: albumentations is not installed.
    """

    transforms: Any = field(default_factory=Recipe)
    seed: int = 0
    bent: Literal["raise", "forget"] = "raise"

    def __post_init__(self) -> None:
        if self.bent not in ("raise", "forget"):
            raise InputError(f"bent = {self.bent!r} is not raise or forget", hint="choose one")
        if isinstance(self.transforms, Recipe):
            need("cv2", who=_WHO, extra="augment")
        else:
            albumentations = need("albumentations", who=_WHO, extra="augment")
            if not isinstance(self.transforms, albumentations.BaseCompose):
                raise InputError(
                    f"{type(self.transforms).__name__} is neither a Recipe nor an albumentations Compose",
                    hint="write albumentations.Compose([...])",
                )
        object.__setattr__(self, "_own", threading.local())

    def __getstate__(self) -> dict[str, Any]:
        return {"transforms": self.transforms, "seed": self.seed, "bent": self.bent}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        object.__setattr__(self, "_own", threading.local())

    def __call__(self, sample: Sample, *, epoch: int = 0) -> Sample:
        """A sample as this epoch sees it.

        Args:
            sample: The sample.
            epoch: Which pass over the data; each draws anew.

        Returns:
            The augmented sample, with the same id, scene and split.

        Raises:
            InputError: A transform cannot be applied to it, or turns the photo into something that is no photo.
            KindError: A transform leaves no pinhole camera, and it was not said to forget it.
        """
        start = _start(self.seed, epoch, sample.id)
        if isinstance(self.transforms, Recipe):
            return _by_recipe(sample, self.transforms, Random(start))
        return self._by_compose(sample, start)

    def _by_compose(self, sample: Sample, start: int) -> Sample:
        height, width = sample.image.height, sample.image.width
        truth = _enlarged(sample.truth, height, width)
        compose = self._compose()
        compose.set_random_state(np.random.default_rng(start), Random(start))
        try:
            done = compose(
                image=sample.image.rgb_HW3.copy(),
                mask=truth.valid.astype(np.uint8),
                **{_PLACES: coordinates(height, width)},
            )
        except Exception as error:  # whatever a transform raises is told, with the sample it was given
            raise InputError(
                f"sample {sample.id!r} of {width}x{height} cannot be augmented: {error}",
                hint="check the transforms and the sizes they need",
            ) from error
        pixels, places = done["image"], done[_PLACES]
        _check_photo(pixels, places, sample.id)
        shown = shown_by(places, height=height, width=width)
        return self._packed(sample, truth, np.ascontiguousarray(pixels), shown)

    def _packed(self, sample: Sample, truth: DepthMap, pixels: NDArray[np.uint8], shown: Shown) -> Sample:
        size = {"height": pixels.shape[0], "width": pixels.shape[1]}
        view = None if shown.to_source is None else view_through(sample.image.camera, shown.to_source, **size)
        if view is None:
            return self._without_camera(sample, truth, pixels, shown)
        image = Image(pixels, view.camera, sample.image.source)
        camera = (
            None if truth.camera is None else _seen(truth.camera, sample.image.camera, view, shown, **size)
        )
        return replace(
            sample,
            image=image,
            truth=_gathered(truth, shown, camera),
            T_world_camera=view.turned(sample.T_world_camera),
        )

    def _without_camera(
        self, sample: Sample, truth: DepthMap, pixels: NDArray[np.uint8], shown: Shown
    ) -> Sample:
        if self.bent == "raise":
            raise KindError(
                f"after {_names(self.transforms)} no pinhole camera sees sample {sample.id!r}, so its "
                f"{truth.kind.words} could not be placed in space",
                hint="leave out perspective, shear and distortions, or say bent='forget' to go on without a camera",
            )
        return replace(
            sample,
            image=Image.from_array(pixels, source=sample.image.source),
            truth=_gathered(truth, shown, None),
            T_world_camera=None,
        )

    def _compose(self) -> Any:
        """A thread's own copy, which takes the coordinates along and samples masks linearly."""
        own: threading.local = self.__dict__["_own"]
        if not hasattr(own, "compose"):
            cv2 = need("cv2", who=_WHO, extra="augment")
            cv2.setNumThreads(1)
            own.compose = copy.deepcopy(self.transforms)
            own.compose.add_targets({_PLACES: "mask"})
            own.compose.set_mask_interpolation(cv2.INTER_LINEAR)
        return own.compose


def augmentation_of(*, size: tuple[int, int], file: Path | None, seed: int) -> Augmentation:
    """The augmentation that a face asks for in plain values.

    Args:
        size: Rows and columns of the default recipe's crop.
        file: A pipeline saved by ``albumentations.save``, which then takes the recipe's place; none where None.
        seed: Which sequence of draws.

    Returns:
        The augmentation.

    Raises:
        InputError: The file is no saved pipeline.
    """
    if file is None:
        return Augmentation(Recipe(rows=size[0], columns=size[1]), seed=seed)
    albumentations = need("albumentations", who=_WHO, extra="augment")
    try:
        loaded = albumentations.load(file, data_format="yaml" if file.suffix in (".yml", ".yaml") else "json")
    except Exception as error:  # whatever a file that is not one makes albumentations raise
        raise InputError(
            f"{str(file)!r} is no pipeline saved by albumentations ({error})",
            hint="write it with albumentations.save(compose, path)",
        ) from error
    return Augmentation(loaded, seed=seed)


def _start(seed: int, epoch: int, id: str) -> int:
    return int.from_bytes(blake2b(f"{seed}/{epoch}/{id}".encode(), digest_size=16).digest(), "big")


def _by_recipe(sample: Sample, recipe: Recipe, random: Random) -> Sample:
    cv2 = need("cv2", who=_WHO, extra="augment")
    height, width = recipe.fitted(sample.image.height, sample.image.width)
    image = resize(sample.image, width=width, height=height)
    truth = _enlarged(sample.truth, height, width)
    drawn = recipe.draw(random, height=height, width=width)
    image, truth = taken(image, truth, drawn=drawn, recipe=recipe, cv2=cv2)
    pose = None if drawn.flip else sample.T_world_camera
    return replace(sample, image=image, truth=truth, T_world_camera=pose)


def _enlarged(truth: DepthMap, height: int, width: int) -> DepthMap:
    """The truth at the photo's size, each pixel from the nearest."""
    if truth.shape == (height, width):
        return truth
    rows = (2 * np.arange(height) + 1) * truth.height // (2 * height)
    columns = (2 * np.arange(width) + 1) * truth.width // (2 * width)
    at = np.ix_(rows, columns)
    camera = None if truth.camera is None else truth.camera.resized(width, height)
    return replace(
        truth, values=truth.values[at], valid=truth.valid[at], infinite=truth.infinite[at], camera=camera
    )


def _gathered(truth: DepthMap, shown: Shown, camera: Camera | None) -> DepthMap:
    at = (shown.rows, shown.columns)
    valid, infinite = truth.valid[at] & shown.known, truth.infinite[at] & shown.known
    values = np.where(valid, truth.values[at], np.float32(np.nan))
    values[infinite] = np.inf if truth.kind.quantity is Quantity.DEPTH else 0
    for array in (values, valid, infinite):
        array.flags.writeable = False
    return DepthMap(values, truth.kind, valid, infinite, camera, truth.scale_uncertain)


def _seen(
    camera: Camera, photo: Camera, view: View, shown: Shown, *, height: int, width: int
) -> Camera | None:
    """The truth's camera, which is the photo's unless the dataset gave it one of its own."""
    if camera == photo or shown.to_source is None:
        return view.camera
    own = view_through(camera, shown.to_source, height=height, width=width)
    return None if own is None else own.camera


def _check_photo(pixels: Any, places: Any, id: str) -> None:
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.shape[2:] != (3,):
        raise InputError(
            f"the transforms make of sample {id!r} {getattr(pixels, 'dtype', type(pixels).__name__)} "
            f"of shape {tuple(getattr(pixels, 'shape', ()))}, not 8-bit RGB",
            hint="leave normalising and tensors to the loader (mean=, std=)",
        )
    if places.shape[:2] != pixels.shape[:2]:
        raise InputError(
            f"the transforms make of sample {id!r} a photo of {pixels.shape[:2]} and depth of {places.shape[:2]}",
            hint="use transforms that act on image and mask alike",
        )


def _names(compose: Any) -> str:
    return ", ".join(type(transform).__name__ for transform in compose)
