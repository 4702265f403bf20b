"""What is installed, what is missing, and what to type."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

from leadline._version import __version__
from leadline.core.errors import LeadlineError, pip_line
from leadline.flows.engine_choice import choose_engine
from leadline.flows.models import model_rows
from leadline.io.machine import this_machine
from leadline.io.measurements import measurements_file, read_measurements
from leadline.io.weights import cache_folder, cached, fingerprint, locate
from leadline.plugins.need import has
from leadline.plugins.ports import EngineOptions
from leadline.plugins.registry import DATASETS, ENGINES, EXPORTERS, MODELS, REFERENCES, Registry, load
from leadline.plugins.specs import EngineSpec, ModelSpec

__all__ = ["AutoChoice", "Diagnosis", "EngineState", "Extra", "Package", "diagnose"]

_REQUIREMENT = re.compile(
    r"^(?P<name>[\w.-]+)(?:\[(?P<extras>[\w,. -]+)\])?[^;]*(?:;.*extra\s*==\s*['\"](?P<extra>[\w.-]+)['\"])?"
)
_FOR_WORKING_ON_LEADLINE = "dev"


@dataclass(frozen=True, slots=True)
class Package:
    """A package leadline uses.

    Args:
        name: Its name on PyPI.
        version: The version that is installed; empty where none is.
    """

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Extra:
    """An extra of leadline.

    Args:
        name: Such as ``"heif"``.
        packages: What it brings.
        line: What to type where some are missing; empty where all are there.
    """

    name: str
    packages: tuple[Package, ...]
    line: str


@dataclass(frozen=True, slots=True)
class EngineState:
    """An engine on this machine.

    Args:
        name: Its name.
        devices: Devices it has here.
        problem: Why it cannot be used; empty where it can.
        remote: Whether it runs models elsewhere.
    """

    name: str
    devices: tuple[str, ...]
    problem: str
    remote: bool = False


@dataclass(frozen=True, slots=True)
class AutoChoice:
    """What ``--engine auto`` would take for a model.

    Args:
        model: A model that is here.
        engine: The engine.
        why: In a few words.
    """

    model: str
    engine: str
    why: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The state of an installation.

    Args:
        leadline: Version of leadline.
        python: Version of Python.
        system: Operating system and machine.
        cores: Logical processors.
        packages: What the base install brings.
        extras: The extras.
        engines: The engines.
        auto: What ``--engine auto`` would take for each model that is here, with no other option given.
        machine: The hardware, in words.
        measurements: The store of what was measured.
        measured: How many figures it holds.
        measurements_problem: What is wrong with it; empty where nothing is.
        plugins: Third-party entries, as ``"model 'x' of package"``.
        problems: Plugins that cannot be used, and why.
        cache: Folder of downloaded weights.
        cache_bytes: Bytes in it.
    """

    leadline: str
    python: str
    system: str
    cores: int
    packages: tuple[Package, ...]
    extras: tuple[Extra, ...]
    engines: tuple[EngineState, ...]
    auto: tuple[AutoChoice, ...]
    machine: str
    measurements: str
    measured: int
    measurements_problem: str
    plugins: tuple[str, ...]
    problems: tuple[str, ...]
    cache: str
    cache_bytes: int

    @property
    def well(self) -> bool:
        """Whether the base install is complete, an engine runs here and no plugin is broken."""
        base = all(package.version for package in self.packages)
        here = any(engine.devices and not engine.remote for engine in self.engines)
        return base and here and not self.problems

    def to_dict(self) -> dict[str, Any]:
        """The state as plain JSON values."""
        return {**asdict(self), "well": self.well}


def diagnose() -> Diagnosis:
    """Looks at what is installed. Nothing is changed and nothing is fetched.

    Returns:
        The state.

    Example:
        >>> diagnose().leadline == __version__
        True
    """
    wanted = _wanted()
    plugins, problems = _plugins()
    kept = read_measurements()
    return Diagnosis(
        __version__,
        platform.python_version(),
        f"{platform.system()} {platform.release()} {platform.machine()}",
        os.cpu_count() or 1,
        tuple(_package(name) for name in wanted.pop("", ())),
        tuple(_extra(name, packages) for name, packages in wanted.items()),
        tuple(_engine(spec) for spec in ENGINES.sound()),
        tuple(_auto(row.spec) for row in model_rows() if row.where == "here" and not row.missing),
        this_machine().words,
        str(measurements_file()),
        len(kept.rows),
        kept.problem,
        plugins,
        problems,
        str(cache_folder()),
        sum(entry.size_bytes for entry in cached()),
    )


def _wanted() -> dict[str, tuple[str, ...]]:
    """What leadline's own metadata asks for, by extra; ``""`` is the base. Extras of extras are written out."""
    direct: dict[str, list[tuple[str, str]]] = {"": []}
    for line in requires("leadline") or ():
        found = _REQUIREMENT.match(line)
        if found is not None:
            direct.setdefault(found["extra"] or "", []).append((found["name"], found["extras"] or ""))
    direct.pop(_FOR_WORKING_ON_LEADLINE, None)
    return {extra: tuple(dict.fromkeys(_spread(extra, direct))) for extra in direct}


def _spread(extra: str, direct: dict[str, list[tuple[str, str]]]) -> Iterator[str]:
    for name, extras in direct.get(extra, ()):
        if name == "leadline":
            for other in extras.split(","):
                yield from _spread(other.strip(), direct)
        else:
            yield name


def _package(name: str) -> Package:
    try:
        return Package(name, version(name))
    except PackageNotFoundError:
        return Package(name, "")


def _extra(name: str, wanted: tuple[str, ...]) -> Extra:
    packages = tuple(_package(package) for package in wanted)
    complete = all(package.version for package in packages)
    return Extra(name, packages, "" if complete else f"pip install 'leadline[{name}]'")


def _engine(spec: EngineSpec) -> EngineState:
    missing = [package for package in spec.packages if not has(package)]
    if missing:
        line = pip_line(extra=spec.extra, install=spec.install)
        return EngineState(spec.name, (), f"needs {', '.join(missing)}: {line}")
    try:
        return EngineState(spec.name, tuple(load(spec.adapter)().devices()), "", spec.remote)
    except (LeadlineError, ImportError, OSError) as error:
        return EngineState(spec.name, (), f"cannot start: {error}")


def _auto(spec: ModelSpec) -> AutoChoice:
    def weights_sha256() -> str:
        return spec.weights.sha256 or fingerprint(locate(spec.weights, name=spec.name))

    try:
        choice = choose_engine(spec, options=EngineOptions(), weights_sha256=weights_sha256)
    except LeadlineError as error:
        return AutoChoice(spec.name, spec.engines[0], str(error))
    return AutoChoice(spec.name, choice.engine, choice.why)


def _plugins() -> tuple[tuple[str, ...], tuple[str, ...]]:
    found: list[str] = []
    problems: list[str] = []
    registries: tuple[Registry[Any], ...] = (MODELS, ENGINES, EXPORTERS, DATASETS, REFERENCES)
    for registry in registries:
        origins = {spec.name: registry.origin(spec.name) for spec in registry.sound()}
        found += [
            f"{registry.called} {name!r} of {where}" for name, where in origins.items() if where != "leadline"
        ]
        problems += registry.problems.values()
    return tuple(found), tuple(problems)
