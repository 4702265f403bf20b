"""The spec of any Marigold checkpoint, read from its ``model_index.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadline.core.errors import InputError
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.models.marigold.spec import EXTRA, NETWORK, OPTIONS, PACKAGES
from leadline.plugins.specs import Commercial, ModelSpec, Stated, Weights

__all__ = ["resolve"]

_QUANTITIES = {"depth": Quantity.DEPTH, "disparity": Quantity.INVERSE}
_PIPELINES = ("MarigoldDepthPipeline", "MarigoldPipeline")


def resolve(index: Mapping[str, Any], *, name: str, weights: Weights, stated: Stated) -> ModelSpec:
    """The spec of a checkpoint of diffusers' Marigold for depth.

    Its kind is what the checkpoint says: ``prediction_type`` is the quantity, ``scale_invariant`` and
    ``shift_invariant`` what is left unknown.

    Args:
        index: Its ``model_index.json``.
        name: What the user called it.
        weights: Where it is.
        stated: What the user says; a kind that contradicts the checkpoint is refused.

    Returns:
        The spec.

    Raises:
        InputError: It is another pipeline, or its kind is neither there nor stated, or both and different.
    """
    pipeline = str(index.get("_class_name", ""))
    if pipeline not in _PIPELINES:
        raise InputError(
            f"model {name!r} is a {pipeline or 'pipeline without a name'!r}, which is no depth model that is known",
            hint="of diffusers, MarigoldDepthPipeline is known, such as hf:prs-eth/marigold-depth-v1-1",
        )
    kind = _told_by(index) or stated.kind
    if kind is None:
        raise InputError(
            f"model {name!r} does not say whether it predicts depth or disparity",
            hint="say it: --kind affine-invariant-depth; kind= in Python",
        )
    if stated.kind not in (None, kind):
        raise InputError(
            f"model {name!r} predicts {kind} (its model_index.json says so); it cannot be told to be {stated.kind}",
            hint="leave the kind out",
        )
    return ModelSpec(
        name=name,
        kind=kind,
        summary="a checkpoint of Marigold",
        weights=weights,
        licence="unknown: see its page",
        commercial=Commercial.UNCLEAR,
        engines=("torch",),
        network=NETWORK,
        options=OPTIONS,
        extra=EXTRA,
        packages=PACKAGES,
    )


def _told_by(index: Mapping[str, Any]) -> Kind | None:
    quantity = _QUANTITIES.get(str(index.get("prediction_type")))
    if quantity is None:
        return None
    if index.get("shift_invariant", True):
        return Kind(quantity, Freedom.AFFINE)
    return Kind(quantity, Freedom.SCALE if index.get("scale_invariant", True) else Freedom.NONE)
