"""``leadline export``."""

from __future__ import annotations

from typing import Any

import click

from leadline.cli.errors import SOME_FAILED
from leadline.cli.options import options_of, request_of
from leadline.flows.export import ExportReport, ExportRequest, run

__all__ = ["export"]


@click.command(
    epilog="""\b
Examples:
  leadline export leadline-indoor-small --to openvino --verify
  leadline export depth-anything-v2-small --shape 480x640 --verify --photos holiday/
  leadline export my_finetuned/ --kind metric-depth -o net.onnx --verify
  leadline export depth-anything-v2-small --to openvino --int8 --int8-photos holiday/ --verify
  leadline predict photo.jpg -m depth-anything-v2-small.onnx
"""
)
@options_of(ExportRequest)
def export(**options: Any) -> None:
    """A model as a file for other programs.

    What a file cannot hold (sizes, mean, kind) stands in a TOML file of its name beside it, so that 'leadline predict -m FILE'
    works at once. With --verify its depth is held against the model's own, photo by photo.
    """
    report = run(request_of(ExportRequest, options))
    _tell(report)
    click.get_current_context().exit(0 if report.sound else SOME_FAILED)


def _tell(report: ExportReport) -> None:
    click.echo(f"{report.model} -> {', '.join(map(str, report.files))}")
    for remark in report.remarks:
        click.echo(f"  {remark}")
    for check in report.checks:
        click.echo(f"  {check.photo}: off by {check.largest:.1e} at most, {check.mean:.1e} on average")
    if report.checks:
        what = "on average" if report.of_mean else "at most"
        verdict = "as it should be" if report.sound else "too far off"
        click.echo(
            f"{report.runs_on} against {report.against}: {verdict} ({report.tolerance:g} {what} is allowed, as a share of depth)"
        )
