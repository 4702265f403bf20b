"""Opening those who are scored: models, and folders of depth files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TypeAlias

from leadline.core.errors import InputError
from leadline.flows.evaluate.planning import Planned
from leadline.flows.evaluate.request import EvaluateRequest
from leadline.flows.evaluate.sources import FileSource, ModelSource, Source, split_predictions
from leadline.flows.model import open_model
from leadline.flows.naming import resolve_model
from leadline.io.prediction_cache import PredictionCache, predictions_folder

__all__ = ["Choices", "Opened", "sources_of"]

Choices: TypeAlias = Mapping[str, str]
Opened: TypeAlias = tuple[Source, Choices]
"""A source, and what decides its numbers besides its record."""


def sources_of(
    request: EvaluateRequest, planned: Planned, *, note: Callable[[str], None]
) -> Iterator[AbstractContextManager[Opened]]:
    """Who is scored, models first; each is opened when its context is entered.

    Args:
        request: What is asked for.
        planned: Samples and protocol.
        note: Is told what is odd: missing and extra files.

    Yields:
        Contexts of a source and of what else decides its numbers.

    Raises:
        KindError: A model predicts what the protocol cannot score.
        InputError: A model needs prompts, or files cannot be what the protocol wants.
        LeadlineError: As ``open_model``.
    """
    for name in request.asked_models:
        yield _model_source(request, planned, name)
    for text in request.predictions:
        yield _file_source(request, planned, text, note)


@contextmanager
def _model_source(request: EvaluateRequest, planned: Planned, name: str) -> Iterator[Opened]:
    spec = resolve_model(name, stated=request.stated)
    planned.protocol.check(spec.kind, who=f"model {spec.name!r}")
    if spec.prompted:
        raise InputError(
            f"model {spec.name!r} needs a prompt with each photo", hint="score its files: --predictions"
        )
    tta = tuple(dict.fromkeys([*request.tta, *(["flip"] if planned.protocol.flip else [])]))
    inputs = request.stated.inputs
    choices = {**inputs, "tta": ",".join(tta), "stated": _stated_words(request)}
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
        cache = (
            None if request.no_cache else PredictionCache(predictions_folder(), model.record, choices=choices)
        )
        yield ModelSource(model, cache), choices


def _stated_words(request: EvaluateRequest) -> str:
    said = request.stated
    return " ".join(
        str(part)
        for part in (said.kind, said.unit, said.height, said.width, said.mean, said.std, said.layout)
    )


@contextmanager
def _file_source(
    request: EvaluateRequest, planned: Planned, text: str, note: Callable[[str], None]
) -> Iterator[Opened]:
    if planned.protocol.flip:
        raise InputError(
            f"protocol {planned.protocol.name!r} averages with the mirrored image, which files cannot",
            hint="average before you write them, and score with --set flip=false",
        )
    name, folder = split_predictions(text)
    source = FileSource(
        name,
        folder,
        entries=planned.collection.entries,
        kind=request.stated.kind,
        scale=request.stored_step,
    )
    if source.missing:
        note(f"{name}: {_some(source.missing)} of {len(planned.collection)} samples have no file")
    if source.extra:
        note(f"{name}: {_some([path.name for path in source.extra])} files belong to no sample")
    yield source, {"kind": request.kind, "scale": str(request.stored_step)}


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{len(names)} ({shown}{' …' if len(names) > 3 else ''})"
