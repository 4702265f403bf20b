"""Which engine runs a model where nobody says: what was measured on this machine decides, else a fixed order.

Nothing is timed here. The rule:

1. Engines that cannot do it are passed over: those the model does not name, whose packages are missing, that have not the
   precision that was asked for, or not the device. If one is left, it is taken.
2. Of the figures in the store, those count that are *current*: of this machine, of these versions, of these very weights, and
   of the precision, the way to compile, the device and the number of threads that are asked for.
3. Where at least two engines were measured with photos of one size and in batches of one size, the one with the fewest
   milliseconds a photo is taken; of several such sets the one with most engines, then the smallest batch, then the newest.
   Engines within ``TIE`` of the fastest are equal, and the order decides between them.
4. Else the order decides: that in which the model names its engines (``leadline models show NAME``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version

from leadline._version import __version__
from leadline.core.errors import LeadlineError
from leadline.io.machine import Machine, this_machine
from leadline.io.measurements import Measurement, read_measurements
from leadline.plugins.need import has
from leadline.plugins.ports import EngineOptions
from leadline.plugins.registry import ENGINES, load
from leadline.plugins.specs import EngineSpec, ModelSpec

__all__ = ["AUTO", "TIE", "Choice", "asked_of", "choose_engine", "current", "usable", "versions_of"]

AUTO = "auto"
"""The engine's name where leadline is to choose."""

TIE = 0.03
"""Engines whose figures differ by less than this share are equal: runs differ by as much."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine, and why it was taken.

    Args:
        engine: Its name.
        why: In a few words.
    """

    engine: str
    why: str


def asked_of(options: EngineOptions, *, machine: Machine) -> tuple[str, str, str, int]:
    """What is asked for, with what ``auto`` and 0 can only mean on this machine.

    Args:
        options: As an engine is given them.
        machine: Where.

    Returns:
        Precision, way to compile, device, number of threads.

    Example:
        >>> asked_of(EngineOptions(threads=2), machine=Machine("A", 2, 0, (), "Linux"))
        ('fp32', 'auto', 'cpu', 2)
    """
    device = "cpu" if options.device == "auto" and not machine.gpus else options.device
    precision = "fp32" if options.precision == "auto" and device == "cpu" else options.precision
    threads = options.threads or int(load("leadline.engines.threads:physical_cores")())
    return precision, options.compile, device, threads


def choose_engine(spec: ModelSpec, *, options: EngineOptions, weights_sha256: Callable[[], str]) -> Choice:
    """The engine that runs a model where nobody says.

    Args:
        spec: The model.
        options: What is asked of the engine.
        weights_sha256: Gives what tells the model's weights from all others; called only where figures may decide.

    Returns:
        The engine. It is the model's first one where none can do what is asked for, so that this one says why.
    """
    able = usable(spec, options)
    if not able:
        return Choice(spec.engines[0], "the model's first; none can do all that is asked for")
    if len(able) == 1:
        return Choice(able[0], "the only one that can")
    rows = [row for row in read_measurements().rows if row.model == spec.name and row.engine in able]
    if len({row.engine for row in rows}) > 1:
        rows = current(rows, spec, options=options, weights_sha256=weights_sha256())
        best = _fullest(rows)
        if len(best) > 1:
            return _fastest(best, able)
    return Choice(able[0], "first of the model's order; not measured here against another")


def usable(spec: ModelSpec, options: EngineOptions) -> tuple[str, ...]:
    """The engines that can run a model as it is asked for, in the model's order.

    Args:
        spec: The model.
        options: What is asked of the engine.

    Returns:
        Their names. Only where a device is named are engines asked for their devices, which loads them.
    """
    return tuple(name for name in spec.engines if name in ENGINES.names() and _able(name, options))


def _able(name: str, options: EngineOptions) -> bool:
    engine = ENGINES.get(name)
    if not all(has(package) for package in engine.packages):
        return False
    if options.precision != "auto" and options.precision not in engine.precisions:
        return False
    if options.device in ("auto", "cpu") or engine.remote:
        return True
    try:
        there: Sequence[str] = load(engine.adapter)().devices()
    except (LeadlineError, ImportError, OSError):
        return False
    return options.device.partition(":")[0] in there


def current(
    rows: Sequence[Measurement], spec: ModelSpec, *, options: EngineOptions | None, weights_sha256: str
) -> list[Measurement]:
    """The measurements that still say something of a model on this machine.

    Args:
        rows: What the store holds.
        spec: The model.
        options: What is asked for; None for figures of any way of running it.
        weights_sha256: What tells its weights from all others; empty where that is not known, and then the place that they
            are from must be the same.

    Returns:
        Those of this machine, these versions, these weights and these options.
    """
    machine = this_machine()
    asked = None if options is None else asked_of(options, machine=machine)
    return [
        row
        for row in rows
        if row.model == spec.name
        and row.machine == machine.key
        and _same_weights(row, spec, weights_sha256)
        and asked in (None, (row.precision, row.compile, row.device, row.threads))
        and row.engine in ENGINES.names()
        and row.versions == versions_of(spec, ENGINES.get(row.engine))
    ]


def _same_weights(row: Measurement, spec: ModelSpec, weights_sha256: str) -> bool:
    known = weights_sha256 or spec.weights.sha256
    return row.weights_sha256 == known if known else row.source == spec.weights.source


def _fullest(rows: Sequence[Measurement]) -> dict[str, Measurement]:
    """Of the sets of figures that may be compared, the one that decides: by engine."""
    sets: dict[tuple[str, int], dict[str, Measurement]] = {}
    for row in rows:
        sets.setdefault((row.size, row.batch), {})[row.engine] = row
    if not sets:
        return {}
    return max(
        sets.values(),
        key=lambda found: (
            len(found),
            -next(iter(found.values())).batch,
            max(row.measured for row in found.values()),
        ),
    )


def _fastest(figures: dict[str, Measurement], able: Sequence[str]) -> Choice:
    least_ms = min(row.ms for row in figures.values())
    equal = [name for name in able if name in figures and figures[name].ms <= least_ms * (1 + TIE)]
    taken = figures[equal[0]]
    others = ", ".join(f"{name} {row.ms:.3g} ms" for name, row in figures.items() if name != taken.engine)
    how = "as fast as any" if len(equal) > 1 else "the fastest"
    return Choice(taken.engine, f"{how} that was measured: {taken.ms:.3g} ms a photo; {others}")


def versions_of(spec: ModelSpec, engine: EngineSpec) -> dict[str, str]:
    """The versions that a figure depends on: of leadline, and of what the engine and the model need.

    Args:
        spec: The model.
        engine: The engine.

    Returns:
        Versions by package; empty where a package does not say.

    Example:
        >>> from leadline.plugins.registry import MODELS
        >>> sorted(versions_of(MODELS.get("leadline-indoor-small"), ENGINES.get("onnxruntime")))
        ['leadline', 'onnxruntime']
    """
    packages = dict.fromkeys((*engine.packages, *spec.packages))
    return {"leadline": __version__, **{name: _version(name) for name in packages}}


@lru_cache(maxsize=64)
def _version(package: str) -> str:
    """The version of the distribution that brings an import name: onnxruntime comes in several."""
    try:
        return version(package)
    except PackageNotFoundError:
        names = packages_distributions().get(package.split(".")[0], [])
        return version(names[0]) if names else ""
