"""``leadline data doctor``."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from leadline.cli.errors import SOME_FAILED
from leadline.cli.options import options_of, request_of
from leadline.flows.data.doctor import DoctorRequest, examine_place

__all__ = ["COMMAND"]


@click.command(
    "doctor",
    epilog="""\b
Examples:
  leadline data doctor my_frames
  leadline data doctor nyu:image_and_depth --pictures found
  leadline data doctor folder:frames --option encoding=mm --fail-on warning --json
""",
)
@options_of(DoctorRequest)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def COMMAND(as_json: bool, **options: Any) -> None:
    """Find what is wrong with a dataset. Exit status 1 where something is."""
    request = request_of(DoctorRequest, options)
    bar: Any = None

    def step(done: int, total: int) -> None:
        nonlocal bar
        if bar is None and sys.stderr.isatty():
            from tqdm import tqdm

            bar = tqdm(total=total, unit="frame", dynamic_ncols=True, leave=False)
        if bar is not None:
            bar.update(done - bar.n)

    try:
        report = examine_place(request, step=step)
    finally:
        if bar is not None:
            bar.close()
    click.echo(json.dumps(report.to_dict()) if as_json else report.text(notes=request.notes))
    if report.at_least(request.fail_on):
        click.get_current_context().exit(SOME_FAILED)
