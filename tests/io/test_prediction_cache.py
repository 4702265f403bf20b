"""Predictions come back to the bit, for the same photo by the same model, and for nothing else."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.image import Image
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.core.results import ModelRecord
from leadline.io.prediction_cache import PredictionCache, predictions_folder, prune

MODEL = ModelRecord("some-model", "1", "ab" * 32)


@pytest.fixture
def image() -> Image:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    return Image(pixels, Camera.assumed(8, 6))


def cache(folder: Path, model: ModelRecord = MODEL, **choices: str) -> PredictionCache:
    return PredictionCache(folder, model, choices=choices)


def test_a_map_comes_back_to_the_bit_with_all_it_knows(tmp_path: Path, image: Image) -> None:
    values = np.random.default_rng(1).normal(size=(6, 8)).astype(np.float32)
    values[0, 0] = np.nan
    depth = DepthMap(values, Kind(Quantity.INVERSE, Freedom.AFFINE), camera=image.camera)
    kept = cache(tmp_path)
    assert kept.get(kept.key(image)) is None
    kept.put(kept.key(image), depth)
    again = cache(tmp_path).get(kept.key(image))
    assert again is not None
    assert (again.kind, again.camera) == (depth.kind, depth.camera)
    np.testing.assert_array_equal(again.values, depth.values)
    np.testing.assert_array_equal(again.valid, depth.valid)


def test_whatever_changes_a_number_changes_the_key(tmp_path: Path, image: Image) -> None:
    pixels = image.rgb_HW3.copy()
    pixels[3, 3, 1] ^= 1
    keys = {
        cache(tmp_path).key(image),
        cache(tmp_path).key(Image(pixels, image.camera)),
        cache(tmp_path).key(Image(image.rgb_HW3, replace(image.camera, fx=9.0))),
        cache(tmp_path).key(Image(image.rgb_HW3.reshape(8, 6, 3), Camera.assumed(6, 8))),
        cache(tmp_path, replace(MODEL, weights_sha256="cd" * 32)).key(image),
        cache(tmp_path, replace(MODEL, engine="torch (CPU)")).key(image),
        cache(tmp_path, steps="4").key(image),
    }
    assert len(keys) == 7
    assert cache(tmp_path).key(Image(image.rgb_HW3[:, ::-1][:, ::-1], image.camera)) in keys


def test_a_damaged_map_is_as_none_and_goes(tmp_path: Path, image: Image) -> None:
    kept = cache(tmp_path)
    key = kept.key(image)
    kept.put(key, DepthMap(np.ones((6, 8)), Kind()))
    (file,) = tmp_path.rglob("*.npz")
    file.write_bytes(file.read_bytes()[:100])
    assert kept.get(key) is None
    assert not file.exists()


def test_the_oldest_go_first(tmp_path: Path, image: Image) -> None:
    kept = cache(tmp_path)
    for age, key in enumerate(["aa" * 32, "bb" * 32, "cc" * 32]):
        kept.put(key, DepthMap(np.ones((6, 8)), Kind()))
        (file,) = tmp_path.glob(f"{key[:2]}/*.npz")
        os.utime(file, (1000 - age, 1000 - age))
    size = file.stat().st_size
    assert prune(tmp_path, limit_bytes=3 * size) == 0
    assert prune(tmp_path, limit_bytes=2 * size) == size
    assert kept.get("cc" * 32) is None
    assert kept.get("aa" * 32) is not None
    assert prune(tmp_path, limit_bytes=0) == 2 * size


def test_predictions_lie_beside_the_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LEADLINE_CACHE", str(tmp_path))
    assert predictions_folder() == tmp_path / "predictions"
