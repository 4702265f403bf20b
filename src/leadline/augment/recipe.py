"""The default recipe: what may be drawn for a sample, and what was drawn."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from leadline.core.errors import InputError
from leadline.plugins.need import need

__all__ = ["Drawn", "Recipe"]

_CHANCES = ("flip_chance", "tone_chance", "gamma_chance", "colour_chance")


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was drawn for one view.

    Args:
        flip: Whether it is mirrored left to right.
        left: First column of the crop, in the mirrored photo.
        top: First row of the crop.
        tone: Factor and summand of the pixel values; None for no change.
        gamma: Exponent of the tone curve; None for no change.
        colour: Shift of hue (half degrees), saturation and value (8-bit steps); None for no change.
    """

    flip: bool
    left: int
    top: int
    tone: tuple[float, float] | None
    gamma: float | None
    colour: tuple[float, float, float] | None


@dataclass(frozen=True, slots=True)
class Recipe:
    """Horizontal flip, random crop, brightness and contrast, gamma, hue and saturation, in this order.

    The order, the crop and the chances are those of the Hugging Face guide to depth estimation, which are
    albumentations' own defaults and the recipe of GLPN (Kim, Ga, Ahn, Joo, Chun & Kim, 2022). The crop never pads: a photo
    that is smaller is first enlarged, just enough, with its depth and camera.

    Args:
        rows: Of the crop; 0 leaves the size as it is.
        columns: Of the crop; 0 leaves the size as it is.
        flip_chance: Chance that it is mirrored.
        tone_chance: Chance that brightness and contrast change.
        brightness: Largest change of brightness, as a share of white.
        contrast: Largest change of contrast, as a share of it.
        gamma_chance: Chance that the tone curve changes.
        gamma: Smallest and largest exponent.
        colour_chance: Chance that hue, saturation and value shift.
        hue: Largest shift of hue, in half degrees.
        saturation: Largest shift of saturation, in 8-bit steps.
        value: Largest shift of value, in 8-bit steps.

    Raises:
        InputError: A chance is not between 0 and 1, a size is negative or only one is given, or a range has no sense.

    Example:
        >>> Recipe(rows=224, columns=224, flip_chance=0.0).draw(Random(1), height=480, width=640).flip
        False
    """

    rows: int = 448
    columns: int = 576
    flip_chance: float = 0.5
    tone_chance: float = 0.5
    brightness: float = 0.2
    contrast: float = 0.2
    gamma_chance: float = 0.5
    gamma: tuple[float, float] = (0.8, 1.2)
    colour_chance: float = 0.5
    hue: float = 20
    saturation: float = 30
    value: float = 20

    def __post_init__(self) -> None:
        for name in _CHANCES:
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(
                    f"{name} = {getattr(self, name)} is not between 0 and 1", hint="give a share"
                )
        if self.rows < 0 or self.columns < 0 or (self.rows == 0) != (self.columns == 0):
            raise InputError(
                f"a crop of {self.rows} rows and {self.columns} columns is no size",
                hint="give both at least 1, or both 0 to keep the size",
            )
        for name in ("brightness", "contrast", "hue", "saturation", "value"):
            if not 0 <= getattr(self, name) <= 255:
                raise InputError(
                    f"{name} = {getattr(self, name)} is not between 0 and 255", hint="0 turns it off"
                )
        if not 0 < self.gamma[0] <= self.gamma[1]:
            raise InputError(
                f"gamma from {self.gamma[0]} to {self.gamma[1]} is no range of positive numbers",
                hint="give the smaller exponent first",
            )

    def fitted(self, height: int, width: int) -> tuple[int, int]:
        """The size that a photo is enlarged to before it is cropped: its own, where the crop lies within.

        Args:
            height: Rows of the photo.
            width: Columns of the photo.

        Returns:
            Rows and columns, in the photo's own proportions.
        """
        scale = max(self.rows / height, self.columns / width)
        if scale <= 1:
            return height, width
        return max(self.rows, round(height * scale)), max(self.columns, round(width * scale))

    def draw(self, random: Random, *, height: int, width: int) -> Drawn:
        """Draws a view. The draws are those that ``compose()`` makes from the same source.

        Args:
            random: Source of randomness.
            height: Rows of the photo, at least those of the crop.
            width: Columns of the photo, likewise.

        Returns:
            What was drawn.
        """
        random.random()  # Compose's own chance, which is 1
        flip = _happens(random, self.flip_chance)
        top = left = 0
        if self.rows:
            top = int((height - self.rows + 1) * random.random())
            left = int((width - self.columns + 1) * random.random())
        tone = gamma = colour = None
        if _happens(random, self.tone_chance):
            factor = 1.0 + random.uniform(-self.contrast, self.contrast)
            tone = (factor, random.uniform(-self.brightness, self.brightness) * 255)
        if _happens(random, self.gamma_chance):
            gamma = random.uniform(self.gamma[0] * 100, self.gamma[1] * 100) / 100
        if _happens(random, self.colour_chance):
            limits = (self.hue, self.saturation, self.value)
            hue, saturation, value = (random.uniform(-limit, limit) for limit in limits)
            colour = (hue, saturation, value)
        return Drawn(flip, left, top, tone, gamma, colour)

    def compose(self) -> Any:
        """The same recipe as an ``albumentations.Compose``, to change or to compare with.

        Returns:
            The Compose; for photos that are at least as large as the crop.

        Raises:
            MissingExtra: albumentations is not installed.
        """
        A = need("albumentations", who="an albumentations recipe", extra="augment")
        crop = [A.RandomCrop(height=self.rows, width=self.columns)] if self.rows else []
        return A.Compose(
            [
                A.HorizontalFlip(p=self.flip_chance),
                *crop,
                A.RandomBrightnessContrast(
                    brightness_limit=self.brightness, contrast_limit=self.contrast, p=self.tone_chance
                ),
                A.RandomGamma(gamma_limit=(self.gamma[0] * 100, self.gamma[1] * 100), p=self.gamma_chance),
                A.HueSaturationValue(
                    hue_shift_limit=self.hue,
                    sat_shift_limit=self.saturation,
                    val_shift_limit=self.value,
                    p=self.colour_chance,
                ),
            ]
        )


def _happens(random: Random, chance: float) -> bool:
    """Sure things and impossible ones draw nothing, as in albumentations."""
    if chance in (0, 1):
        return chance == 1
    return random.random() < chance
