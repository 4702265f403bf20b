"""The record that files carry which show or use depth without holding it."""

from __future__ import annotations

from leadline.core.record import Record
from leadline.core.results import Prediction
from leadline.io.sources import source_name

__all__ = ["record_of"]


def record_of(prediction: Prediction) -> Record:
    """The record of a prediction's depth.

    Args:
        prediction: The prediction.

    Returns:
        Kind, camera, whether the scale is uncertain, maker, and the photo's name without its folders.
    """
    depth = prediction.depth
    return Record(
        depth.kind,
        camera=depth.camera,
        model=prediction.model,
        source=source_name(prediction.image.source),
        scale_uncertain=depth.scale_uncertain,
    )
