"""What the point cloud exporters share: which kinds may become points, and how."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np

from leadline.core.cloud import PointCloud
from leadline.core.depth_map import DepthMap
from leadline.core.errors import KindError
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.core.record import Record
from leadline.core.results import Prediction
from leadline.exporters.records import record_of
from leadline.ops.geometry import unproject
from leadline.plugins.ports import ExportOptions

__all__ = ["CloudExporter", "check_kind", "cloud_of", "thinned"]


class Write(Protocol):
    """Writes a cloud and its record to a file."""

    def __call__(self, path: Path, cloud: PointCloud, *, record: Record) -> None:
        """Writes it."""
        ...


class CloudExporter:
    """Writes the points a prediction's pixels lie at.

    Args:
        write: What writes the file.
        most_points: Above so many points, every n-th row and column is kept; None keeps all.
    """

    def __init__(self, write: Write, *, most_points: int | None = None) -> None:
        self._write = write
        self.most_points = most_points

    def check(self, kind: Kind) -> None:
        """Refuses kinds that have no place in space.

        Args:
            kind: The kind of the depth.

        Raises:
            KindError: It is inverse depth, or its shift is unknown.
        """
        check_kind(kind)

    def write(self, prediction: Prediction, path: Path, *, options: ExportOptions) -> None:
        """Writes one cloud, whole or not at all.

        Args:
            prediction: What to write.
            path: The file.
            options: Unused: points have the photo's colours.

        Raises:
            KindError: The kind is refused, or there is no camera.
            InputError: No pixel is valid.
            OutputError: The file cannot be written.
        """
        check_kind(prediction.depth.kind)
        shown = prediction
        if self.most_points is not None:
            shown = replace(prediction, depth=thinned(prediction.depth, most=self.most_points))
        self._write(path, cloud_of(shown), record=record_of(prediction))


def check_kind(kind: Kind) -> None:
    """Refuses kinds that have no place in space (law 4).

    Args:
        kind: The kind of the depth.

    Raises:
        KindError: It is inverse depth, or its shift is unknown.

    Example:
        >>> check_kind(Kind())
    """
    if kind.freedom is Freedom.AFFINE:
        raise KindError(
            f"{kind} cannot become a point cloud: an unknown shift bends space",
            hint="align it to known depths first (leadline.align), or use a model that predicts metres",
        )
    if kind.quantity is Quantity.INVERSE:
        raise KindError(
            f"{kind} cannot become a point cloud: its numbers are one over distance",
            hint="invert it to depth first",
        )


def cloud_of(prediction: Prediction) -> PointCloud:
    """The coloured points of a prediction, in the camera's frame.

    Args:
        prediction: Depth with a camera, and its photo.

    Returns:
        One point a valid pixel; the unit is arbitrary where the scale is unknown.

    Raises:
        KindError: The kind is refused, or there is no camera.
    """
    check_kind(prediction.depth.kind)
    return unproject(prediction.depth, image=prediction.image)


def thinned(depth: DepthMap, *, most: int) -> DepthMap:
    """A map that keeps every n-th row and column, at their places, so that few enough pixels stay valid.

    Args:
        depth: The map.
        most: How many valid pixels to come down to, about.

    Returns:
        A map of the same size and camera; the very same object where few enough are valid.

    Example:
        >>> int(thinned(DepthMap(np.ones((6, 6)), Kind()), most=9).valid.sum())
        9
    """
    count = int(np.count_nonzero(depth.valid))
    if count <= most:
        return depth
    every = math.ceil(math.sqrt(count / most))
    kept = np.zeros(depth.shape, bool)
    kept[::every, ::every] = depth.valid[::every, ::every]
    return replace(depth, valid=kept)
