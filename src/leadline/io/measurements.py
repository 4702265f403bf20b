"""The one store of what was measured on this machine: a JSON file beside the cache of weights."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from leadline.core.errors import InputError
from leadline.io.atomic import write_whole
from leadline.io.weights import cache_folder

__all__ = ["Kept", "Measurement", "forget_damaged", "keep", "measurements_file", "read_measurements"]

FORMAT_VERSION = 1
_NUMBERS = ("ms", "ms_low", "ms_high", "photos_per_s", "start_s")


@dataclass(frozen=True, slots=True)
class Measurement:
    """How one model did in one way of running it, on one machine.

    Args:
        model: The model's name.
        source: Where its weights are from.
        weights_sha256: What tells the weights from all others.
        engine: The engine's name.
        ran: What ran, and where, as the record of a prediction says it.
        precision: What was asked for; ``fp32`` for ``auto`` where only a CPU can be meant.
        compile: What was asked for.
        device: What was asked for; ``cpu`` for ``auto`` where there is nothing else.
        threads: CPU threads.
        batch: Photos that went through together.
        size: Of the photos, as text: ``"640x480"``.
        ms: Median milliseconds a photo, pre- and post-processing included.
        ms_low: 10th percentile.
        ms_high: 90th percentile.
        photos_per_s: From photo files to 16-bit PNG files, median over rounds; 0 where that was not measured.
        start_s: A new process until its first photo is predicted.
        memory_bytes: The most main memory the process held; None where the system does not tell.
        gpu_memory_bytes: The most memory of the graphics processor; None where none was used.
        machine: Key of the machine.
        versions: Versions of what ran, by package.
        measured: When, as ISO 8601 in UTC.
        busy: Whether the machine had other work.
    """

    model: str
    source: str
    weights_sha256: str
    engine: str
    ran: str
    precision: str
    compile: str
    device: str
    threads: int
    batch: int
    size: str
    ms: float
    ms_low: float
    ms_high: float
    photos_per_s: float
    start_s: float
    memory_bytes: int | None
    gpu_memory_bytes: int | None
    machine: str
    versions: dict[str, str] = field(default_factory=dict)
    measured: str = ""
    busy: bool = False

    def way(self) -> tuple[object, ...]:
        """What a newer measurement must share to take this one's place."""
        return (
            self.model,
            self.source,
            self.weights_sha256,
            self.engine,
            self.precision,
            self.compile,
            self.device,
            self.threads,
            self.batch,
            self.size,
            self.machine,
        )

    def to_dict(self) -> dict[str, Any]:
        """The measurement as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: object) -> Measurement:
        """Reads what ``to_dict`` wrote.

        Args:
            values: A JSON object.

        Returns:
            The measurement.

        Raises:
            InputError: Something is missing, or is not of its type.
        """
        names = {each.name for each in fields(cls)}
        if not isinstance(values, dict) or set(values) != names:
            raise InputError("a measurement has other fields than are known", hint="measure again")
        sound = (
            all(_is_number(values[name]) for name in _NUMBERS)
            and all(isinstance(values[name], int) for name in ("threads", "batch"))
            and all(isinstance(values[name], str) for name in ("model", "engine", "machine", "measured"))
            and all(_is_number(values[name], none_too=True) for name in ("memory_bytes", "gpu_memory_bytes"))
            and isinstance(values["versions"], dict)
        )
        if not sound:
            raise InputError(f"a measurement of {values['model']!r} holds no figures", hint="measure again")
        return cls(**values)


def _is_number(value: object, *, none_too: bool = False) -> bool:
    if value is None:
        return none_too
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store holds.

    Args:
        rows: The measurements that can be read.
        problem: What is wrong with the file, in words; empty where nothing is.
    """

    rows: tuple[Measurement, ...]
    problem: str = ""


def measurements_file() -> Path:
    """Where measurements are kept: beside the cache of weights."""
    return cache_folder().parent / "measurements.json"


def read_measurements() -> Kept:
    """What was measured so far, on this machine or on others that share the folder.

    Returns:
        The measurements. A damaged file gives those that can be read, and says so; it is not an error.
    """
    path = measurements_file()
    try:
        data = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return Kept(())
    except (OSError, ValueError) as error:
        return Kept((), _damaged(path, str(error)))
    if not isinstance(data, dict) or not isinstance(data.get("rows"), list):
        return Kept((), _damaged(path, "it holds no rows"))
    if data.get("leadline_measurements") != FORMAT_VERSION:
        return Kept((), _damaged(path, f"it is of form {data.get('leadline_measurements')!r}"))
    rows, problem = [], ""
    for values in data["rows"]:
        try:
            rows.append(Measurement.from_dict(values))
        except InputError as error:
            problem = _damaged(path, error.message)
    return Kept(tuple(rows), problem)


def _damaged(path: Path, why: str) -> str:
    return f"the measurements in {str(path)!r} are damaged ({why}); what can be read is used"


def keep(rows: Sequence[Measurement]) -> Path:
    """Puts measurements into the store; each takes the place of an older one of the same way of running.

    Args:
        rows: The measurements.

    Returns:
        The file.

    Raises:
        OutputError: It cannot be written.
    """
    new = {row.way(): row for row in rows}
    old = [row for row in read_measurements().rows if row.way() not in new]
    path = measurements_file()
    data = {
        "leadline_measurements": FORMAT_VERSION,
        "rows": [row.to_dict() for row in (*old, *new.values())],
    }
    with write_whole(path) as part:
        part.write_text(json.dumps(data, indent=1) + "\n", "utf-8")
    return path


def forget_damaged() -> Path:
    """Moves a damaged store aside, so that it can be looked at and nothing of it is lost.

    Returns:
        Where it is now.

    Raises:
        OutputError: It cannot be moved.
    """
    path = measurements_file()
    aside = path.with_suffix(".damaged.json")
    with write_whole(aside) as part:
        os.replace(path, part)
    return aside
