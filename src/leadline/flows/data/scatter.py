"""One sample's points in 3D, as a picture."""

from __future__ import annotations

import numpy as np

from leadline.core.errors import InputError
from leadline.core.sample import Sample
from leadline.flows.data.sheet import Sheet
from leadline.io.plots import draw_points
from leadline.ops.geometry import unproject
from leadline.ops.resize import resize

__all__ = ["scatter_sheet"]


def scatter_sheet(sample: Sample, *, max_points: int = 60_000) -> Sheet:
    """A 3D scatter of a sample's known pixels, in the photo's colours.

    Args:
        sample: Depth below AFFINE with a camera.
        max_points: More points than this are thinned to a regular part.

    Returns:
        The picture.

    Raises:
        KindError: The truth has no shape in space.
        InputError: It has no camera, or no known pixel.
        MissingExtra: matplotlib is not installed.
    """
    truth = sample.truth
    if not bool(truth.valid.any()):
        raise InputError(f"sample {sample.id!r} has no known pixel", hint="choose another sample")
    photo = resize(sample.image, width=truth.width, height=truth.height)
    cloud = unproject(truth, image=photo)
    every = -(-len(cloud.points_N3) // max_points)
    colours = None if cloud.rgb_N3 is None else cloud.rgb_N3[::every]
    unit = "m" if cloud.unit == "m" else "unit unknown"
    return Sheet(
        draw_points(np.asarray(cloud.points_N3[::every]), colours_N3=colours, title=sample.id, unit=unit)
    )
