"""``leadline data stats``."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from leadline.cli.errors import SOME_FAILED
from leadline.cli.options import options_of, request_of
from leadline.flows.data.stats import StatsRequest, stats

__all__ = ["COMMAND"]


@click.command(
    "stats",
    epilog="""\b
Examples:
  leadline data stats nyu:nyu_depth_v2_labeled.mat
  leadline data stats kitti:raw --spread 200 -o depths.png
  leadline data stats folder:frames --option encoding=mm --on-error skip --json
""",
)
@options_of(StatsRequest)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def COMMAND(as_json: bool, **options: Any) -> None:
    """Depth histogram, valid share and sizes."""
    request = request_of(StatsRequest, options)
    bar: Any = None

    def step(done: int, total: int) -> None:
        nonlocal bar
        if bar is None and sys.stderr.isatty():
            from tqdm import tqdm

            bar = tqdm(total=total, unit="sample", dynamic_ncols=True, leave=False)
        if bar is not None:
            bar.update(done - bar.n)

    try:
        found = stats(request, step=step)
    finally:
        if bar is not None:
            bar.close()
    click.echo(json.dumps(found.to_dict()) if as_json else str(found))
    if request.out is not None and not as_json:
        click.echo(f"histogram: {request.out}")
    if found.skipped:
        click.get_current_context().exit(SOME_FAILED)
