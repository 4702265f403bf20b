"""Models there are: listing, registering, fetching, timing."""

from __future__ import annotations

import json
import os
import shlex
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, pip_line
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.flows.model import open_model
from leadline.flows.naming import registered, resolve_model
from leadline.flows.terms import fetched, is_here, size_words, terms
from leadline.flows.typed import size_of
from leadline.io.atomic import write_whole
from leadline.io.weights import CachedWeights, cache_folder, cached, pull, size_on_disk
from leadline.io.weights import clear as clear_cache
from leadline.plugins.need import has
from leadline.plugins.registry import MODELS
from leadline.plugins.specs import Commercial, ModelSpec, Stated, Weights

__all__ = [
    "CachedWeights",
    "ModelRow",
    "Speed",
    "cached",
    "clear",
    "list_models",
    "measure",
    "model_row",
    "model_rows",
    "pull_model",
    "register_model",
    "told_of_model",
]

PHOTO_HEIGHT, PHOTO_WIDTH = 480, 640
"""The photo that models are timed on."""

_PROMPT_HEIGHT, _PROMPT_WIDTH = 192, 256


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast a model was on this machine.

    Args:
        time_ms: Median milliseconds for one 640x480 photo, processing included.
        engine: What ran it.
        threads: CPU threads asked for; 0 where the engine chose.
        version: The model's version.
    """

    time_ms: float
    engine: str
    threads: int
    version: str


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model as a list shows it.

    Args:
        spec: The model.
        origin: The package it comes from; empty for what a reference names.
        here: Whether its weights are on this machine.
        missing: Packages it needs that are not installed.
        speed: How fast it was here, where that was measured.
        asked: What was typed for it, where that was no name: a path or a reference.
    """

    spec: ModelSpec
    origin: str
    here: bool
    missing: tuple[str, ...]
    speed: Speed | None
    asked: str = ""

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
            "speed": None if self.speed is None else asdict(self.speed),
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
    whole, speeds = fetched(), _speeds()
    return tuple(
        _row(spec, MODELS.origin(spec.name), whole, speeds)
        for spec in MODELS.sound()
        if (random_too or spec.weights.scheme != "code")
        and (not commercial_ok or spec.commercial is Commercial.YES)
    )


def model_row(name: str, *, kind: str = "", unit: str = "", input_size: str = "") -> ModelRow:
    """One model as a list shows it, by its name or by a reference.

    Args:
        name: As ``open_model`` takes it.
        kind: What it predicts, where it does not say so itself.
        unit: Unit of an ONNX file's output: ``"m"``, ``"cm"``, ``"mm"``.
        input_size: ``HEIGHTxWIDTH`` of an ONNX file's input, where its shape leaves it open.

    Returns:
        The row.

    Raises:
        UnknownName: No model has that name.
        InputError: It is no reference that can be followed, or its kind must be stated.
    """
    height, width = size_of(input_size)
    stated = Stated(Kind.parse(kind) if kind else None, unit, height, width)
    spec = resolve_model(name, stated=stated)
    row = _row(spec, "", fetched(), _speeds())
    return replace(row, origin=MODELS.origin(name)) if name in MODELS.names() else replace(row, asked=name)


def told_of_model(row: ModelRow) -> list[tuple[str, str]]:
    """What is known of a model, in words.

    Args:
        row: The model.

    Returns:
        Pairs of what is told and the words; what is not known is left out.
    """
    spec = row.spec
    weights = replace(spec.weights, size_bytes=spec.weights.size_bytes or size_on_disk(spec.weights))
    size = size_words(weights) or ("size unknown" if weights.scheme == "hf" else "")
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
        (
            "speed here",
            "" if row.speed is None else f"{row.speed.time_ms:.0f} ms for 640x480, {row.speed.engine}",
        ),
        ("scale", "metres rest on the focal length: say --fov or --focal" if spec.scale_needs_focal else ""),
        ("inputs", "; ".join(f"{o.name} [{o.default}]: {o.help}" for o in spec.options)),
        ("notice", spec.notice),
        (
            "needs",
            f"{', '.join(row.missing)}: {pip_line(extra=spec.extra, install=spec.install)}"
            if row.missing
            else "",
        ),
        ("from", row.origin or "what was named: it is in no list"),
        ("try", f"leadline predict photo.jpg --model {shlex.quote(row.asked or spec.name)}"),
    ]
    return [(what, words) for what, words in told if words]


def _row(spec: ModelSpec, origin: str, whole: set[str], speeds: dict[str, Speed]) -> ModelRow:
    return ModelRow(
        spec,
        origin,
        is_here(spec, whole=whole),
        tuple(package for package in spec.packages if not has(package)),
        speeds.get(_speed_key(spec)),
    )


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
        spec = registered(name)
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


def measure(name: str, *, threads: int = 0, times: int = 12) -> Speed:
    """Times a model on this machine and remembers the result for lists.

    Args:
        name: The model.
        threads: CPU threads; 0 lets the engine choose.
        times: Photos that are timed, after two that are not.

    Returns:
        The median.

    Raises:
        InputError: ``times`` is below 1, or the model runs elsewhere.
        UnknownName: No model has that name.
        OutputError: The result cannot be kept.
    """
    if times < 1:
        raise InputError(f"times = {times} measures nothing", hint="give at least 1")
    spec = resolve_model(name)
    if spec.weights.scheme == "remote":
        raise InputError(
            f"model {name!r} runs elsewhere: timing it would cost money and say nothing of this machine",
            hint="name another model",
        )
    noise = np.random.default_rng(0).integers(0, 256, (PHOTO_HEIGHT, PHOTO_WIDTH, 3), np.uint8)
    photo = Image.from_array(noise)
    with open_model(spec, threads=threads) as model:
        prompts = (_floor(model.spec.kind),) if model.spec.prompted else ()
        spent = [model.infer([photo], prompts=prompts)[1] for _ in range(times + 2)][2:]
        speed = Speed(1000 * statistics.median(spent), model.record.engine, threads, model.spec.version)
        kept = _read_speeds()
        kept[_speed_key(model.spec)] = asdict(speed)
    with write_whole(_speeds_file()) as part:
        part.write_text(json.dumps(kept, indent=1))
    return speed


def _floor(kind: Kind) -> DepthMap:
    """A prompt to time prompted models with: what a phone's LiDAR gives."""
    rows = np.linspace(3, 1, _PROMPT_HEIGHT, dtype=np.float32)
    return DepthMap(np.repeat(rows[:, None], _PROMPT_WIDTH, 1), kind)


def _speeds_file() -> Path:
    return cache_folder().parent / "speeds.json"


def _speed_key(spec: ModelSpec) -> str:
    return f"{spec.name} {spec.version} {os.cpu_count()}"


def _read_speeds() -> dict[str, Any]:
    try:
        kept = json.loads(_speeds_file().read_text())
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _speeds() -> dict[str, Speed]:
    found: dict[str, Speed] = {}
    for key, values in _read_speeds().items():
        try:
            found[key] = Speed(**values)
        except TypeError:
            # Written by another version: measured again when somebody asks.
            continue
    return found
