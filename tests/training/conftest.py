"""A recipe, frames and samples small enough to train on in a second."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.core.sample import Sample
from leadline.training.recipe import Recipe
from leadline.training.recipe_files import load_recipe


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Very small networks are slower on two threads than on one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def tiny_recipe() -> Recipe:
    """The embedded recipe with a very small network, small views and few steps."""
    whole = load_recipe("embedded-indoor")
    network = replace(
        whole.network, encoder="test_efficientnet", encoder_weights="", widths=(16, 12, 8, 8, 4)
    )
    optimiser = replace(whole.optimiser, epochs=3, batch=2, validate_every=1, ema_decay=0.5, settle_batches=2)
    views = replace(whole.views, shapes=((32, 64, 1), (64, 32, 1)))
    return replace(whole, network=network, optimiser=optimiser, views=views)


@pytest.fixture
def tiny_samples() -> list[Sample]:
    """Photos whose brightness is their depth."""
    samples = []
    for number in range(6):
        rng = np.random.default_rng(number)
        depth = (1 + 3 * rng.random() + np.linspace(0, 1, 64)[None] * np.ones((48, 1))).astype(np.float32)
        rgb = np.clip(depth * 50, 0, 255).astype(np.uint8)[..., None].repeat(3, 2)
        camera = Camera.assumed(64, 48)
        samples.append(Sample(str(number), Image(rgb, camera), DepthMap(depth, Kind(), camera=camera)))
    return samples
