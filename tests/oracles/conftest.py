"""Real pairs that several oracles look at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skimage import data as photos

import leadline


@pytest.fixture(scope="session")
def real_pairs(shared_data: Path) -> dict[str, tuple[leadline.DepthMap, leadline.DepthMap]]:
    """What the shipped model says of real frames, and their truth."""
    nyu = leadline.open_dataset(shared_data / "nyu_train795", name="nyu")[17]
    redwood = leadline.open_dataset(shared_data / "redwood", name="redwood")[0]
    left, _, disparity = photos.stereo_motorcycle()
    with np.errstate(invalid="ignore"):
        metres = np.where(np.isfinite(disparity), 994.978 * 0.193001 / (disparity + 31.086), 0)
    pairs = {"nyu": (nyu.image, nyu.truth), "redwood": (redwood.image, redwood.truth)}
    pairs["motorcycle"] = (leadline.Image.from_array(left), leadline.DepthMap(metres, leadline.Kind()))
    with leadline.open_model() as model:
        return {name: (model.predict(image).depth, truth) for name, (image, truth) in pairs.items()}
