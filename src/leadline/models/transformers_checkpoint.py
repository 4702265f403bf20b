"""Checkpoints of transformers by reference: ``hf:ORG/NAME[@REVISION]``, or a local folder."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from leadline.core.errors import InputError, WeightsError
from leadline.core.kind import Freedom, Kind, Quantity
from leadline.io.weights import fetch_config
from leadline.models.marigold.reference import resolve as marigold
from leadline.plugins.registry import MODELS
from leadline.plugins.specs import Commercial, ModelSpec, ReferenceSpec, Stated, Weights

__all__ = ["REFERENCE", "resolve"]

REFERENCE = ReferenceSpec(
    name="hf",
    resolve="leadline.models.transformers_checkpoint:resolve",
    form="hf:ORG/NAME[@REVISION]",
    summary="a depth model of transformers on the Hugging Face hub, or in a local folder",
)

_HUB = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")
_INVERSE_AFFINE = Kind(Quantity.INVERSE, Freedom.AFFINE)
_PACKAGES = ("torch", "torchvision", "transformers")


@dataclass(frozen=True, slots=True)
class _Architecture:
    """What is known of an architecture: whose network runs it, and what it predicts where that is settled."""

    family: str
    kind: Kind | None
    rests_on_focal: bool = False
    prompted: bool = False


_KNOWN = {
    "dpt": _Architecture("dpt", None),
    "glpn": _Architecture("glpn", Kind()),
    "zoedepth": _Architecture("zoedepth", Kind()),
    "depth_anything": _Architecture("depth_anything", None),
    "depth_pro": _Architecture("depth_pro", Kind(), rests_on_focal=True),
    "tipsv2_dpt": _Architecture("tipsv2_dpt", Kind()),
    "prompt_depth_anything": _Architecture("prompt_depth_anything", Kind(), prompted=True),
}
_REFUSED = {"chmv2": "it predicts the height of trees above the ground, which is no depth"}


def resolve(reference: str, *, stated: Stated) -> ModelSpec:
    """The spec of a checkpoint.

    Its kind is read from architecture and configuration where they settle it: GLPN, ZoeDepth, Depth Pro and TIPSv2-DPT are
    metric; so is Prompt Depth Anything where its prompt is; Depth Anything says ``depth_estimation_type``; a DPT may be
    either, and must be told. A Marigold says its own.

    Args:
        reference: ``ORG/NAME``, ``ORG/NAME@REVISION``, or the path of a folder with a ``config.json``, or with the
            ``model_index.json`` of a Marigold checkpoint.
        stated: What the user says; a kind that contradicts the configuration is refused.

    Returns:
        The spec; of a model that leadline lists, its own record.

    Raises:
        InputError: It is neither, its architecture is unknown or no depth model, or its kind must be stated.
        WeightsError: Its configuration cannot be fetched or read.
    """
    weights = _weights(reference)
    listed = _listed(weights)
    if listed is not None:
        return _unless_contradicted(listed, stated, f"leadline lists it as {listed.name!r}")
    name = reference.rstrip("/").rpartition("/")[2] if weights.scheme == "folder" else f"hf:{reference}"
    path = fetch_config(weights, name=reference)
    config = _config(path)
    if path.name == "model_index.json":
        return marigold(config, name=name, weights=weights, stated=stated)
    architecture = str(config.get("model_type", ""))
    known = _known(architecture, reference)
    kind = known.kind or _told_by(config) or stated.kind
    if kind is None:
        raise InputError(
            f"model {reference!r} is a {architecture!r}, which may predict depth or inverse depth: nothing in it says which",
            hint="say it: --kind affine-invariant-inverse-depth (MiDaS and the like) or --kind metric-depth; kind= in Python",
        )
    spec = ModelSpec(
        name=name,
        kind=kind,
        summary=f"a checkpoint of {architecture}",
        weights=weights,
        licence="unknown: see its page",
        commercial=Commercial.UNCLEAR,
        engines=("torch", "openvino"),
        scale_needs_focal=known.rests_on_focal,
        network=f"leadline.models.{known.family}.net:network",
        prompted=known.prompted,
        says_uncertainty=False,
        extra="transformers",
        packages=_PACKAGES,
    )
    return _unless_contradicted(spec, stated, "its configuration says so")


def _weights(reference: str) -> Weights:
    folder = Path(reference).expanduser()
    if folder.is_dir():
        return Weights(f"folder:{folder}")
    match = _HUB.fullmatch(reference)
    if match is None:
        raise InputError(
            f"{reference!r} is no ORG/NAME of the Hugging Face hub and no folder that is here",
            hint="write hf:ORG/NAME, hf:ORG/NAME@REVISION, or the path of a checkpoint",
        )
    return Weights(f"hf:{match['repo']}", revision=match["revision"] or "")


def _listed(weights: Weights) -> ModelSpec | None:
    for spec in MODELS.sound():
        if weights.scheme == "hf" and spec.weights.source == weights.source:
            return replace(
                spec, weights=replace(spec.weights, revision=weights.revision or spec.weights.revision)
            )
    return None


def _config(path: Path) -> Mapping[str, Any]:
    try:
        config = json.loads(path.read_text("utf-8"))
        if not isinstance(config, dict):
            raise ValueError("it is no object")
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"{str(path)!r} is no configuration of a model ({error})", hint="fetch the checkpoint again"
        ) from error
    return config


def _known(architecture: str, reference: str) -> _Architecture:
    if architecture in _REFUSED:
        raise InputError(
            f"model {reference!r} is a {architecture!r}: {_REFUSED[architecture]}", hint="use a depth model"
        )
    if architecture not in _KNOWN:
        raise InputError(
            f"model {reference!r} is of architecture {architecture or 'none'!r}, which is no depth model that is known",
            hint=f"known: {', '.join(_KNOWN)}",
        )
    return _KNOWN[architecture]


def _told_by(config: Mapping[str, Any]) -> Kind | None:
    if config.get("model_type") != "depth_anything":
        return None
    return Kind() if config.get("depth_estimation_type", "relative") == "metric" else _INVERSE_AFFINE


def _unless_contradicted(spec: ModelSpec, stated: Stated, why: str) -> ModelSpec:
    if stated.kind is not None and stated.kind != spec.kind:
        raise InputError(
            f"model {spec.name!r} predicts {spec.kind} ({why}); it cannot be told to be {stated.kind}",
            hint="leave the kind out",
        )
    return spec
