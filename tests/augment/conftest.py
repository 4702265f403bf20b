"""A sample whose every value is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from leadline.core.camera import Camera
from leadline.core.image import Image
from leadline.core.sample import Sample
from leadline.testing.scenes import noise_photo, plane

HEIGHT, WIDTH = 120, 160
CAMERA = Camera(130.0, 130.0, 83.25, 57.5, WIDTH, HEIGHT)
NORMAL, DISTANCE_M = (0.1, 0.25, 0.9631), 2.0


@pytest.fixture
def sample() -> Sample:
    """A tilted plane, seen by a square-pixelled camera off its middle, with a pose."""
    photo = Image(noise_photo(HEIGHT, WIDTH).rgb_HW3, CAMERA)
    pose = np.eye(4)
    pose[:3, :3] = [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    pose[:3, 3] = [3, -1, 0.5]
    truth = plane(CAMERA, normal=NORMAL, distance_m=DISTANCE_M)
    return Sample("plane/1", photo, truth, scene="plane", split="train", T_world_camera=pose)
