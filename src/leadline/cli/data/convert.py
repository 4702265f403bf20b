"""``leadline data convert``."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from leadline.cli.errors import SOME_FAILED
from leadline.cli.options import options_of, request_of
from leadline.flows.data.convert import ConvertRequest, convert

__all__ = ["COMMAND"]


@click.command(
    "convert",
    epilog="""\b
Examples:
  leadline data convert nyu:nyu_depth_v2_labeled.mat nyu_plain
  leadline data convert folder:frames plain --option encoding=mm --on-error skip
  leadline data convert sunrgbd:SUNRGBD shards --form shards --workers 8
  leadline data convert synthetic rooms --first 5000 --verify
""",
)
@options_of(ConvertRequest)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
def COMMAND(as_json: bool, **options: Any) -> None:
    """Rewrite a dataset as a plain folder or as tar shards. Values stay exact; a run that stopped goes on."""
    request = request_of(ConvertRequest, options)
    bar: Any = None

    def step(done: int, total: int) -> None:
        nonlocal bar
        if bar is None and sys.stderr.isatty():
            from tqdm import tqdm

            bar = tqdm(total=total, unit="sample", initial=done - 1, dynamic_ncols=True, leave=False)
        if bar is not None:
            bar.update(done - bar.n)

    try:
        report = convert(request, step=step)
    finally:
        if bar is not None:
            bar.close()
    for item in report.skipped:
        click.echo(f"leadline: skipped {item.id}: {item.reason}", err=True)
    if as_json:
        facts = {
            "out": str(report.out),
            "samples": report.samples,
            "written": report.written,
            "size_bytes": report.size_bytes,
            "skipped": [item.id for item in report.skipped],
            "verified": report.verified,
        }
        click.echo(json.dumps(facts))
    else:
        already = report.samples - report.written
        parts = [f"{report.out}: {report.samples:,} samples, {report.size_bytes / 1e6:,.1f} MB"]
        parts += [f"{already:,} of them were there already"] if already else []
        parts += [f"{len(report.skipped):,} could not be read"] if report.skipped else []
        parts += ["all read back equal"] if report.verified else []
        click.echo("; ".join(parts))
    if report.skipped:
        click.get_current_context().exit(SOME_FAILED)
