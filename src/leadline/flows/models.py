"""Models there are: listing, registering, fetching."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from leadline.core.errors import InputError, pip_line
from leadline.core.kind import Kind
from leadline.flows.engine_choice import current
from leadline.flows.naming import resolve_model
from leadline.flows.terms import fetched, is_here, size_words, terms
from leadline.io.measurements import Measurement, read_measurements
from leadline.io.weights import CachedWeights, cached, pull
from leadline.io.weights import clear as clear_cache
from leadline.plugins.need import has
from leadline.plugins.registry import MODELS
from leadline.plugins.specs import Commercial, ModelSpec, Stated, Weights

__all__ = [
    "CachedWeights",
    "ModelRow",
    "cached",
    "clear",
    "list_models",
    "model_row",
    "model_rows",
    "pull_model",
    "register_model",
    "told_of_model",
]


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model as a list shows it.

    Args:
        spec: The model.
        origin: The package it comes from.
        here: Whether its weights are on this machine.
        missing: Packages it needs that are not installed.
        measured: How fast it was here at best, one photo at a time, where that was measured.
    """

    spec: ModelSpec
    origin: str
    here: bool
    missing: tuple[str, ...]
    measured: Measurement | None

    @property
    def where(self) -> str:
        """``"here"``, ``"not here"``, or ``"elsewhere"`` for models that run on other machines."""
        if self.spec.weights.scheme == "remote":
            return "elsewhere"
        return "here" if self.here else "not here"

    def to_dict(self) -> dict[str, Any]:
        """The row as plain JSON values."""
        spec = self.spec
        return {
            "name": spec.name,
            "kind": str(spec.kind),
            "summary": spec.summary,
            "size_bytes": spec.weights.size_bytes,
            "revision": spec.weights.revision,
            "gated": spec.weights.gated,
            "licence": spec.licence,
            "commercial": spec.commercial.value,
            "engines": list(spec.engines),
            "version": spec.version,
            "paper": spec.paper,
            "good_for": spec.good_for,
            "step_up": spec.step_up,
            "origin": self.origin,
            "here": self.here,
            "missing": list(self.missing),
            "extra": spec.extra,
            "install": spec.install,
            "measured": None if self.measured is None else self.measured.to_dict(),
        }


def list_models(*, commercial_ok: bool = False) -> tuple[ModelSpec, ...]:
    """The models there are, without those of random weights that exist for tests.

    Args:
        commercial_ok: Only those whose weights allow commercial use.

    Returns:
        Their specs, built-ins first.

    Example:
        >>> [model.name for model in list_models()][0]
        'leadline-indoor-small'
    """
    return tuple(row.spec for row in model_rows(commercial_ok=commercial_ok))


def model_rows(*, commercial_ok: bool = False, random_too: bool = False) -> tuple[ModelRow, ...]:
    """The models there are, as a list shows them.

    Args:
        commercial_ok: Only those whose weights allow commercial use.
        random_too: Also those of random weights.

    Returns:
        One row a model.
    """
    whole, measured = fetched(), read_measurements().rows
    return tuple(
        _row(spec, MODELS.origin(spec.name), whole, measured)
        for spec in MODELS.sound()
        if (random_too or spec.weights.scheme != "code")
        and (not commercial_ok or spec.commercial is Commercial.YES)
    )


def model_row(name: str, *, kind: str = "") -> ModelRow:
    """One model as a list shows it, by its name or by a reference.

    Args:
        name: As ``open_model`` takes it.
        kind: What it predicts, where it does not say so itself.

    Returns:
        The row.

    Raises:
        UnknownName: No model has that name.
        InputError: It is no reference that can be followed, or its kind must be stated.
    """
    spec = resolve_model(name, stated=Stated(kind=Kind.parse(kind) if kind else None))
    origin = MODELS.origin(name) if name in MODELS.names() else "this reference"
    return _row(spec, origin, fetched(), read_measurements().rows)


def told_of_model(row: ModelRow) -> list[tuple[str, str]]:
    """What is known of a model, in words.

    Args:
        row: The model.

    Returns:
        Pairs of what is told and the words; what is not known is left out.
    """
    spec = row.spec
    unknown = "size unknown" if spec.weights.scheme == "hf" else ""
    size = size_words(spec.weights) or unknown
    told = [
        ("name", spec.name),
        ("predicts", f"{spec.kind} ({spec.kind.words})"),
        ("what", spec.summary),
        ("good for", spec.good_for),
        ("for more", spec.step_up),
        ("weights", ", ".join(filter(None, (size, row.where, spec.weights.source)))),
        ("revision", spec.weights.revision or ("the newest" if spec.weights.scheme == "hf" else "")),
        ("licence", f"{spec.licence}; commercial use: {spec.commercial.value}"),
        (
            "gated",
            "accept its terms at its page first, and set HF_TOKEN" if spec.weights.gated else "",
        ),
        ("paper", spec.paper),
        ("engines", ", ".join(spec.engines)),
        ("speed here", _speed(row.measured)),
        ("scale", "metres rest on the focal length: say --fov or --focal" if spec.scale_needs_focal else ""),
        ("inputs", "; ".join(f"{o.name} [{o.default}]: {o.help}" for o in spec.options)),
        ("notice", spec.notice),
        ("needs", pip_line(extra=spec.extra, install=spec.install) if row.missing else ""),
        ("from", row.origin),
        ("try", f"leadline predict photo.jpg --model {spec.name}"),
    ]
    return [(what, words) for what, words in told if words]


def _row(spec: ModelSpec, origin: str, whole: set[str], measured: Sequence[Measurement]) -> ModelRow:
    return ModelRow(
        spec,
        origin,
        is_here(spec, whole=whole),
        tuple(package for package in spec.packages if not has(package)),
        _best(measured, spec),
    )


def _best(measured: Sequence[Measurement], spec: ModelSpec) -> Measurement | None:
    """The figures of the fastest way that was measured; of those of the smallest batch, which is one as a rule."""
    rows = current(measured, spec, options=None, weights_sha256="")
    return min(rows, key=lambda row: (row.batch, row.ms), default=None)


def _speed(row: Measurement | None) -> str:
    if row is None:
        return ""
    memory = "" if row.memory_bytes is None else f", {row.memory_bytes / 1e6:.0f} MB"
    busy = ", measured while the machine had other work" if row.busy else ""
    return f"{row.ms:.3g} ms for {row.size}, {row.ran}, {row.precision}{memory}{busy}"


def register_model(spec: ModelSpec) -> None:
    """Makes a model of your own known by its name, in this process.

    Args:
        spec: The model; its weights may be ``file:PATH`` of an ONNX file.

    Raises:
        InputError: The name is taken.
    """
    MODELS.add(spec.name, spec, origin="this program")


def pull_model(name: str, *, told: Callable[[str], None] | None = None) -> Path:
    """Fetches a model's weights, so that it works without a network.

    Args:
        name: The model, or ``hf:ORG/NAME``.
        told: Is told, before anything is fetched, how much it is and on what terms.

    Returns:
        Where they are.

    Raises:
        UnknownName: No model has that name.
        InputError: Its weights stay where they are.
        WeightsError: They cannot be fetched, or are damaged.
    """
    spec, weights = _to_pull(name)
    if weights.scheme == "remote":
        raise InputError(f"model {name!r} runs elsewhere: there is nothing to fetch", hint="use it as it is")
    if told is not None and weights.scheme in ("http", "https", "hf"):
        repo = weights.source.partition(":")[2]
        told(
            terms(spec)
            if spec is not None
            else f"{name}: leadline knows neither its size nor its licence; see https://huggingface.co/{repo}"
        )
    return pull(weights, name=name)


def _to_pull(name: str) -> tuple[ModelSpec | None, Weights]:
    """A model's record, where there is one, and the weights that are asked for."""
    if not name.startswith("hf:"):
        spec = MODELS.get(name)
        return spec, spec.weights
    repo, _, revision = name.removeprefix("hf:").partition("@")
    listed = next((spec for spec in MODELS.sound() if spec.weights.source == f"hf:{repo}"), None)
    if listed is None:
        return None, Weights(f"hf:{repo}", revision=revision)
    return listed, replace(listed.weights, revision=revision or listed.weights.revision)


def clear(name: str | None = None) -> list[CachedWeights]:
    """Removes weights from the cache.

    Args:
        name: Only this model's, or this ``hf:ORG/NAME``'s; None takes all.

    Returns:
        What was removed.

    Raises:
        UnknownName: The cache holds nothing of that model.
    """
    if name in MODELS.names() and MODELS.get(str(name)).weights.scheme == "hf":
        name = MODELS.get(str(name)).weights.source
    return clear_cache(name)
