"""Scores models on a dataset: every image once, rows on disk as they come, figures at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, TypeAlias

from leadline._version import __version__
from leadline.core.errors import DatasetError, InputError, KindError, LeadlineError
from leadline.core.results import ModelRecord
from leadline.flows.corridor import Corridor
from leadline.flows.data.choosing import options_said
from leadline.flows.data.collection import Collection
from leadline.flows.data.opening import open_dataset
from leadline.flows.evaluate.judging import judge
from leadline.flows.evaluate.ledger import Identity, Ledger
from leadline.flows.evaluate.protocol import Protocol
from leadline.flows.evaluate.protocol_files import default_protocol, load_protocol
from leadline.flows.evaluate.records import Evaluation, Judged, Row
from leadline.flows.evaluate.request import EvaluateRequest
from leadline.flows.evaluate.row_files import write_csv, write_parquet
from leadline.flows.evaluate.sources import Answered, FileSource, ModelSource, Seen, Source, split_predictions
from leadline.flows.evaluate.summary import compare, summarise
from leadline.flows.model import open_model
from leadline.flows.naming import resolve_model
from leadline.io.prediction_cache import PredictionCache, predictions_folder, prune
from leadline.plugins.need import has

__all__ = ["Begun", "Event", "Listener", "Noted", "Planned", "plan", "run"]


@dataclass(frozen=True, slots=True)
class Begun:
    """A model's turn begins.

    Args:
        model: Its name.
        total: Samples.
        there: Samples that were scored before.
    """

    model: str
    total: int
    there: int


@dataclass(frozen=True, slots=True)
class Noted:
    """Something to be told.

    Args:
        text: One sentence.
    """

    text: str


Event: TypeAlias = Begun | Row | Noted
Listener: TypeAlias = Callable[[Event], None]
Choices: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """What an evaluation will do: samples and protocol are settled, nothing is predicted yet.

    Args:
        collection: The samples.
        protocol: How they are scored.
    """

    collection: Collection
    protocol: Protocol


def plan(request: EvaluateRequest) -> Planned:
    """Opens the dataset as the protocol wants it, and chooses the samples.

    Args:
        request: What is asked for.

    Returns:
        Samples and protocol.

    Raises:
        UnknownName: No protocol, field or dataset has such a name.
        InputError: The protocol is for another dataset, or fixes an option otherwise than is asked.
        DatasetError: There is nothing there.
    """
    said = options_said(request.option)
    opened = open_dataset(request.data, options=said)
    layout = opened.spec.name
    protocol = load_protocol(
        request.protocol or default_protocol(layout, said), dataset=layout, options=said, changes=request.changed
    )
    if protocol.dataset not in ("", "any", layout):
        raise InputError(
            f"protocol {protocol.name!r} is for {protocol.dataset}, and {request.data!r} is {layout}",
            hint="choose another protocol, or take this one for any data: --set dataset=any",
        )
    for key, value in protocol.options.items():
        if str(said.get(key, value)) != value:
            raise InputError(
                f"protocol {protocol.name!r} scores {key}={value}, and {key}={said[key]} is asked for",
                hint="leave the option out, or choose another protocol",
            )
    if protocol.options:
        opened = open_dataset(request.data, options={**said, **protocol.options})
    return Planned(_chosen(request, opened), protocol)


def _chosen(request: EvaluateRequest, opened: Collection) -> Collection:
    ids: list[str] = []
    if request.ids is not None:
        try:
            ids = [line.strip() for line in request.ids.read_text("utf-8").splitlines() if line.strip()]
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{str(request.ids)!r} cannot be read ({error})", hint="check the path") from error
        if not ids:
            raise InputError(f"{str(request.ids)!r} names no sample", hint="write one id a line")
    chosen = opened.select(split=request.split, ids=ids, first=request.first)
    if request.spread is not None:
        chosen = chosen.spread(request.spread)
    if not len(chosen):
        raise DatasetError(f"{request.data!r} holds no sample", hint="'leadline data info' shows what was found")
    return chosen


def run(
    request: EvaluateRequest,
    *,
    on_event: Listener | None = None,
    on_judged: Callable[[Judged], None] | None = None,
    lacks: Callable[[ModelRecord, str], bool] | None = None,
) -> Evaluation:
    """Scores every model on every sample.

    What is scored is on disk at once; a run that was stopped goes on where it was, and scores no image twice. A sample that
    cannot be read, has no truth that counts or no prediction is skipped with its reason; it is tried again by the next run.

    Args:
        request: What is asked for.
        on_event: Called in this thread when a model's turn begins, a row is there, or something is to be told.
        on_judged: Called in this thread with every sample scored in this run while it is in memory.
        lacks: Asked with a model and the id of a sample that was scored before whether the listener is without it; it is then
            scored once more, so that the listener gets it too.

    Returns:
        The evaluation; its folder holds the rows, the tables and the report.

    Raises:
        KindError: A model predicts what the protocol cannot score; before anything is predicted.
        InputError: As ``plan``; or the folder holds another evaluation, or not one image could be scored.
        LeadlineError: As opening datasets and models, and running them.
    """
    tell = on_event or _tell_nobody
    planned = plan(request)
    ledger = Ledger(request.out, Identity.of(planned.protocol, planned.collection))
    with ExitStack() as stack:
        sources = [stack.enter_context(source) for source in _sources(request, planned, tell)]
        for source, _ in sources:
            planned.protocol.check(source.kind, who=repr(source.record.name))
        rows: list[Row] = []
        for source, choices in sources:
            with ledger.rows_of(source.record, choices, again=request.again) as file:
                missing = _missing(planned.collection, file.rows, partial(lacks, source.record) if lacks else _has)
                tell(Begun(source.record.name, len(planned.collection), len(planned.collection) - len(missing)))
                for judged in _judged(planned, source, missing, request.batch):
                    file.add(judged.row if isinstance(judged, Judged) else judged)
                    tell(judged.row if isinstance(judged, Judged) else judged)
                    if isinstance(judged, Judged) and on_judged is not None:
                        on_judged(judged)
                rows += [file.rows[entry.id] for entry in planned.collection.entries]
        evaluation = _evaluation(request, planned, tuple(source.record for source, _ in sources), tuple(rows))
        _write(request, ledger, evaluation, tell)
    if not request.no_cache:
        prune(predictions_folder(), limit_bytes=int(request.cache_gb * 1e9))
    return evaluation


def _tell_nobody(_: object) -> None:
    """The listener of those who do not listen."""


Opened: TypeAlias = tuple[Source, Choices]


def _sources(
    request: EvaluateRequest, planned: Planned, tell: Listener
) -> Iterator[Any]:
    for name in request.asked_models:
        yield _model_source(request, planned, name)
    for text in request.predictions:
        yield _file_source(request, planned, text, tell)


@contextmanager
def _model_source(request: EvaluateRequest, planned: Planned, name: str) -> Iterator[Opened]:
    spec = resolve_model(name, stated=request.stated)
    planned.protocol.check(spec.kind, who=f"model {spec.name!r}")
    if spec.prompted:
        raise InputError(f"model {spec.name!r} needs a prompt with each photo", hint="score its files: --predictions")
    tta = tuple(dict.fromkeys([*request.tta, *(["flip"] if planned.protocol.flip else [])]))
    inputs = request.stated.inputs
    choices = {**inputs, "tta": ",".join(tta), "stated": _stated_words(request)}
    with open_model(
        spec, engine=request.engine, threads=request.threads, device=request.device, inputs=inputs, tta=tta
    ) as model:
        cache = None if request.no_cache else PredictionCache(predictions_folder(), model.record, choices=choices)
        yield ModelSource(model, cache), choices


def _stated_words(request: EvaluateRequest) -> str:
    said = request.stated
    return " ".join(str(part) for part in (said.kind, said.unit, said.height, said.width, said.mean, said.std, said.layout))


@contextmanager
def _file_source(request: EvaluateRequest, planned: Planned, text: str, tell: Listener) -> Iterator[Opened]:
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
        tell(Noted(f"{name}: {_some(source.missing)} of {len(planned.collection)} samples have no file"))
    if source.extra:
        tell(Noted(f"{name}: {_some([path.name for path in source.extra])} files belong to no sample"))
    yield source, {"kind": request.kind, "scale": str(request.stored_step)}


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{len(names)} ({shown}{' …' if len(names) > 3 else ''})"


def _has(_: str) -> bool:
    """Of a listener that is without nothing that was scored before."""
    return False


def _missing(collection: Collection, rows: Mapping[str, Row], lacks: Callable[[str], bool]) -> list[int]:
    """Places of the samples without a score, or whose score the listener lacks."""
    return [
        place
        for place, entry in enumerate(collection.entries)
        if entry.id not in rows or rows[entry.id].skipped or lacks(entry.id)
    ]


def _judged(planned: Planned, source: Source, places: list[int], batch: int) -> Iterator[Judged | Row]:
    """What came of every sample: decoding, network and scoring overlap, and only a few samples are in memory."""
    collection, protocol = planned.collection, planned.protocol
    entries = collection.entries

    def read(place: int) -> Seen:
        return source.look(entries[place], collection[place])

    def score(place: int, answered: Answered) -> Judged:
        sample = answered.sample
        source.keep(answered)
        verdict = judge(answered.depth, sample.truth, protocol)
        row = Row(
            source.record.name,
            sample.id,
            sample.scene,
            verdict.scores,
            answered.time_s,
            verdict.profile,
            remarks=verdict.remarks,
        )
        return Judged(sample, source.record, verdict.prediction, verdict.depth, row)

    size = _pixels(collection)
    corridor: Corridor[int, Seen, Answered, Judged] = Corridor(
        load=read,
        work=source.answer,
        save=score,
        size=lambda _: size,
        alike=Seen.alike,
        spares=(InputError, DatasetError, KindError),
        batch=batch,
        room=16_000_000,
        save_room=8_000_000,
    )
    for outcome in corridor.run(places):
        if outcome.saved is not None:
            yield outcome.saved
        else:
            entry = entries[outcome.item]
            yield Row(source.record.name, entry.id, entry.scene, {}, skipped=_reason(outcome.error))


def _pixels(collection: Collection) -> int:
    """Pixels of a photo of the set, for knowing how many fit into memory."""
    try:
        image = collection[0].image
    except DatasetError:
        return 1_000_000
    return image.width * image.height


def _reason(error: Exception | None) -> str:
    return error.message if isinstance(error, LeadlineError) else str(error)


def _evaluation(
    request: EvaluateRequest, planned: Planned, models: tuple[ModelRecord, ...], rows: tuple[Row, ...]
) -> Evaluation:
    if all(row.skipped for row in rows):
        raise InputError(
            f"not one of {len(rows)} images could be scored: {rows[0].skipped}", hint="mend that and run it again"
        )
    summaries = summarise(rows, planned.protocol)
    comparisons = compare(rows, planned.protocol)
    return Evaluation(request.out, planned.protocol, request.data, models, rows, summaries, comparisons)


def _write(request: EvaluateRequest, ledger: Ledger, evaluation: Evaluation, tell: Listener) -> None:
    write_csv(evaluation.rows, request.out / "rows.csv")
    if has("pyarrow"):
        write_parquet(evaluation.rows, request.out / "rows.parquet")
    ledger.write_manifest(
        {
            "leadline": __version__,
            "protocol": asdict(evaluation.protocol),
            "data": evaluation.dataset,
            "models": [record.to_dict() for record in evaluation.models],
        }
    )
