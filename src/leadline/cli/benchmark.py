"""``leadline benchmark``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click

from leadline.cli.errors import INTERRUPTED
from leadline.cli.options import options_of, request_of
from leadline.flows.benchmark import Step, run, save
from leadline.flows.benchmark_request import BenchmarkRequest
from leadline.flows.measuring.report import BenchmarkReport, BenchmarkRow, Spread

if TYPE_CHECKING:
    from tqdm import tqdm

__all__ = ["benchmark", "table"]

NONE_MEASURED = 1
"""Exit status where no variant could be measured."""

EXAMPLES = """\b
Examples:
  leadline benchmark
  leadline benchmark leadline-indoor-small --precision fp32,int8 --batch 1,8
  leadline benchmark depth-anything-v2-small --against pipeline -o here.json
  leadline benchmark leadline-indoor-small --engine onnxruntime,openvino --photos "rooms/*.jpg" --json
"""

_HEAD = ("model", "engine", "precision", "compile", "batch", "start", "ms a photo", "photos/s", "memory")


@click.command(epilog=EXAMPLES)
@options_of(BenchmarkRequest)
@click.option("--json", "as_json", is_flag=True, help="Print the results as one JSON object.")
def benchmark(as_json: bool, **options: Any) -> None:
    """How fast models are on this machine, engine by engine.

    Each model is run by each engine, precision, way to compile and batch, in processes of their own that take turns. The
    figures are kept: '--engine auto' and 'leadline models' use them. Ctrl-C ends it early and keeps what was measured.
    """
    request = request_of(BenchmarkRequest, options)
    with _Bar() as bar:
        report = run(request, on_step=bar)
    if as_json:
        click.echo(json.dumps(report.to_dict()))
    else:
        _tell(report)
    told = save(report, out=request.out)
    if told:
        click.echo(f"leadline: {told}", err=True)
    if not report.complete:
        click.echo("leadline: interrupted; what was measured until then is kept", err=True)
    click.get_current_context().exit(_exit_status(report))


def _exit_status(report: BenchmarkReport) -> int:
    if not report.complete:
        return INTERRUPTED
    return 0 if any(row.ms for row in report.rows) else NONE_MEASURED


def _tell(report: BenchmarkReport) -> None:
    versions = ", ".join(f"{name} {number}" for name, number in report.versions.items())
    click.echo(report.machine.words)
    click.echo(f"Python {report.python}, {versions}")
    click.echo(f"photos: {report.photos}, {report.size}; {report.rounds} rounds of {report.seconds:g} s")
    if report.busy:
        click.echo(
            f"The machine was busy at the start (load {report.load:.1f} on {report.machine.processors} processors): "
            "what is measured is too slow, and ratios are uncertain. Measure again when nothing else runs."
        )
    click.echo("")
    for line in table(report.rows):
        click.echo(line)
    if any(row.photos_per_s for row in report.rows):
        click.echo(
            "\nms a photo: median (10th to 90th percentile) of the network with what belongs before and after it; "
            "photos/s: from photo files to 16-bit PNG files."
        )


def table(rows: Sequence[BenchmarkRow]) -> list[str]:
    """Rows as aligned text; reasons stand below the rows that they belong to.

    Args:
        rows: What was measured.

    Returns:
        Lines.
    """
    against = any(row.ratios for row in rows)
    cells = [(*_HEAD, "times pipeline") if against else _HEAD, *(_cells(row, against) for row in rows)]
    widths = [max(len(line[k]) for line in cells) for k in range(len(cells[0]))]
    lines = []
    for number, line in enumerate(cells):
        lines.append("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
        if number:
            row = rows[number - 1]
            lines += [f"  {words}" for words in (*row.remarks, row.reason) if words]
    return lines


def _cells(row: BenchmarkRow, against: bool) -> tuple[str, ...]:
    start = row.start
    cells = (
        row.model,
        row.engine,
        row.precision,
        row.compile,
        str(row.batch),
        "–" if start is None else f"{start.median:.2f} s",
        _spread(row.time_ms),
        _spread(row.speed),
        _memory(row),
    )
    return (*cells, _spread(row.ratio)) if against else cells


def _spread(spread: Spread | None) -> str:
    """Median and percentiles, with three digits that say something."""
    if spread is None:
        return "–"
    return f"{_digits(spread.median)} ({_digits(spread.low)}–{_digits(spread.high)})"


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _memory(row: BenchmarkRow) -> str:
    main = "–" if row.memory_bytes is None else f"{row.memory_bytes / 1e6:.0f} MB"
    return main if row.gpu_memory_bytes is None else f"{main}, GPU {row.gpu_memory_bytes / 1e6:.0f} MB"


class _Bar:
    """A bar on standard error, where that is a terminal."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None

    def __call__(self, step: Step) -> None:
        """Moves on.

        Args:
            step: How far it is.
        """
        if self._bar is None and sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=step.total, unit="turn", file=sys.stderr, dynamic_ncols=True, leave=False)
        if self._bar is not None:
            self._bar.set_description(step.what)
            self._bar.update(step.done - self._bar.n)

    def __enter__(self) -> _Bar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()
