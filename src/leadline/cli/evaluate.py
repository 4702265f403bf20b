"""``leadline evaluate``."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from leadline.cli.errors import SOME_FAILED
from leadline.cli.options import options_of, request_of
from leadline.flows.evaluate.records import Evaluation, Row
from leadline.flows.evaluate.request import EvaluateRequest
from leadline.flows.evaluate.row_files import line_of
from leadline.flows.evaluate.run import Begun, Event, Noted, run
from leadline.flows.evaluate.table import table_of

if TYPE_CHECKING:
    from tqdm import tqdm

__all__ = ["Watch", "evaluate", "tell_skipped"]

_SHOWN = 5

EXAMPLES = """\b
Examples:
  leadline evaluate --data nyu:nyu_depth_v2_labeled.mat --option split=test --protocol nyu-eigen-filled
  leadline evaluate -d nyu:FRAMES -m leadline-indoor-small -m depth-anything-v2-metric-indoor-small
  leadline evaluate -d sunrgbd:SUNRGBD -m depth-anything-v2-small -p zero-shot-affine-inverse-depth --spread 200
  leadline evaluate -d kitti:kitti --option list=eigen_test.txt --predictions theirs=out/ --kind metric-depth --scale 0.00390625
  leadline evaluate -d synthetic -p nyu-eigen-filled --set dataset=any --first 50
  leadline evaluate -d nyu:FRAMES -p nyu-eigen-filled --set far_m=8 -o eight_metres
"""


@click.command(epilog=EXAMPLES)
@options_of(EvaluateRequest)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object an image on standard output.")
def evaluate(as_json: bool, **options: Any) -> None:
    """Score models on a dataset under a named, locked protocol.

    Rows are on disk as they come; a run that was stopped goes on in its folder and scores no image twice. At the end: a table,
    rows.csv, rows.parquet (with the extra 'data') and report.html.
    """
    request = request_of(EvaluateRequest, options)
    watch = Watch(as_json=as_json)
    try:
        evaluation = run(request, on_event=watch)
    except KeyboardInterrupt:
        click.echo(
            f"leadline: stopped; what is scored stays in {request.out}, and the same line goes on", err=True
        )
        raise
    finally:
        watch.close()
    if not as_json:
        click.echo(table_of(evaluation))
    if as_json:
        tell_skipped(evaluation)
    else:
        click.echo(f"rows, tables and report: {request.out}")
    if evaluation.skipped:
        click.get_current_context().exit(SOME_FAILED)


class Watch:
    """Listens to an evaluation: a bar a model on a terminal, or JSON lines.

    Args:
        as_json: Whether rows are printed as JSON lines.
    """

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._bar: tqdm[Any] | None = None

    def __call__(self, event: Event) -> None:
        """Shows an event.

        Args:
            event: What happened.
        """
        if isinstance(event, Noted):
            click.echo(f"leadline: {event.text}", err=True)
        elif isinstance(event, Begun):
            self._begin(event)
        else:
            self._count(event)

    def close(self) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _begin(self, event: Begun) -> None:
        self.close()
        if event.there:
            click.echo(f"{event.model}: {event.there} of {event.total} are scored already", err=True)
        if sys.stderr.isatty() and event.total > event.there:
            from tqdm import tqdm

            self._bar = tqdm(
                total=event.total,
                initial=event.there,
                desc=event.model,
                unit="image",
                dynamic_ncols=True,
                leave=False,
            )

    def _count(self, row: Row) -> None:
        if self._bar is not None:
            self._bar.update()
        if self._as_json:
            click.echo(json.dumps({"event": "row", **json.loads(line_of(row))}))
            sys.stdout.flush()


def tell_skipped(evaluation: Evaluation) -> None:
    """Says on standard error which samples were not scored, and why.

    Args:
        evaluation: What came of it.
    """
    skipped = evaluation.skipped
    for row in skipped[:_SHOWN]:
        click.echo(f"leadline: {row.model}: {row.sample} was not scored: {row.skipped}", err=True)
    if len(skipped) > _SHOWN:
        click.echo(f"leadline: … and {len(skipped) - _SHOWN} more; rows.csv names all", err=True)
