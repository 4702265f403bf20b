"""The default recipe is exactly what albumentations makes of the same draws."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest

from leadline.augment.pipeline import Augmentation
from leadline.augment.recipe import Recipe
from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.core.sample import Sample
from leadline.ops.geometry import unproject
from leadline.testing.scenes import noise_photo

CAMERA = Camera(130.0, 130.0, 83.25, 57.5, 160, 120)
"""Of the fixture ``sample``."""

RECIPES = {
    "default": Recipe(rows=100, columns=130),
    "always all": Recipe(100, 130, 1.0, 1.0, gamma_chance=1.0, colour_chance=1.0),
    "colours alone": Recipe(0, 0, 0.0, 1.0, gamma_chance=1.0, colour_chance=1.0),
    "wild": Recipe(
        90, 160, brightness=0.9, contrast=0.9, gamma=(0.2, 4.0), hue=180, saturation=255, value=255
    ),
    "nothing": Recipe(0, 0, 0.0, 0.0, gamma_chance=0.0, colour_chance=0.0),
    "no shift": Recipe(0, 0, colour_chance=1.0, hue=0, saturation=0, value=0),
    "hue alone": Recipe(0, 0, colour_chance=1.0, hue=90, saturation=0, value=0),
}


@pytest.mark.parametrize("name", RECIPES)
def test_the_quick_way_equals_the_plain_compose(name: str, sample: Sample) -> None:
    recipe = RECIPES[name]
    rows, columns = np.indices(sample.truth.shape)
    holes = replace(sample.truth, valid=(rows * columns) % 7 != 0, values=sample.truth.values.copy())
    given = replace(sample, truth=holes)
    quick, plain = Augmentation(recipe, seed=1), Augmentation(recipe.compose(), seed=1)
    changed = 0
    for epoch in range(12):
        one, other = quick(given, epoch=epoch), plain(given, epoch=epoch)
        assert np.array_equal(one.image.rgb_HW3, other.image.rgb_HW3)
        assert np.array_equal(one.truth.values, other.truth.values, equal_nan=True)
        assert np.array_equal(one.truth.valid, other.truth.valid)
        assert one.image.camera == other.image.camera == one.truth.camera == other.truth.camera
        assert (one.T_world_camera is None) == (other.T_world_camera is None)
        changed += not np.array_equal(one.image.rgb_HW3, given.image.rgb_HW3)
    assert changed == 0 if name == "nothing" else changed > 3


def test_every_byte_value_takes_every_shift_as_albumentations_has_it() -> None:
    """All 256 greys and many colours under extreme draws."""
    steps = np.arange(256, dtype=np.uint8)
    ramps = np.stack([np.stack([steps, np.roll(steps, k), steps[::-1]], -1) for k in range(0, 256, 8)])
    greys = np.repeat(steps[None, :, None], 3, -1)
    rgb = np.ascontiguousarray(np.concatenate([ramps, greys]))
    camera = Camera.assumed(256, rgb.shape[0])
    given = Sample("ramps", Image(rgb, camera), DepthMap(np.ones(rgb.shape[:2]), Kind(), camera=camera))
    recipe = replace(RECIPES["wild"], rows=0, columns=0, tone_chance=0.7, gamma_chance=0.7, colour_chance=1.0)
    quick, plain = Augmentation(recipe), Augmentation(recipe.compose())
    for epoch in range(40):
        assert np.array_equal(
            quick(given, epoch=epoch).image.rgb_HW3, plain(given, epoch=epoch).image.rgb_HW3
        )


def test_a_flip_turns_x_round_and_a_crop_moves_nothing(sample: Sample) -> None:
    """Augment then unproject equals unproject then transform, point for point."""
    recipe = Recipe(rows=60, columns=90, flip_chance=0.5)
    flips = set()
    for epoch in range(8):
        view = Augmentation(recipe)(sample, epoch=epoch)
        assert view.truth.camera is not None
        flipped = view.T_world_camera is None
        flips.add(flipped)
        points = unproject(view.truth).points_N3.astype(np.float64)
        if flipped:
            points = points * [-1, 1, 1]
        u = points[:, 0] / points[:, 2] * CAMERA.fx + CAMERA.cx
        v = points[:, 1] / points[:, 2] * CAMERA.fy + CAMERA.cy
        columns, rows = np.rint(u).astype(int), np.rint(v).astype(int)
        assert np.abs(u - columns).max() < 1e-3
        assert np.abs(v - rows).max() < 1e-3
        assert np.abs(points[:, 2] - sample.truth.values[rows, columns]).max() == 0
    assert flips == {True, False}


def test_a_photo_smaller_than_the_crop_is_enlarged_just_enough(sample: Sample) -> None:
    recipe = Recipe(rows=240, columns=200, flip_chance=0.0)
    assert recipe.fitted(120, 160) == (240, 320)
    assert recipe.fitted(500, 500) == (500, 500)
    view = Augmentation(recipe)(sample)
    assert view.truth.shape == (240, 200)
    assert view.image.camera.fx == 2 * CAMERA.fx
    assert set(view.truth.values.ravel()) <= set(sample.truth.values.ravel())


def test_draws_cover_the_whole_crop_range() -> None:
    draws = [Recipe().draw(Random(k), height=480, width=640) for k in range(400)]
    assert {draw.top for draw in draws} == set(range(33))
    assert min(draw.left for draw in draws) == 0
    assert max(draw.left for draw in draws) == 64
    assert 150 < sum(draw.flip for draw in draws) < 250
    assert 150 < sum(draw.gamma is not None for draw in draws) < 250


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"flip_chance": 1.5}, "flip_chance = 1.5 is not between 0 and 1"),
        ({"rows": -1}, "is no size"),
        ({"rows": 0}, "a crop of 0 rows and 576 columns is no size"),
        ({"hue": -3}, "hue = -3 is not between 0 and 255"),
        ({"gamma": (1.2, 0.8)}, "gamma from 1.2 to 0.8"),
    ],
)
def test_recipes_without_sense_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Recipe(**change)


def test_a_photo_is_not_touched(sample: Sample) -> None:
    before = noise_photo(120, 160).rgb_HW3
    for epoch in range(5):
        Augmentation(RECIPES["always all"])(sample, epoch=epoch)
    assert np.array_equal(sample.image.rgb_HW3, before)
