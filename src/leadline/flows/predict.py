"""Depth for photos: files, folders, lists, addresses. Decoding, inference and encoding overlap."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError, LeadlineError, MissingExtra
from leadline.core.image import Image
from leadline.core.results import Answer
from leadline.flows.corridor import Corridor, Outcome
from leadline.flows.inputs import check_inputs, inputs_of
from leadline.flows.model import Model, open_model
from leadline.flows.naming import resolve_model
from leadline.flows.outputs import Outputs, Planned
from leadline.flows.predict_request import PredictRequest
from leadline.flows.prompts import Prompts
from leadline.flows.report import Failed, Fetching, Listener, Made, Predicted, Report, Skipped, Started
from leadline.flows.sessions import check_needs
from leadline.flows.terms import is_here, terms
from leadline.io.calibrations import read_calibration
from leadline.io.images import read_image
from leadline.io.peek import pixel_count
from leadline.io.sources import Photo, find_photos
from leadline.ops.calibration import Calibration
from leadline.plugins.ports import ExportOptions
from leadline.plugins.registry import EXPORTERS
from leadline.plugins.specs import Commercial, ModelSpec

__all__ = ["PredictRequest", "run"]


def run(request: PredictRequest, *, on_event: Listener | None = None, opened: Sequence[Model] = ()) -> Report:
    """Predicts depth for photos and writes it.

    A photo that cannot be used is reported and the rest is done; any other error ends the run. Files appear whole or
    not at all, and what is finished stays, whatever happens.

    Args:
        request: What to do.
        on_event: Called in this thread before weights are fetched, when the run starts, and when a photo is done, skipped or
            failed.
        opened: Models that are open already, to be used instead of the request's, and left open.

    Returns:
        What was done.

    Raises:
        InputError: No photo was found, or the calibration is another model's.
        UnknownName: No model, format, engine or input has a name that was given.
        KindError: A format cannot hold what a model predicts.
        MissingExtra: A package that is needed is not installed.
        WeightsError: Weights are not here, cannot be fetched, or are damaged.
        EngineError: The engine failed.
        OutputError: A file cannot be written.
    """
    tell = on_event or _tell_nobody
    specs = [model.spec for model in opened] or _specs(request)
    for name in request.all_formats:
        EXPORTERS.get(name)
    photos = find_photos(request.sources, recursive=request.recursive)
    options = ExportOptions(request.colours)
    prompts = Prompts(request.prompt, scale=request.prompt_scale, models=specs, photos=photos)
    calibration = None if request.calibration is None else read_calibration(request.calibration)
    shown = specs if calibration is None else [replace(spec, kind=calibration.result) for spec in specs]
    outputs = Outputs(
        request.out, formats=request.all_formats, models=shown, options=options, looks=request.tta
    )
    for spec in () if opened else specs:
        check_needs(spec, request.engine)
    for spec in () if opened else specs:
        if spec.weights.scheme != "remote" and not is_here(spec):
            tell(Fetching(spec.name, terms(spec)))
    with nullcontext(list(opened)) if opened else _opened(request, specs, calibration) as models:
        said = [spec.notice for spec in specs if spec.notice]
        notices = tuple(dict.fromkeys([*said, *(remark for model in models for remark in model.remarks)]))
        tell(Started(len(photos), tuple(model.record for model in models), notices))
        start_s = time.perf_counter()
        order = {photo: place for place, photo in enumerate(photos)}
        tasks, skipped = _tasks(photos, outputs, skip=request.skip_existing)
        for skip in skipped:
            tell(skip)
        done: list[tuple[int, Predicted]] = []
        failed: list[tuple[int, Failed]] = []
        for outcome in _corridor(request, models, outputs, prompts).run(tasks):
            place = order[outcome.item.photo]
            if outcome.saved is not None:
                done.append((place, outcome.saved))
                tell(outcome.saved)
            else:
                failed.append((place, _failed(outcome)))
                tell(failed[-1][1])
        return Report(
            request.out,
            tuple(model.record for model in models),
            tuple(event for _, event in sorted(done, key=lambda pair: pair[0])),
            tuple(skipped),
            tuple(event for _, event in sorted(failed, key=lambda pair: pair[0])),
            time.perf_counter() - start_s,
            _new(models, notices),
        )


def _new(models: Sequence[Model], notices: Sequence[str]) -> tuple[str, ...]:
    """What models remark at the end and did not at the beginning."""
    remarks = dict.fromkeys(remark for model in models for remark in model.remarks)
    return tuple(remark for remark in remarks if remark not in notices)


@dataclass(frozen=True, slots=True)
class _Task:
    photo: Photo
    planned: tuple[Planned, ...]


@dataclass(frozen=True, slots=True)
class _Shown:
    """A photo, and the prompt that goes with it where there is one."""

    image: Image
    prompt: DepthMap | None

    def alike(self, other: _Shown) -> bool:
        """Whether the two may go through a network together."""
        return self.image.rgb_HW3.shape == other.image.rgb_HW3.shape


@dataclass(frozen=True, slots=True)
class _Raw:
    """A photo with every model's answer and the seconds each took."""

    image: Image
    answers: tuple[Answer, ...]
    times_s: tuple[float, ...]


def _tell_nobody(_: object) -> None:
    """The listener of those who do not listen."""


def _specs(request: PredictRequest) -> list[ModelSpec]:
    specs = [resolve_model(name, stated=request.stated) for name in dict.fromkeys(request.models)]
    for spec in specs:
        if request.commercial_ok and spec.commercial is not Commercial.YES:
            raise InputError(
                f"model {spec.name!r} is not cleared for commercial use: {spec.commercial.value} ({spec.licence})",
                hint="'leadline models --commercial-ok' lists those that are",
            )
    return specs


@contextmanager
def _opened(
    request: PredictRequest, specs: Sequence[ModelSpec], calibration: Calibration | None
) -> Iterator[list[Model]]:
    inputs = request.stated.inputs
    check_inputs(inputs, specs)
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                open_model(
                    spec,
                    engine=request.engine,
                    threads=request.threads,
                    device=request.device,
                    inputs=inputs_of(spec, inputs),
                    tta=request.tta,
                    precision=request.precision,
                    compile=request.compile,
                    tile=request.tile,
                    calibration=calibration,
                    int8_photos=request.int8_photos,
                    fallback=request.fallback,
                )
            )
            for spec in specs
        ]


def _tasks(photos: Sequence[Photo], outputs: Outputs, *, skip: bool) -> tuple[list[_Task], list[Skipped]]:
    tasks: list[_Task] = []
    skipped: list[Skipped] = []
    for photo in photos:
        may_skip = skip and photo.source != "-"  # what comes through a pipe has no name to know it by
        planned = [file for file in outputs.plan(photo) if not (may_skip and outputs.made(file))]
        if planned:
            tasks.append(_Task(photo, tuple(planned)))
        else:
            skipped.append(Skipped(photo.source))
    return tasks, skipped


def _corridor(
    request: PredictRequest, models: Sequence[Model], outputs: Outputs, prompts: Prompts
) -> Corridor[_Task, _Shown, _Raw, Predicted]:
    def read(task: _Task) -> _Shown:
        source = task.photo.source
        outputs.protect(task.planned)
        try:
            image = read_image(
                source, fov_deg=request.fov_deg, focal_px=request.focal_px, max_pixels=request.max_pixels
            )
            for model in models:
                image = model.seen(image)
            return _Shown(image, prompts.of(task.photo))
        except MemoryError as error:
            raise InputError(f"{source!r} does not fit into memory", hint="make the photo smaller") from error

    def infer(shown: Sequence[_Shown]) -> list[_Raw]:
        images = [one.image for one in shown]
        theirs = [one.prompt for one in shown if one.prompt is not None]
        answers = [model.infer(images, prompts=theirs if model.spec.prompted else ()) for model in models]
        return [
            _Raw(image, tuple(arrays[k] for arrays, _ in answers), tuple(time_s for _, time_s in answers))
            for k, image in enumerate(images)
        ]

    def write(task: _Task, raw: _Raw) -> Predicted:
        predictions = [
            model.pack(raw.image, answer, time_s)
            for model, answer, time_s in zip(models, raw.answers, raw.times_s, strict=True)
        ]
        written = outputs.write(task.planned, predictions)
        return Predicted(task.photo.source, written, tuple(map(Made.of, predictions)))

    elsewhere = any(_elsewhere(model.spec) for model in models)
    return Corridor(
        load=read,
        work=infer,
        save=write,
        size=lambda task: pixel_count(task.photo.source) * len(models),
        alike=_Shown.alike,
        spares=(InputError, KindError, MissingExtra),
        # A kind that a remote model's answer cannot be is the same for every photo, and every photo would be paid for.
        work_spares=(InputError,) if elsewhere else (InputError, KindError),
        batch=_batch(request, models),
    )


def _batch(request: PredictRequest, models: Sequence[Model]) -> int:
    if any(_elsewhere(model.spec) for model in models):
        return 1
    return request.batch or min(model.batch for model in models)


def _elsewhere(spec: ModelSpec) -> bool:
    """Whether it runs on other machines, to which photos go one by one, so that none is sent again for its neighbour."""
    return spec.weights.scheme == "remote"


def _failed(outcome: Outcome[_Task, Predicted]) -> Failed:
    error = outcome.error
    assert isinstance(error, LeadlineError)
    return Failed(outcome.item.photo.source, str(error), error.code, error)
