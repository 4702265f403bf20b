"""``leadline calibrate``."""

from __future__ import annotations

import json
from typing import Any

import click

from leadline.cli.options import options_of, request_of
from leadline.flows.calibrate import CalibrateReport, CalibrateRequest, run
from leadline.io.calibrations import calibration_dict
from leadline.ops.calibration import CalibratedPoint

__all__ = ["calibrate"]

SHOWN = 20
"""Points that the table shows; of more it shows those that are farthest off."""


@click.command(
    epilog="""\b
Examples:
  leadline calibrate kitchen.jpg -p 412,300=2.4m -p 90,610=95cm -p 1010,220=13.5ft
  leadline calibrate kitchen.jpg -p @distances.txt -m depth-anything-v2-small -o kitchen.json
  leadline calibrate --depth depth/kitchen_depth.npz --sparse lidar.png --sparse-scale 0.001
  leadline predict frames/ -m depth-anything-v2-small --calibration kitchen.json
"""
)
@options_of(CalibrateRequest)
@click.option("--json", "as_json", is_flag=True, help="Print the calibration as one JSON object.")
def calibrate(as_json: bool, **options: Any) -> None:
    """Metres from a few known distances.

    Measure how far two or more things in PHOTO are, some near and some far, and say so with --point. What the model leaves
    unknown is found from them, kept in a file, and used on further frames of the same camera with 'leadline predict
    --calibration FILE'.
    """
    report = run(request_of(CalibrateRequest, options))
    if as_json:
        click.echo(json.dumps(calibration_dict(report.calibration)))
    else:
        _tell(report)


def _tell(report: CalibrateReport) -> None:
    found = report.calibration
    name = "" if found.model is None else f", {found.model.name}"
    click.echo(f"{found.source}{name}")
    click.echo(f"  before: {report.before}")
    click.echo(f"  after:  {report.after}")
    _table(found.points, found.along.value)
    points = "1 point" if found.n_points == 1 else f"{found.n_points} points"
    click.echo(
        f"{points}: {found.words} ({found.alignment.method}); off by {100 * found.rms:.1f} % (root mean square), "
        f"{100 * found.worst:.1f} % at most"
    )
    for remark in found.remarks:
        click.echo(f"  {remark}")
    model = "" if found.model is None else f" -m {found.model.name}"
    click.echo(f"{report.path}: leadline predict FRAMES{model} --calibration {report.path}")


def _table(points: tuple[CalibratedPoint, ...], along: str) -> None:
    shown = points
    if len(points) > SHOWN:
        worst = sorted(points, key=lambda point: -abs(point.error) if point.error == point.error else -1e9)
        shown = tuple(worst[:SHOWN])
        click.echo(f"the {SHOWN} points that are farthest off:")
    click.echo(
        f"  {'x,y':>11}  {'given':>9}  {'found':>9}  {'off by':>9}  {'':>7}  (metres along the {along})"
    )
    for point in shown:
        click.echo(
            f"  {f'{point.x},{point.y}':>11}  {point.given_m:>9.3f}  {point.found_m:>9.3f}  {point.error_m:>+9.3f}  "
            f"{100 * point.error:>+6.1f}%"
        )
