"""``leadline info``."""

from __future__ import annotations

import json
from typing import Any

import click

from leadline.cli.errors import SOME_FAILED, tell_error
from leadline.cli.options import options_of, request_of
from leadline.core.errors import InputError, KindError
from leadline.flows.info import InfoRequest, describe

__all__ = ["info"]


@click.command(
    epilog="""\b
Examples:
  leadline info depth/kitchen_depth.png
  leadline info kitchen.jpg
  leadline info tum.png --kind metric-depth --scale 0.0002
"""
)
@options_of(InfoRequest)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a file.")
def info(as_json: bool, **options: Any) -> None:
    """What a depth file or a photo is, in words."""
    request = request_of(InfoRequest, options)
    failed = []
    for file in request.files:
        try:
            found = describe(file, request=request)
        except (InputError, KindError) as error:
            failed.append(tell_error(error))
            continue
        click.echo(json.dumps(found.to_dict()) if as_json else "\n".join(found.lines()))
    if failed:
        click.get_current_context().exit(failed[0] if len(request.files) == 1 else SOME_FAILED)
