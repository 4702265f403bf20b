"""Scores models on a dataset: every image once, rows on disk as they come, figures at the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

from leadline._version import __version__
from leadline.core.errors import InputError
from leadline.core.results import ModelRecord
from leadline.flows.data.collection import Collection
from leadline.flows.evaluate.ledger import Identity, Ledger, RowFile
from leadline.flows.evaluate.opening import candidates_of
from leadline.flows.evaluate.planning import Planned, plan
from leadline.flows.evaluate.records import Evaluation, Judged, Row
from leadline.flows.evaluate.report import write_report
from leadline.flows.evaluate.request import EvaluateRequest
from leadline.flows.evaluate.rereading import Rereader
from leadline.flows.evaluate.row_files import write_csv, write_parquet
from leadline.flows.evaluate.scoring import judged
from leadline.flows.evaluate.sources import Source
from leadline.flows.evaluate.summary import compare, summarise
from leadline.plugins.need import has

__all__ = ["Begun", "Event", "Listener", "Noted", "evaluate", "run"]


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
    candidates = candidates_of(request, planned)
    if {entry.split for entry in planned.collection.entries} == {"train"}:
        tell(
            Noted(
                "all of these samples are of the split train: models that were trained on them look better than they are"
            )
        )
    ledger = Ledger(request.out, Identity.of(planned.protocol, planned.collection))
    rows: list[Row] = []
    sources: list[Source] = []
    try:
        for candidate in candidates:
            for text in candidate.notes:
                tell(Noted(text))
            batch = 1 if candidate.remote else max(1, request.batch)
            with (
                candidate.open() as (source, choices),
                ledger.rows_of(source.record, choices, again=request.again) as file,
            ):
                lacking = partial(lacks, source.record) if lacks else _has
                try:
                    _score(planned, source, file, batch, tell, on_judged or _tell_nobody, lacking)
                finally:
                    entries = planned.collection.entries
                    rows += [file.rows[entry.id] for entry in entries if entry.id in file.rows]
                sources.append(source.left())
    finally:
        _write_tables(request, rows)
    evaluation = _evaluation(request, planned, tuple(source.record for source in sources), tuple(rows))
    _describe(ledger, evaluation)
    if not request.no_report:
        write_report(evaluation, cases=Rereader(planned, sources), path=request.out / "report.html")
    return evaluation


def evaluate(
    data: str,
    *,
    models: Sequence[str] = (),
    predictions: Mapping[str, str | os.PathLike[str]] | None = None,
    protocol: str = "",
    changes: Mapping[str, str | float | bool] | None = None,
    options: Mapping[str, str | float] | None = None,
    first: int | None = None,
    kind: str = "",
    unit: str = "",
    out: str | os.PathLike[str] = "evaluation",
) -> Evaluation:
    """Scores models, or files from elsewhere, on a dataset under a named protocol.

    ``leadline evaluate`` says all that can be chosen; ``leadline.flows.evaluate.run`` takes the same as a request.

    Args:
        data: ``NAME:PATH``, a path whose layout is recognised, or ``"synthetic"``.
        models: Their names; the embedded one where nobody is named.
        predictions: Folders of depth files by the name they shall bear.
        protocol: Its name; the dataset's own where empty.
        changes: Fields of the protocol changed by hand; its name says so.
        options: What the dataset is opened with.
        first: So many samples only.
        kind: What models or bare files hold, where they do not say so.
        unit: Unit of bare files: ``"m"``, ``"cm"``, ``"mm"``.
        out: Folder for rows, tables and the report; a run that was stopped goes on in it.

    Returns:
        The evaluation: ``evaluation.figure("leadline-indoor-small", "abs_rel").mean``.

    Raises:
        LeadlineError: As ``run``.
    """
    request = EvaluateRequest(
        data,
        models=tuple(models),
        predictions=tuple(f"{name}={os.fspath(folder)}" for name, folder in (predictions or {}).items()),
        protocol=protocol,
        changes=tuple(f"{name}={value}" for name, value in (changes or {}).items()),
        option=tuple(f"{name}={value}" for name, value in (options or {}).items()),
        first=first,
        kind=kind,
        unit=unit,
        out=Path(out),
    )
    return run(request)


def _tell_nobody(_: object) -> None:
    """The listener of those who do not listen."""


def _score(
    planned: Planned,
    source: Source,
    file: RowFile,
    batch: int,
    tell: Listener,
    on_judged: Callable[[Judged], None],
    lacks: Callable[[str], bool],
) -> None:
    """Scores what has no score yet, or what the listener lacks."""
    total = len(planned.collection)
    missing = _missing(planned.collection, file.rows, lacks)
    tell(Begun(source.record.name, total, total - len(missing)))
    for one in judged(planned, source, missing, batch=batch):
        row = one.row if isinstance(one, Judged) else one
        file.add(row)
        tell(row)
        if isinstance(one, Judged):
            on_judged(one)
    if source.trouble:
        tell(Noted(f"{source.record.name}: {source.trouble}"))


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


def _evaluation(
    request: EvaluateRequest, planned: Planned, models: tuple[ModelRecord, ...], rows: tuple[Row, ...]
) -> Evaluation:
    if all(row.skipped for row in rows):
        raise InputError(
            f"not one of {len(rows)} images could be scored: {rows[0].skipped}",
            hint="mend that and run it again",
        )
    summaries = summarise(rows, planned.protocol)
    comparisons = compare(rows, planned.protocol)
    chosen = _chosen(planned.collection)
    return Evaluation(
        request.out, planned.protocol, request.data, models, rows, summaries, comparisons, chosen
    )


def _chosen(collection: Collection) -> str:
    """Which samples were scored, in words."""
    splits = "/".join(sorted({entry.split for entry in collection.entries} - {""}))
    whole = len(collection.dataset)
    of = (
        f"{len(collection):,} samples"
        if len(collection) == whole
        else f"{len(collection):,} of {whole:,} samples"
    )
    return f"{of}, split {splits}" if splits else of


def _write_tables(request: EvaluateRequest, rows: Sequence[Row]) -> None:
    """The rows as flat tables; also of a run that was stopped."""
    if rows:
        write_csv(rows, request.out / "rows.csv")
        if has("pyarrow"):
            write_parquet(rows, request.out / "rows.parquet")


def _describe(ledger: Ledger, evaluation: Evaluation) -> None:
    ledger.write_manifest(
        {
            "leadline": __version__,
            "protocol": asdict(evaluation.protocol),
            "data": evaluation.dataset,
            "chosen": evaluation.chosen,
            "models": [record.to_dict() for record in evaluation.models],
        }
    )
