"""``leadline data info``."""

from __future__ import annotations

import json
from typing import Any

import click

from leadline.cli.options import options_of, request_of
from leadline.flows.data.listing import DataInfoRequest, describe_layout, describe_place, is_layout

__all__ = ["COMMAND"]


@click.command(
    "info",
    epilog="""\b
Examples:
  leadline data info nyu
  leadline data info nyu:nyu_depth_v2_labeled.mat
  leadline data info my_frames --option encoding=mm --json
""",
)
@options_of(DataInfoRequest)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def COMMAND(as_json: bool, **options: Any) -> None:
    """What a layout is, or what a place holds."""
    request = request_of(DataInfoRequest, options)
    if is_layout(request.place):
        lines = describe_layout(request.place)
        click.echo(json.dumps({"name": request.place, "lines": lines}) if as_json else "\n".join(lines))
        return
    found = describe_place(request)
    click.echo(json.dumps(found.to_dict()) if as_json else "\n".join(found.lines()))
