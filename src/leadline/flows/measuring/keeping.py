"""What becomes of a benchmark's report: a file of results where one is asked for, and the store of measurements."""

from __future__ import annotations

import json
from pathlib import Path

from leadline.core.errors import OutputError
from leadline.flows.benchmark_request import PIPELINE
from leadline.flows.engine_choice import asked_of
from leadline.flows.measuring.report import BenchmarkReport, BenchmarkRow
from leadline.io.atomic import write_whole
from leadline.io.measurements import Measurement, forget_damaged, keep, read_measurements
from leadline.plugins.ports import EngineOptions

__all__ = ["check_out", "measurement_of", "save"]

_MARK = '"leadline_benchmark"'


def check_out(out: Path | None) -> None:
    """Refuses to write over what is no result of a benchmark; one that was cut short is made anew.

    Args:
        out: The file; None where none is wanted.

    Raises:
        OutputError: It holds something else, or cannot be looked at.
    """
    if out is None or not out.exists():
        return
    try:
        with open(out, "rb") as stream:
            head = stream.read(200).decode(errors="replace")
    except OSError as error:
        raise OutputError(
            f"{str(out)!r} cannot be written over: {error.strerror}", hint="choose another name"
        ) from error
    if head.strip() and _MARK not in head:
        raise OutputError(
            f"{str(out)!r} holds something else than results of a benchmark",
            hint="move it away, or choose another name",
        )


def save(report: BenchmarkReport, *, out: Path | None = None) -> str:
    """Keeps a report's figures for ``--engine auto`` and for lists, and writes it to a file.

    Args:
        report: The report.
        out: The file; None writes none.

    Returns:
        What must be known of the store, in words: that it was damaged, and where the old one is. Empty where nothing.

    Raises:
        OutputError: The store or the file cannot be written.
    """
    if out is not None:
        with write_whole(out) as part:
            part.write_text(json.dumps(report.to_dict(), indent=1) + "\n", "utf-8")
    rows = [measurement_of(row, report) for row in report.rows if row.time_ms and row.engine != PIPELINE]
    if not rows:
        return ""
    old = read_measurements()
    if not old.problem:
        keep(rows)
        return ""
    aside = forget_damaged()
    keep((*old.rows, *rows))
    return f"{old.problem} and kept; the damaged file is now {str(aside)!r}"


def measurement_of(row: BenchmarkRow, report: BenchmarkReport) -> Measurement:
    """A row as the store keeps it.

    Args:
        row: A row with figures.
        report: The report it is of.

    Returns:
        The measurement.
    """
    options = EngineOptions(row.threads, row.device, {}, row.precision, row.compile)
    precision, compiled, device, threads = asked_of(options, machine=report.machine)
    time_ms, speed, start = row.time_ms, row.speed, row.start
    assert time_ms is not None
    return Measurement(
        model=row.model,
        source=row.source,
        weights_sha256=row.weights_sha256,
        engine=row.engine,
        ran=row.ran,
        precision=precision,
        compile=compiled,
        device=device,
        threads=threads,
        batch=row.batch,
        size=report.size,
        ms=time_ms.median,
        ms_low=time_ms.low,
        ms_high=time_ms.high,
        photos_per_s=0.0 if speed is None else speed.median,
        start_s=0.0 if start is None else start.median,
        memory_bytes=row.memory_bytes,
        gpu_memory_bytes=row.gpu_memory_bytes,
        machine=report.machine.key,
        versions=row.versions,
        measured=report.began,
        busy=report.busy,
    )
