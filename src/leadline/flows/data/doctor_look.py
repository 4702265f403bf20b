"""What the data doctor keeps of a sample that it looked at."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.image import Image
from leadline.core.kind import Freedom, Quantity
from leadline.core.sample import Sample
from leadline.ops.edge_agreement import Edges, edges_of
from leadline.ops.planes import flatness_of_inverse

__all__ = ["SHOWN", "Looked", "look"]

SHOWN = 8
"""Samples that a finding names."""


@dataclass(frozen=True, eq=False)
class Looked:
    """What is kept of a sample that was looked at.

    Args:
        id: The sample.
        scene: Its scene.
        split: Its split.
        photo_sha: Digest of the photo's pixels.
        thumb: The photo at 9x8 pixels of grey, for near duplicates.
        camera: Of the photo.
        metric: Whether the truth is metric depth.
        valid: Share of known pixels.
        median: Of the known values; NaN where none.
        levels: Distinct known values, at most 300; None where there are more.
        top_share: Share of known pixels that hold the largest value.
        top: The largest value.
        fits: Whether photo and truth have one aspect ratio.
        sizes: Both sizes, in words.
        plain: For every flat, slanted patch, how much better a plane fits one over the numbers than the numbers.
        edges: For comparing photo and depth.
        small: A small copy for pictures.
    """

    id: str
    scene: str
    split: str
    photo_sha: str
    thumb: NDArray[np.bool_]
    camera: Camera
    metric: bool
    valid: float
    median: float
    levels: NDArray[np.float32] | None
    top_share: float
    top: float
    fits: bool
    sizes: str
    plain: NDArray[np.float64]
    edges: Edges
    small: tuple[Image, DepthMap]


def look(sample: Sample) -> Looked:
    """Looks at one sample; little of it is kept.

    Args:
        sample: The sample.

    Returns:
        What the checks need.
    """
    from PIL import Image as PilImage

    image, truth = sample.image, sample.truth
    known = truth.values[truth.valid]
    levels = np.unique(known[:: max(1, known.size // 200_000)]) if known.size else np.zeros(0, np.float32)
    top = float(known.max()) if known.size else float("nan")
    grey = PilImage.fromarray(image.rgb_HW3).convert("L").resize((9, 8), PilImage.Resampling.BOX)
    shades = np.asarray(grey, np.int16)
    return Looked(
        sample.id,
        sample.scene,
        sample.split,
        sha256(np.ascontiguousarray(image.rgb_HW3).data).hexdigest(),
        (shades[:, 1:] > shades[:, :-1]).ravel(),
        image.camera,
        truth.kind.freedom is Freedom.NONE and truth.kind.quantity is Quantity.DEPTH,
        float(truth.valid.mean()),
        float(np.median(known)) if known.size else float("nan"),
        levels if len(levels) <= 300 else None,
        float((known == top).mean()) if known.size else 0.0,
        top,
        abs(truth.width / truth.height - image.width / image.height) < 0.02,
        f"photo {image.width}x{image.height}, depth {truth.width}x{truth.height}",
        flatness_of_inverse(truth),
        edges_of(image, truth),
        _small(image, truth),
    )


def _small(image: Image, truth: DepthMap) -> tuple[Image, DepthMap]:
    from PIL import Image as PilImage

    width = 240
    height = max(1, round(width * image.height / image.width))
    rgb = np.asarray(PilImage.fromarray(image.rgb_HW3).resize((width, height), PilImage.Resampling.BOX))
    rows = (2 * np.arange(height) + 1) * truth.height // (2 * height)
    columns = (2 * np.arange(width) + 1) * truth.width // (2 * width)
    at = np.ix_(rows, columns)
    return Image.from_array(rgb), DepthMap(truth.values[at], truth.kind, truth.valid[at], truth.infinite[at])
