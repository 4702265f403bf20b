"""Models at Replicate by reference: ``replicate:OWNER/MODEL[:VERSION]``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from leadline.core.errors import InputError
from leadline.models.replicate.spec import ENGINES, EXTRA, PACKAGES, choices, notice, source
from leadline.plugins.registry import MODELS
from leadline.plugins.specs import Commercial, ModelSpec, Option, ReferenceSpec, Stated, Weights

__all__ = ["REFERENCE", "resolve"]

REFERENCE = ReferenceSpec(
    name="replicate",
    resolve="leadline.models.replicate.reference:resolve",
    form="replicate:OWNER/MODEL[:VERSION]",
    summary="a model that runs at replicate.com, for money",
)

_FORM = re.compile(r"(?P<model>[\w.-]+/[\w.-]+)(?::(?P<version>[\w.-]+))?")


def resolve(reference: str, *, stated: Stated) -> ModelSpec:
    """The spec of a model at Replicate. Nobody is asked: whether there is such a model is seen when it is opened.

    Args:
        reference: ``OWNER/MODEL`` or ``OWNER/MODEL:VERSION``.
        stated: What the user says. Inputs may have any name, and the model's own schema is asked for it later.

    Returns:
        The spec; of a model that leadline lists, its own record, with the version that was named.

    Raises:
        InputError: It is no such reference, its kind must be stated, or contradicts what is known of it.
    """
    found = _FORM.fullmatch(reference)
    if found is None:
        raise InputError(
            f"{reference!r} is no OWNER/MODEL of Replicate",
            hint="such as replicate:cjwbw/midas, or OWNER/MODEL:VERSION",
        )
    if stated.unit:
        raise InputError(
            f"a unit {stated.unit!r} is not asked of models at Replicate",
            hint="say what a step is: --input remote.scale=0.001 for millimetres",
        )
    model, version = found["model"], found["version"] or ""
    listed = next((spec for spec in MODELS.sound() if spec.weights.source == source(model)), None)
    spec = _of_another(model, reference, stated) if listed is None else listed
    if stated.kind not in (None, spec.kind):
        raise InputError(
            f"model {spec.name!r} predicts {spec.kind} (leadline lists it); it cannot be told to be {stated.kind}",
            hint="leave the kind out",
        )
    return replace(
        spec,
        weights=replace(spec.weights, revision=version or spec.weights.revision),
        options=spec.options + _free(stated.inputs, spec.options),
    )


def _of_another(model: str, reference: str, stated: Stated) -> ModelSpec:
    if stated.kind is None:
        raise InputError(
            f"nothing says what {model!r} of Replicate predicts",
            hint="say it: --kind affine-invariant-inverse-depth (near is bright in its pictures), "
            "affine-invariant-depth (far is bright) …; kind= in Python",
        )
    return ModelSpec(
        name=f"replicate:{reference}",
        kind=stated.kind,
        summary=f"the model {model} at replicate.com",
        weights=Weights(source(model)),
        licence=f"unknown: see https://replicate.com/{model}",
        commercial=Commercial.UNCLEAR,
        engines=ENGINES,
        options=choices(),
        extra=EXTRA,
        packages=PACKAGES,
        notice=notice(model),
    )


def _free(inputs: Iterable[str], known: tuple[Option, ...]) -> tuple[Option, ...]:
    """Options for inputs that no record knows; a name of leadline's own form must be one of its own."""
    names = {option.name for option in known}
    return tuple(
        Option(name, "An input of the model's own.")
        for name in inputs
        if name not in names and not name.startswith("remote.")
    )
