"""``leadline fiftyone``."""

from __future__ import annotations

from typing import Any

import click

from leadline.cli.errors import SOME_FAILED
from leadline.cli.evaluate import Watch, tell_skipped
from leadline.cli.options import options_of, request_of
from leadline.flows.evaluate.table import table_of
from leadline.flows.fiftyone import FiftyOneReport, FiftyOneRequest, open_app, run

__all__ = ["fiftyone"]

EXAMPLES = """\b
Examples:
  leadline fiftyone -d sunrgbd:SUNRGBD/kv1/NYUdata --first 20 -m dpt=hf:Intel/dpt-hybrid-midas -m marigold=marigold-depth-v1-0 -p fiftyone-tutorial
  leadline fiftyone -d nyu:nyu_depth_v2_labeled.mat -m leadline-indoor-small -m depth-anything-v2-metric-indoor-small --name nyu
  leadline fiftyone -d nyu:nyu_depth_v2_labeled.mat -m zoedepth-nyu --name nyu --no-launch
  leadline fiftyone -d synthetic -p nyu-eigen-filled --set dataset=any --first 20 --remote --port 8151
"""


@click.command(epilog=EXAMPLES)
@options_of(FiftyOneRequest)
def fiftyone(**options: Any) -> None:
    """Photos, truth, predictions and scores as a persistent FiftyOne dataset, and the app to look at them.

    Run again with other models, it adds them to the dataset; a run that was stopped goes on. Every heatmap keeps its metres,
    and every score is a field: FIELD.rmse.
    """
    request = request_of(FiftyOneRequest, options)
    watch = Watch(as_json=False)
    try:
        report = run(request, on_event=watch)
    except KeyboardInterrupt:
        click.echo("leadline: stopped; what was added stays, and the same line goes on", err=True)
        raise
    finally:
        watch.close()
    click.echo(table_of(report.evaluation))
    tell_skipped(report.evaluation)
    _tell(report)
    if not request.no_launch:
        _serve(request, report)
    if report.evaluation.skipped:
        click.get_current_context().exit(SOME_FAILED)


def _tell(report: FiftyOneReport) -> None:
    click.echo(f"\nFiftyOne dataset {report.name!r}: {report.samples:,} samples, files in {report.folder}")
    for shown in report.shown:
        click.echo(f"  {shown.field}: {shown.model}")
        for metric, mean in shown.means.items():
            click.echo(f'    dataset.mean("{shown.field}.{metric}") = {mean:.6g}')


def _serve(request: FiftyOneRequest, report: FiftyOneReport) -> None:
    app = open_app(request, report)
    click.echo(f"the app is at {app.url}; Ctrl-C ends it, the dataset stays")
    try:
        app.wait()
    except KeyboardInterrupt:
        click.echo("closed", err=True)
    finally:
        app.close()
