"""Disparity and calibration as Middlebury writes them, and the depth that follows (Scharstein et al., GCPR 2014)."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.errors import DatasetError, InputError
from leadline.core.kind import Kind
from leadline.io.depth_files import read_stored
from leadline.io.trees import Tree

__all__ = ["Stereo", "depth_of", "read_calibration", "read_pfm"]


class Stereo:
    """A rectified pair: the left camera, and what turns its disparity into depth.

    Args:
        camera: The left camera.
        baseline_m: Distance of the cameras, metres.
        offset_px: Difference of their principal points, ``doffs``.
    """

    def __init__(self, camera: Camera, *, baseline_m: float, offset_px: float) -> None:
        self.camera, self.baseline_m, self.offset_px = camera, baseline_m, offset_px


def depth_of(disparity_px: NDArray[np.floating], stereo: Stereo) -> DepthMap:
    """Depth along the axis.

    Convention:
        Z = fx · baseline / (d + doffs). Disparities that are not finite are unknown.

    Args:
        disparity_px: (H, W).
        stereo: The pair.

    Returns:
        Metres.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        z_m = stereo.camera.fx * stereo.baseline_m / (disparity_px.astype(np.float64) + stereo.offset_px)
        known = np.isfinite(disparity_px) & np.isfinite(z_m) & (z_m > 0)
    values = np.where(known, z_m, np.nan).astype(np.float32)
    return DepthMap(values, Kind(), valid=known, camera=stereo.camera)


def read_calibration(tree: Tree, name: str) -> Stereo:
    """Reads a ``calib.txt`` of lines ``cam0=[fx 0 cx; 0 fy cy; 0 0 1]``, ``doffs=`` and ``baseline=`` in millimetres.

    Args:
        tree: Where the file is.
        name: Its name.

    Returns:
        The pair.

    Raises:
        DatasetError: A line is missing or holds other numbers.
    """
    lines = (line.partition("=") for line in tree.text(name).splitlines())
    told = {key.strip(): value.strip() for key, equals, value in lines if equals}
    try:
        K = np.array([float(word) for word in re.findall(r"[-+.\deE]+", told["cam0"])]).reshape(3, 3)
        width, height = int(told["width"]), int(told["height"])
        camera = Camera(K[0, 0], K[1, 1], K[0, 2], K[1, 2], width, height)
        return Stereo(
            camera, baseline_m=float(told["baseline"]) / 1000, offset_px=float(told.get("doffs", 0))
        )
    except (KeyError, ValueError) as error:
        raise DatasetError(
            f"{tree.called(name)!r} is no calibration of a stereo pair ({error})",
            hint="it needs cam0, baseline, doffs, width and height",
        ) from error


def read_pfm(tree: Tree, name: str) -> NDArray[np.float32]:
    """The floats of a PFM file, top row first.

    Args:
        tree: Where the file is.
        name: Its name.

    Returns:
        float32 (H, W); infinities are as stored.

    Raises:
        DatasetError: It is no such file, or is cut short.
    """
    try:
        stored = read_stored(tree.local(name))
    except InputError as error:
        raise DatasetError(error.message, hint=error.hint) from error
    return np.asarray(stored.numbers_HW, np.float32)
