"""Who is scored: models, and folders of depth files; settled before any is opened."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from leadline._version import __version__
from leadline.core.errors import InputError
from leadline.core.kind import Kind
from leadline.core.results import ModelRecord
from leadline.flows.evaluate.planning import Planned
from leadline.flows.evaluate.request import EvaluateRequest
from leadline.flows.evaluate.sources import FileSource, ModelSource, Source, split_predictions
from leadline.flows.inputs import check_inputs, inputs_of
from leadline.flows.model import open_model
from leadline.flows.naming import resolve_model
from leadline.flows.sessions import check_needs
from leadline.flows.terms import notices_of
from leadline.io.prediction_cache import PredictionCache, predictions_folder
from leadline.io.sources import find_photos
from leadline.plugins.specs import ModelSpec

__all__ = ["Candidate", "Choices", "Opened", "candidates_of"]

Choices: TypeAlias = Mapping[str, str]
Opened: TypeAlias = tuple[Source, Choices]
"""A source, and what decides its numbers besides its record."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One that is to be scored, not opened yet.

    Args:
        name: What its rows are signed with.
        kind: What its predictions are.
        notes: What is to be said before it is opened: cost, size and terms of weights, missing files.
        open: Opens it.
        remote: Whether its photos are sent elsewhere, so that none is sent for nothing.
    """

    name: str
    kind: Kind
    notes: tuple[str, ...]
    open: Callable[[], AbstractContextManager[Opened]]
    remote: bool = False


def candidates_of(request: EvaluateRequest, planned: Planned) -> tuple[Candidate, ...]:
    """Those that are scored, models first. Nothing is fetched or loaded yet.

    Args:
        request: What is asked for.
        planned: Samples and protocol.

    Returns:
        Candidates of different names, each of a kind that the protocol can score.

    Raises:
        KindError: One predicts what the protocol cannot score.
        InputError: A model needs prompts, files cannot be what the protocol wants, or two bear one name.
        UnknownName: There is no such model, or no model has an input that was given.
    """
    specs = [resolve_model(name, stated=request.stated) for name in request.asked_models]
    check_inputs(request.stated.inputs, specs)
    found = [_of_model(request, planned, spec) for spec in specs]
    found += [_of_files(request, planned, text) for text in request.predictions]
    for one in found:
        planned.protocol.check(one.kind, who=repr(one.name))
    twice = [name for name, count in Counter(one.name for one in found).items() if count > 1]
    if twice:
        raise InputError(
            f"two of those to be scored are called {twice[0]!r}",
            hint="name folders (--predictions NAME=FOLDER), or rename a file",
        )
    return tuple(found)


def _of_model(request: EvaluateRequest, planned: Planned, spec: ModelSpec) -> Candidate:
    if spec.prompted:
        raise InputError(
            f"model {spec.name!r} needs a prompt with each photo", hint="score its files: --predictions"
        )
    check_needs(spec, request.engine)
    remote = spec.weights.scheme == "remote"
    return Candidate(
        spec.name, spec.kind, notices_of(spec), lambda: _open_model(request, planned, spec), remote=remote
    )


@contextmanager
def _open_model(request: EvaluateRequest, planned: Planned, spec: ModelSpec) -> Iterator[Opened]:
    tta = tuple(dict.fromkeys([*request.tta, *(["flip"] if planned.protocol.flip else [])]))
    inputs = inputs_of(spec, request.stated.inputs)
    choices = {
        **{option.name: str(option.default) for option in spec.options},
        **inputs,
        "tta": ",".join(tta),
        "spec": _decided(spec),
        "int8_photos": _photos(request),
        "leadline": __version__,
    }
    with open_model(
        spec,
        engine=request.engine,
        threads=request.threads,
        device=request.device,
        inputs=inputs,
        tta=tta,
        precision=request.precision,
        int8_photos=request.int8_photos,
    ) as model:
        yield ModelSource(model, _cache(request, model.record, choices)), choices


def _photos(request: EvaluateRequest) -> str:
    """The photos that int8 is calibrated on: other ones make other numbers."""
    stats = (
        [(photo.source, Path(photo.source)) for photo in find_photos(request.int8_photos)]
        if request.int8_photos
        else []
    )
    return " ".join(
        f"{name}:{path.stat().st_size}:{path.stat().st_mtime_ns}" for name, path in stats if path.is_file()
    )


def _cache(request: EvaluateRequest, record: ModelRecord, choices: Choices) -> PredictionCache | None:
    if request.no_cache:
        return None
    limit = int(request.cache_gb * 1e9)
    return PredictionCache(predictions_folder(), record, choices=choices, limit_bytes=limit)


def _decided(spec: ModelSpec) -> str:
    """What a spec says that changes numbers: what they mean, and what is done before and after the network."""
    decides = (spec.kind, spec.processing, spec.network, spec.scale_needs_focal, spec.weights.revision)
    return hashlib.sha256(repr(decides).encode()).hexdigest()


def _of_files(request: EvaluateRequest, planned: Planned, text: str) -> Candidate:
    if planned.protocol.flip:
        raise InputError(
            f"protocol {planned.protocol.name!r} averages with the mirrored image, which files cannot",
            hint="average before you write them, and score with --set flip=false",
        )
    name, folder = split_predictions(text)
    entries, kind = planned.collection.entries, request.stated.kind
    source = FileSource(name, folder, entries=entries, kind=kind, scale=request.stored_step)
    notes = []
    if source.missing:
        notes.append(f"{name}: {_some(source.missing)} of {len(entries)} samples have no file")
    if source.extra:
        notes.append(f"{name}: {_some([path.name for path in source.extra])} files belong to no sample")
    choices = {"kind": request.kind, "scale": str(request.stored_step), "leadline": __version__}
    return Candidate(name, source.kind, tuple(notes), lambda: _ready(source, choices))


@contextmanager
def _ready(source: Source, choices: Choices) -> Iterator[Opened]:
    yield source, choices


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{len(names)} ({shown}{' …' if len(names) > 3 else ''})"
