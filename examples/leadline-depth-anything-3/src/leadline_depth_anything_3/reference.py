"""Checkpoints by their folder: ``--model FOLDER``, or ``--model da3:FOLDER``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from leadline.core.errors import EngineError, InputError, WeightsError
from leadline.plugins.specs import ModelSpec, ReferenceSpec, Stated, Weights
from leadline_depth_anything_3.checkpoint import model_name
from leadline_depth_anything_3.spec import (
    BASE,
    LARGE,
    METRIC_LARGE,
    METRIC_TINY,
    MONO_LARGE,
    MONO_TINY,
    SMALL,
    TINY,
)

__all__ = ["REFERENCE", "recognise", "resolve"]

REFERENCE = ReferenceSpec(
    name="da3",
    resolve="leadline_depth_anything_3.reference:resolve",
    form="da3:FOLDER",
    summary="a checkpoint of Depth Anything 3 in a local folder",
    recognise="leadline_depth_anything_3.reference:recognise",
)

_SPECS = {
    "da3metric-large": METRIC_LARGE,
    "da3mono-large": MONO_LARGE,
    "da3-small": SMALL,
    "da3-base": BASE,
    "da3-large": LARGE,
    "da3metric-tiny": METRIC_TINY,
    "da3mono-tiny": MONO_TINY,
    "da3-tiny": TINY,
}


def recognise(folder: Path) -> bool:
    """Whether a folder holds a checkpoint of this family.

    Args:
        folder: The folder.
    """
    try:
        return model_name(folder) in _SPECS
    except (WeightsError, EngineError):
        return False


def resolve(reference: str, *, stated: Stated) -> ModelSpec:
    """The spec of a checkpoint, by what its ``config.json`` says it is.

    Args:
        reference: The folder.
        stated: What the user says; a kind that contradicts the checkpoint is refused.

    Returns:
        The spec.

    Raises:
        WeightsError: There is no configuration, or it cannot be read.
        InputError: It is of a network that is not offered for single photos, or another kind is stated.
        EngineError: It is no checkpoint of this family.
    """
    folder = Path(reference).expanduser()
    name = model_name(folder)
    if name not in _SPECS:
        raise InputError(
            f"checkpoint {reference!r} is a {name!r}", hint=f"those that are offered: {', '.join(_SPECS)}"
        )
    spec = replace(_SPECS[name], weights=Weights(f"folder:{folder}"))
    if stated.kind not in (None, spec.kind):
        raise InputError(
            f"model {spec.name!r} predicts {spec.kind}; it cannot be told to be {stated.kind}",
            hint="leave the kind out, or convert the result",
        )
    return spec
