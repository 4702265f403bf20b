"""What a prediction is: depth, the photo it belongs to, and who made it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.core import display
from leadline.core.camera import Camera
from leadline.core.depth_map import DepthMap
from leadline.core.image import Image
from leadline.core.kind import Kind

__all__ = ["Answer", "ModelRecord", "Prediction"]


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a network says of one photo, before its numbers are given a kind.

    Args:
        values: float32, shape (H, W) of the photo, in the unit of the model's kind; NaN where it says nothing.
        camera: The camera the network believes saw the photo, where it estimates one; of origin ``ESTIMATED``.
        kind: What the values mean, where that depends on what was put in (a prompt); else the model's own kind.
        infinite: Where it sees sky, shape (H, W), for networks that say so.
        uncertainty: float32, shape (H, W): the standard deviation of its values, in their unit, where it gives one.
    """

    values: NDArray[np.float32]
    camera: Camera | None = None
    kind: Kind | None = None
    infinite: NDArray[np.bool_] | None = None
    uncertainty: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """Who made a depth map: enough to make it again.

    Args:
        name: Registry name, such as ``"leadline-indoor-small"``.
        version: The model's own version.
        weights_sha256: SHA-256 of the weights file.
        licence: Licence of the weights.
        commercial: ``"yes"``, ``"no"`` or ``"unclear"``.
        engine: The engine that ran it, such as ``"onnxruntime (CPU)"``.
        calibrated: The calibration that was applied to what it said, as a formula; empty where there was none.
    """

    name: str
    version: str = ""
    weights_sha256: str = ""
    licence: str = ""
    commercial: str = "unclear"
    engine: str = ""
    calibrated: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The record as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Prediction:
    """Depth predicted for a photo.

    Args:
        image: The photo.
        depth: Its depth at the photo's size.
        model: Who made it.
        time_s: Seconds the network took for this photo, pre- and post-processing included.
        uncertainty: float32, shape (H, W): the standard deviation of each value, in the depth's own unit, where the
            model gives one or several looks at the photo were compared; read-only.
    """

    image: Image
    depth: DepthMap
    model: ModelRecord
    time_s: float = 0.0
    uncertainty: NDArray[np.float32] | None = None

    def __repr__(self) -> str:
        return f"{self.depth!r}, by {self.model.name}"

    def _repr_png_(self) -> bytes | None:
        return display.png(self)
