"""What is measured, and how: a prediction beside its truth, and what a metric's definition leaves open."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from leadline.core.camera import Camera, Origin
from leadline.core.errors import InputError, UnknownName
from leadline.core.kind import Along
from leadline.ops.rays import slopes

__all__ = ["MeasureOptions", "Pair"]


@dataclass(frozen=True, slots=True)
class MeasureOptions:
    """What the definition of a metric leaves open, and a protocol fixes.

    Args:
        data_range_m: Data range of PSNR and SSIM: the protocol's cap.
        ssim_window: ``"uniform"``, 7x7 with the sample covariance, or ``"gaussian"``, 11x11 with σ = 1.5.
        order_pairs: Pairs of pixels that WHDR draws.
        order_seed: What they are drawn from.
        order_threshold: τ: depths within a factor of 1 + τ count as equal.
        cloud_threshold_m: τ of the point clouds' precision, recall and F-score.
        cloud_points: From how many points, evenly spaced in the order of the rows, distances to the other cloud are taken;
            None for all, which takes many seconds an image. The clouds that they are taken to are whole either way.

    Raises:
        InputError: A number out of its bounds.
        UnknownName: No such window.
    """

    data_range_m: float | None = None
    ssim_window: Literal["uniform", "gaussian"] = "uniform"
    order_pairs: int = 50_000
    order_seed: int = 0
    order_threshold: float = 0.03
    cloud_threshold_m: float = 0.1
    cloud_points: int | None = 20_000

    def __post_init__(self) -> None:
        for name in ("data_range_m", "order_pairs", "order_threshold", "cloud_threshold_m", "cloud_points"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise InputError(f"{name}={value} is not a positive number", hint="give a number above 0")
        if not 0 <= self.order_seed < 2**64:
            raise InputError(f"order_seed={self.order_seed} is not a seed", hint="give a whole number from 0")
        if self.ssim_window not in ("uniform", "gaussian"):
            raise UnknownName("window of SSIM", self.ssim_window, known=("uniform", "gaussian"))


@dataclass(frozen=True, eq=False)
class Pair:
    """A prediction beside its truth.

    Args:
        p_HW: The prediction in metres, clipped as the protocol says; of use where ``scored_HW``.
        t_HW: The truth in metres; of use where ``counts_HW``.
        counts_HW: Where truth counts.
        scored_HW: Where truth counts and a prediction is known.
        along: What both run along.
        camera: The truth's camera.
    """

    p_HW: NDArray[np.float32]
    t_HW: NDArray[np.float32]
    counts_HW: NDArray[np.bool_]
    scored_HW: NDArray[np.bool_]
    along: Along
    camera: Camera | None

    @property
    def known_camera(self) -> Camera | None:
        """The camera, unless it is only assumed: figures in space would then be of the assumption."""
        return None if self.camera is None or self.camera.origin is Origin.ASSUMED else self.camera

    def z_HW(self, values_HW: NDArray[np.float32], camera: Camera) -> NDArray[np.float64]:
        """Values along the optical axis; NaN where not scored."""
        z = np.where(self.scored_HW, values_HW, np.nan).astype(np.float64)
        if self.along is Along.RAY:
            x, y = slopes(camera)
            z /= np.sqrt(x * x + y * y + 1)
        return z
