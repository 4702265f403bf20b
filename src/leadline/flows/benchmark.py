"""How fast models are on this machine: a process a variant, rounds in which each has its turn, one store of what came out."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from leadline.core.errors import InputError, LeadlineError
from leadline.core.kind import Kind
from leadline.flows.benchmark_request import PIPELINE, BenchmarkRequest
from leadline.flows.engine_choice import AUTO, asked_of
from leadline.flows.measuring.keeping import check_out, save
from leadline.flows.measuring.order import Order, Runner, Variant
from leadline.flows.measuring.photos import Album, fill_album
from leadline.flows.measuring.process import begin as begin_process
from leadline.flows.measuring.report import BenchmarkReport, with_ratios
from leadline.flows.measuring.trial import Trial
from leadline.flows.models import model_rows
from leadline.flows.naming import resolve_model
from leadline.io.atomic import output_error
from leadline.io.machine import load_average, this_machine
from leadline.io.weights import fingerprint, locate
from leadline.plugins.need import has
from leadline.plugins.ports import EngineOptions
from leadline.plugins.registry import ENGINES
from leadline.plugins.specs import ModelSpec, Stated

__all__ = ["BenchmarkReport", "BenchmarkRequest", "Step", "run", "save"]


@dataclass(frozen=True, slots=True)
class Step:
    """How far a benchmark is.

    Args:
        done: Turns that are done.
        total: Turns there are.
        what: What comes next, in words.
    """

    done: int
    total: int
    what: str


Listener = Callable[[Step], None]
Begin = Callable[[Order], Runner]


def run(
    request: BenchmarkRequest, *, on_step: Listener | None = None, begin: Begin = begin_process
) -> BenchmarkReport:
    """Measures models on this machine. ``save`` keeps what came out.

    All variants of a model are open at once, each in a process of its own, and have their turns in rounds, so that a machine
    that grows slower is slower for all. A variant that cannot be run is a row with the reason. Ctrl-C ends it early: the
    report then holds what was measured until then.

    Args:
        request: What to measure.
        on_step: Is told how far it is.
        begin: What opens a variant; a process of its own unless tests say otherwise.

    Returns:
        The report.

    Raises:
        UnknownName: No model or engine has a name that was given.
        InputError: No photo was found, there is nothing to measure, or a model or engine runs elsewhere.
        OutputError: The file for the results holds something else, or there is no room for the photos.
    """
    groups = [[Trial(variant) for variant in _variants(spec, request)] for spec in _specs(request)]
    check_out(request.out)
    began, load = datetime.now(UTC).isoformat(timespec="seconds"), load_average()
    count = _Count(sum(map(len, groups)) * request.rounds, on_step)
    with _photos(request) as album:
        complete = _measured(groups, album, request, count, begin)
    return BenchmarkReport(
        began=began,
        machine=this_machine(),
        python=platform.python_version(),
        photos=album.source,
        size=album.size,
        rounds=request.rounds,
        seconds=request.seconds,
        load=load,
        complete=complete,
        rows=tuple(row for group in groups for row in with_ratios([trial.row() for trial in group])),
    )


def _options(request: BenchmarkRequest, precision: str, compiled: str) -> EngineOptions:
    photos = request.int8_photos if precision == "int8" else ()
    return EngineOptions(request.threads, request.device, {}, precision, compiled, photos)


def _precisions(request: BenchmarkRequest) -> list[str]:
    """The precisions, once each, ``auto`` by what it can only mean here."""
    asked = [EngineOptions(request.threads, request.device, {}, name) for name in request.precisions]
    return list(dict.fromkeys(asked_of(options, machine=this_machine())[0] for options in asked))


@contextmanager
def _photos(request: BenchmarkRequest) -> Iterator[Album]:
    with TemporaryDirectory(prefix="leadline-benchmark-", ignore_cleanup_errors=True) as folder:
        least = max(request.batch_sizes)
        try:
            album = fill_album(Path(folder), sources=request.photos, size=request.picture_size, least=least)
        except OSError as error:
            if isinstance(error, LeadlineError):
                raise
            raise output_error(Path(folder), error) from error
        yield album


def _specs(request: BenchmarkRequest) -> list[ModelSpec]:
    stated = Stated(kind=Kind.parse(request.kind) if request.kind else None)
    here = [row.spec.name for row in model_rows() if row.here and not row.missing]
    specs = [resolve_model(name, stated=stated) for name in dict.fromkeys(request.models or here)]
    for spec in specs:
        if spec.weights.scheme == "remote":
            raise InputError(
                f"model {spec.name!r} runs elsewhere: timing it would cost money and say nothing of this machine",
                hint="name another model",
            )
    for name in request.engines:
        if name != AUTO and ENGINES.get(name).remote:
            raise InputError(f"engine {name!r} runs models elsewhere", hint="name another engine")
    return specs


def _variants(spec: ModelSpec, request: BenchmarkRequest) -> list[Variant]:
    names = [name for name in spec.engines if not ENGINES.get(name).remote]
    engines = dict.fromkeys(each for name in request.engines for each in (names if name == AUTO else [name]))
    ways = product(engines, _precisions(request), dict.fromkeys(request.compiles), request.batch_sizes)
    variants = [
        Variant(spec, engine, _options(request, precision, compiled), batch)
        for engine, precision, compiled, batch in ways
    ]
    if request.against:
        options = EngineOptions(request.threads, request.device, {}, "fp32", "no")
        variants.append(Variant(spec, PIPELINE, options, 1))
    return variants


def _measured(
    groups: Sequence[Sequence[Trial]], album: Album, request: BenchmarkRequest, count: _Count, begin: Begin
) -> bool:
    """Measures all, model by model; whether that came to its end."""
    try:
        for group in groups:
            try:
                _open(group, album, request, count, begin)
                _rounds(group, album, request, count)
            finally:
                for trial in group:
                    trial.close()
    except KeyboardInterrupt:
        return False
    return True


def _open(
    group: Sequence[Trial], album: Album, request: BenchmarkRequest, count: _Count, begin: Begin
) -> None:
    """Starts all variants of a model, its weights having been fetched."""
    reason = weights = ""
    try:
        weights = _weights(group[0].variant.spec)
    except LeadlineError as error:
        reason = str(error)
    for trial in group:
        count.next(f"{trial.variant.words}: starting")
        trial.weights_sha256, trial.reason = weights, reason
        if not reason:
            _attempt(trial, lambda: trial.open(album.files, starts=request.starts, begin=begin))  # noqa: B023
        if trial.reason:
            count.did(request.rounds)


def _rounds(group: Sequence[Trial], album: Album, request: BenchmarkRequest, count: _Count) -> None:
    """Every variant has its turn in every round; who is first changes, so that none always follows the same one."""
    for number in range(request.rounds):
        first = number % len(group)
        for trial in (*group[first:], *group[:first]):
            if trial.runner is None:
                continue
            count.next(trial.variant.words)
            _attempt(trial, lambda: trial.turn(seconds=request.seconds, photos=len(album.files)))  # noqa: B023
            count.did(1 if not trial.reason else request.rounds - number)


def _attempt(trial: Trial, work: Callable[[], None]) -> None:
    """Does something with a variant; where that fails, its row says why and the others go on."""
    try:
        work()
    except LeadlineError as error:
        trial.reason = str(error)
        trial.close()


def _weights(spec: ModelSpec) -> str:
    """Fetches a model's weights, so that no start is timed with a download in it, and says what tells them from others."""
    if not all(has(package) for package in spec.packages):
        return spec.weights.sha256
    return spec.weights.sha256 or fingerprint(locate(spec.weights, name=spec.name))


@dataclass(slots=True)
class _Count:
    """How many turns are done."""

    total: int
    tell: Listener | None
    done: int = 0

    def next(self, what: str) -> None:
        """Says what comes next."""
        if self.tell is not None:
            self.tell(Step(self.done, self.total, what))

    def did(self, turns: int) -> None:
        """Counts turns that are done, or will never be."""
        self.done += turns
