"""What every engine that runs ONNX files must do. Each check takes the engine, and an empty folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from leadline.core.errors import EngineError
from leadline.plugins.ports import Engine, EngineOptions, Session
from leadline.testing.graphs import brightness_depth, brightness_spec, write_brightness
from leadline.testing.scenes import noise_photo

__all__ = ["ENGINE_CHECKS"]

SIZES = ((1, 1), (1, 400), (37, 53), (37, 53), (48, 64))


def _open(engine: Engine, folder: Path, *, threads: int = 0, device: str = "auto") -> Session:
    path = write_brightness(folder / "brightness.onnx")
    options = EngineOptions(threads, device)
    return engine.open(brightness_spec(path), weights=path, options=options)


def is_an_engine(engine: Engine, folder: Path) -> None:
    """It fulfils the port, names its devices, and says what runs and where."""
    assert isinstance(engine, Engine), f"{engine!r} has no open and devices"
    assert engine.devices(), "it has no device"
    session = _open(engine, folder)
    assert isinstance(session, Session), f"{session!r} has no description, run and close"
    assert session.description, "it does not say what runs"


def answers_in_closed_form(engine: Engine, folder: Path) -> None:
    """Photos of mixed sizes in one call, each answered at its own size, by its own focal length, in order."""
    photos = [noise_photo(*size, seed=k, f_px=50.0 + 10 * k) for k, size in enumerate(SIZES)]
    answers = _open(engine, folder).run(photos)
    assert len(answers) == len(photos), f"{len(answers)} answers for {len(photos)} photos"
    for photo, answer in zip(photos, answers, strict=True):
        depth = answer.values
        assert depth.dtype == np.float32, f"{depth.dtype} is not float32"
        assert depth.shape == (photo.height, photo.width), f"{depth.shape} for {photo}"
        error = float(np.abs(depth / brightness_depth(photo) - 1).max())
        assert error < 1e-5, f"{photo} is off by {error:.1e}"
    assert _open(engine, folder).run([]) == [], "no photo gives an answer"


def runs_on_every_device_and_number_of_threads(engine: Engine, folder: Path) -> None:
    """The numbers do not depend on where and how they are worked out."""
    photo = noise_photo(20, 30)
    for device in ("auto", *engine.devices()):
        for threads in (0, 1, 2):
            (answer,) = _open(engine, folder, threads=threads, device=device).run([photo])
            error = float(np.abs(answer.values / brightness_depth(photo) - 1).max())
            assert error < 1e-3, f"{device} with {threads} threads is off by {error:.1e}"


def refuses_what_it_cannot_do(engine: Engine, folder: Path) -> None:
    """A device that is not there, a file that is no model, a session that is closed: each an EngineError."""
    good = write_brightness(folder / "brightness.onnx")
    bad = folder / "bad.onnx"
    bad.write_bytes(good.read_bytes()[:40])
    session = _open(engine, folder)
    session.close()
    attempts: tuple[tuple[str, Callable[[], object]], ...] = (
        ("a device that is not there", lambda: _open(engine, folder, device="abacus")),
        ("half a file", lambda: engine.open(brightness_spec(bad), weights=bad, options=EngineOptions())),
        ("a closed session", lambda: session.run([noise_photo(2, 2)])),
    )
    for what, attempt in attempts:
        try:
            attempt()
        except EngineError:
            continue
        raise AssertionError(f"{what} was no EngineError")


ENGINE_CHECKS: tuple[Callable[[Engine, Path], None], ...] = (
    is_an_engine,
    answers_in_closed_form,
    runs_on_every_device_and_number_of_threads,
    refuses_what_it_cannot_do,
)
