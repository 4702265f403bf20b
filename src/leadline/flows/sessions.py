"""How a model comes to run in an engine: which one, what must be installed, and which one takes over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from leadline.core.errors import EngineError, MissingExtra
from leadline.flows.engine_choice import AUTO, choose_engine
from leadline.flows.fallback import FallbackSession
from leadline.io.weights import fingerprint, locate
from leadline.plugins.need import has
from leadline.plugins.ports import Engine, EngineOptions, Session
from leadline.plugins.registry import ENGINES, load
from leadline.plugins.specs import EngineSpec, ModelSpec

__all__ = ["check_needs", "opened_session", "settled_engine"]


def check_needs(spec: ModelSpec, engine: str) -> None:
    """Whether all is installed that a model and its engine need. Nothing is fetched or loaded.

    Args:
        spec: The model.
        engine: The engine that is asked for; of ``"auto"``, one of the model's own is enough.

    Raises:
        UnknownName: No engine has that name.
        EngineError: It cannot run this model.
        MissingExtra: The model, or the engine, needs a package that is not installed.
    """
    _check_runs(spec, engine)
    for package in spec.packages:
        if not has(package):
            raise MissingExtra(f"model {spec.name!r}", package, extra=spec.extra, install=spec.install)
    engines = [ENGINES.get(name) for name in (spec.engines if engine == AUTO else (engine,))]
    if not any(all(map(has, one.packages)) for one in engines):
        _need(engines[0])


def _check_runs(spec: ModelSpec, engine: str) -> None:
    if engine not in (AUTO, *spec.engines):
        ENGINES.get(engine)
        raise EngineError(
            f"engine {engine!r} cannot run {spec.name!r}", hint=f"use one of {', '.join(spec.engines)}"
        )


def settled_engine(spec: ModelSpec, options: EngineOptions, *, engine: str, fallback: str = "") -> str:
    """The engine that is to run a model, all that can be known before weights are fetched being checked.

    Args:
        spec: The model.
        options: What is asked of the engine.
        engine: The engine that is asked for; ``"auto"`` leaves it to ``choose_engine``.
        fallback: One that takes over where that one cannot; empty for none.

    Returns:
        The engine's name.

    Raises:
        UnknownName: No engine has one of these names.
        EngineError: It cannot run this model.
        MissingExtra: The model, or the engine, needs a package that is not installed.
    """
    for each in (engine, fallback):
        if each not in ("", AUTO):
            ENGINES.get(each)
    _check_runs(spec, fallback or engine)
    check_needs(spec, AUTO if fallback else engine)
    chosen = _chosen(spec, options) if engine == AUTO else engine
    if not fallback:
        _need(ENGINES.get(chosen))  # before weights are fetched that nothing could run
    return chosen


def opened_session(
    spec: ModelSpec, weights: Path, options: EngineOptions, *, engine: str, fallback: str = ""
) -> Session:
    """Opens a model in an engine.

    Args:
        spec: The model.
        weights: Where its weights are.
        options: What is asked of the engine.
        engine: The engine, as ``settled_engine`` gives it.
        fallback: One that takes over where that one cannot; empty for none.

    Returns:
        The session.

    Raises:
        EngineError: No engine that may can run this model.
        MissingExtra: An engine needs a package that is not installed.
    """

    def first() -> Session:
        _check_runs(spec, engine)
        return _opened_in(engine, spec, weights, options)

    def other() -> Session:
        # Its own precision where it has not the one that was asked for; photos to calibrate on are for the other.
        precision = options.precision if options.precision in ENGINES.get(fallback).precisions else "auto"
        theirs = replace(options, precision=precision, compile="auto", int8_photos=())
        return _opened_in(fallback, spec, weights, theirs)

    return first() if fallback in ("", engine) else FallbackSession(first, other, names=(engine, fallback))


def _opened_in(engine: str, spec: ModelSpec, weights: Path, options: EngineOptions) -> Session:
    engine_spec = ENGINES.get(engine)
    _need(engine_spec)
    adapter: Engine = load(engine_spec.adapter)()
    return adapter.open(spec, weights=weights, options=options)


def _need(engine: EngineSpec) -> None:
    for package in engine.packages:
        if not has(package):
            raise MissingExtra(f"engine {engine.name!r}", package, extra=engine.extra, install=engine.install)


def _chosen(spec: ModelSpec, options: EngineOptions) -> str:
    def weights_sha256() -> str:
        return spec.weights.sha256 or fingerprint(locate(spec.weights, name=spec.name))

    return choose_engine(spec, options=options, weights_sha256=weights_sha256).engine
