"""The U-Net tutorial's target, against its own steps done with NumPy's masked arrays and OpenCV."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from leadline.datasets.diode import unet_tutorial_target
from leadline.flows.data.opening import open_dataset
from leadline.testing.layouts import diode as layout


def as_the_tutorial_does(depth: np.ndarray, mask: np.ndarray) -> np.ndarray:
    limit = min(300, np.percentile(depth, 99))
    depth = np.clip(depth, 0.1, limit)
    depth = np.log(
        depth, where=mask, out=depth.copy()
    )  # without out, what is not logged is whatever lay in memory
    depth = np.ma.masked_where(~mask, depth)
    depth = np.clip(depth, 0.1, np.log(limit))
    return cv2.resize(depth, (256, 256))


@pytest.mark.parametrize("shape", [(768, 1024), (100, 91)])
def test_the_networks_target(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    depth = rng.gamma(2.0, 3.0, shape).astype(np.float32)
    mask = rng.random(shape) > 0.2
    ours = unet_tutorial_target(depth, mask)
    assert ours.shape == (256, 256)
    assert np.abs(ours - as_the_tutorial_does(depth, mask)).max() < 2e-4


def test_the_truth_it_amounts_to_is_in_metres(tmp_path: Path) -> None:
    place, _ = layout.write(tmp_path)
    plain = open_dataset(place)[2].truth
    target = open_dataset(place, options={"target": "unet-tutorial"})[2].truth
    limit = np.percentile(np.load(tmp_path / f"{layout.STEMS[2]}_depth.npy"), 99)
    expected = np.clip(plain.values, np.exp(0.1), limit)
    assert np.allclose(target.values[target.valid], expected[target.valid], rtol=1e-5)
    assert np.array_equal(target.valid, plain.valid)
