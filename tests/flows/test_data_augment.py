"""Augmented collections, what they hand on, and the grid of one sample augmented nine ways."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import albumentations as A  # noqa: N812 - its users' own name for it
import numpy as np
import pytest
from PIL import Image as PilImage

from leadline.augment.recipe import Recipe
from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.core.sample import Sample
from leadline.flows.data.augment import AugmentRequest, draw_grid, run
from leadline.flows.data.collection import Collection
from leadline.flows.data.opening import open_dataset
from leadline.flows.data.preview import foot
from leadline.ops.colour import ColourOptions, colourise
from leadline.plugins.ports import Dataset
from leadline.testing.layouts.redwood import write
from leadline.testing.scenes import noise_photo


@pytest.fixture
def opened(tmp_path: Path) -> Collection:
    folder = tmp_path / "frames"
    folder.mkdir()
    place, options = write(folder)
    return open_dataset(place, name="redwood", options=options)


@pytest.fixture
def view() -> Sample:
    camera = Camera.assumed(40, 30)
    truth = DepthMap(np.tile(np.linspace(1, 4, 40), (30, 1)), Kind(), camera=camera)
    return Sample("one", Image(noise_photo(30, 40).rgb_HW3, camera), truth)


def test_an_augmented_collection_is_a_dataset(opened: Collection) -> None:
    augmented = opened.augmented(Recipe(rows=20, columns=24), seed=1, epoch=2)
    assert isinstance(augmented, Dataset)
    assert augmented.entries == opened.entries
    assert len(augmented) == len(opened)
    assert augmented[0].truth.shape == (20, 24)
    assert augmented[0].truth.kind == augmented.kind == opened.kind
    assert [sample.id for sample in augmented] == [sample.id for sample in opened]
    twin = pickle.loads(pickle.dumps(augmented))
    assert np.array_equal(twin[1].image.rgb_HW3, augmented[1].image.rgb_HW3)
    other = opened.augmented(Recipe(rows=20, columns=24), seed=1, epoch=3)
    assert not np.array_equal(other[0].image.rgb_HW3, augmented[0].image.rgb_HW3)


def test_a_users_own_compose_is_taken(opened: Collection) -> None:
    assert opened.augmented(A.Compose([A.CenterCrop(10, 12)]))[0].truth.shape == (10, 12)


def test_loaders_go_on_from_the_epoch_of_the_collection(opened: Collection) -> None:
    augmented = opened.augmented(Recipe(rows=20, columns=24), epoch=5)
    feed = augmented.loader(batch_size=1, shuffle=False)
    assert feed.epoch == 5
    first = next(iter(feed))
    expected = augmented[0].image.rgb_HW3.transpose(2, 0, 1).astype(np.float32) / np.float32(255)
    assert np.array_equal(first["pixel_values"][0].numpy(), expected)
    assert np.array_equal(augmented.to_torch()[0]["pixel_values"].numpy(), expected)
    plain = opened.to_torch()[0]["pixel_values"]
    assert plain.shape[1:] == opened[0].truth.shape
    assert len(opened.loader(batch_size=1)) == len(opened)


def test_a_collection_goes_to_hugging_face(opened: Collection, tmp_path: Path) -> None:
    rows = opened.to_hf(cache=str(tmp_path / "cache"))
    assert rows["id"] == [entry.id for entry in opened.entries]
    assert np.array_equal(np.asarray(rows[0]["depth_map"]), opened[0].truth.values, equal_nan=True)


def test_a_grid_holds_every_view_in_one_range_of_colours(view: Sample) -> None:
    far = replace(view, truth=replace(view.truth, values=view.truth.values * 2))
    grid = draw_grid([view, far, view], width=40)
    scale = foot([view, far, view], ColourOptions("viridis", (1.0, 2.0)), 86)
    assert grid.shape == (2 * 60 + 6 + len(scale), 2 * 40 + 6, 3)
    assert len(scale) > 10
    assert np.array_equal(grid[:30, :40], view.image.rgb_HW3)
    first, second = grid[30:60, :40], grid[30:60, 46:]
    assert (grid[66:126, 46:] == 255).all()
    near = [sample.truth.values[5, 2::4] for sample in (view, far)]
    low, high = (f([np.percentile(s.truth.values, q) for s in (view, far)]) for f, q in ((min, 2), (max, 98)))
    expected = [
        colourise(s.truth, options=ColourOptions("viridis", (float(low), float(high)))) for s in (view, far)
    ]
    assert np.abs(first.astype(int) - expected[0]).max() <= 2
    assert np.abs(second.astype(int) - expected[1]).max() <= 2
    assert near[0][0] < near[1][0]


def test_a_grid_of_what_nobody_knows_is_drawn(view: Sample) -> None:
    blind = replace(view, truth=DepthMap(np.zeros((30, 40)), Kind(), camera=view.truth.camera))
    assert draw_grid([blind] * 9, width=20).shape[1:] == (3 * 26 - 6, 3)


def test_the_picture_is_written(opened: Collection, tmp_path: Path) -> None:
    out = tmp_path / "new" / "grid.png"
    place, options = opened.place, tuple(f"{name}={value}" for name, value in opened.options.items())
    request = AugmentRequest(
        f"redwood:{place}", out=out, crop="40x56", count=4, option=options, id=opened.entries[1].id
    )
    path, sample = run(request)
    assert path == out
    assert sample.id == opened.entries[1].id
    with PilImage.open(out) as picture:
        assert picture.width == 2 * 288 + 6
        assert picture.height > 2 * 2 * round(288 * 40 / 56) + 6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"crop": "big"}, "crop 'big' is not two numbers; write rows and columns: 448x576"),
        ({"count": 0}, "count"),
        ({"crop": "5x0"}, "a crop of 5 rows and 0 columns is no size"),
        ({"option": ("truth",)}, "option 'truth' is not KEY=VALUE; write --option truth=raw"),
    ],
)
def test_requests_without_sense_are_refused(change: dict[str, Any], message: str, opened: Collection) -> None:
    with pytest.raises(InputError, match=message):
        run(AugmentRequest(f"redwood:{opened.place}", **change))


def test_the_command_line_draws_it(opened: Collection, tmp_path: Path, command: Callable[..., Any]) -> None:
    options = [part for name, value in opened.options.items() for part in ("--option", f"{name}={value}")]
    out = tmp_path / "a.png"
    done = command("data", "augment", f"redwood:{opened.place}", "-o", out, "--crop", "20x30", *options)
    assert (done.status, done.err) == (0, "")
    assert done.out == f"{out}: sample {opened.entries[0].id!r} as 9 epochs see it\n"
    assert out.stat().st_size > 1000
    missing = command("data", "augment", f"redwood:{opened.place}", "--id", "nowhere", "-o", out, *options)
    assert missing.status == 9
    assert "nowhere" in missing.err
    assert "Traceback" not in missing.err
