"""Makes the pictures of MODEL_CARD.md: the embedded model on photos that it never saw, good cases and bad ones.

The photos are scikit-image's own, free to pass on: coffee (CC0, Rachel Michetti), astronaut (NASA, public domain), chelsea
(CC0, Stefan van der Walt) and rocket (CC0, SpaceX). No NYU picture is shown: their terms do not allow it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image as PilImage
from skimage import data as photos

import leadline
from leadline.exporters.panels import laid_side_by_side
from leadline.ops.colour import ColourOptions
from leadline.ops.resize import resize

IMAGES = Path(__file__).resolve().parent / "images"
HEIGHT_PX = 240
CASES = {
    "good": (photos.coffee(), photos.astronaut()),
    "bad": (photos.chelsea(), photos.rocket()),
}


def row(model: leadline.flows.model.Model, rgb_HW3: np.ndarray) -> np.ndarray:
    """A photo and its depth, side by side, at one height."""
    prediction = model.predict(rgb_HW3)
    size = {"height": HEIGHT_PX, "width": round(HEIGHT_PX * rgb_HW3.shape[1] / rgb_HW3.shape[0])}
    small = leadline.Prediction(
        resize(prediction.image, **size), resize(prediction.depth, **size), prediction.model
    )
    return laid_side_by_side([small], options=ColourOptions())


def stacked(rows: list[np.ndarray]) -> np.ndarray:
    """Rows under each other on white."""
    width = max(r.shape[1] for r in rows)
    filled = [np.pad(r, ((0, 8), (0, width - r.shape[1]), (0, 0)), constant_values=255) for r in rows]
    return np.concatenate(filled)


def main() -> None:
    """Writes ``images/indoor_good.jpg`` and ``images/indoor_bad.jpg``."""
    IMAGES.mkdir(exist_ok=True)
    with leadline.open_model("leadline-indoor-small") as model:
        for name, cases in CASES.items():
            picture = stacked([row(model, rgb) for rgb in cases])
            PilImage.fromarray(picture).save(IMAGES / f"indoor_{name}.jpg", quality=88)


if __name__ == "__main__":
    main()
