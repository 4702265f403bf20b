"""Photos that flows are tried on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Six small photos of two sizes in a folder and its sub-folder, with an empty one and a text among them."""
    folder = tmp_path / "album"
    (folder / "more").mkdir(parents=True)
    sizes = [(12, 16), (12, 16), (20, 10), (12, 16), (20, 10), (12, 16)]
    for number, (height, width) in enumerate(sizes, 1):
        pixels = np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8)
        place = folder / "more" if number > 4 else folder
        Image.fromarray(pixels).save(place / f"{number}.png")
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.jpg").write_text("not a photo")
    return folder
