"""What a prediction is: depth, the photo it belongs to, and who made it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from leadline.core import display
from leadline.core.depth_map import DepthMap
from leadline.core.image import Image

__all__ = ["ModelRecord", "Prediction"]


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
    """

    name: str
    version: str = ""
    weights_sha256: str = ""
    licence: str = ""
    commercial: str = "unclear"
    engine: str = ""

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
    """

    image: Image
    depth: DepthMap
    model: ModelRecord
    time_s: float = 0.0

    def __repr__(self) -> str:
        return f"{self.depth!r}, by {self.model.name}"

    def _repr_png_(self) -> bytes | None:
        return display.png(self)
