"""``leadline info``."""

from __future__ import annotations

import json

import click

from leadline.cli.errors import SOME_FAILED, tell_error
from leadline.core.errors import InputError
from leadline.core.kind import Kind
from leadline.flows.info import Description, describe
from leadline.io.images import DEFAULT_MAX_PIXELS

__all__ = ["info"]


@click.command(
    epilog="""\b
Examples:
  leadline info depth/kitchen_depth.png
  leadline info kitchen.jpg
  leadline info tum.png --kind metric-depth --scale 0.0002
"""
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--kind", metavar="KIND", help="What the numbers of a bare depth file mean: metric-depth, disparity …"
)
@click.option(
    "--scale", type=float, metavar="NUMBER", help="Units per stored step of a bare depth file: 0.001."
)
@click.option(
    "--max-pixels",
    type=click.IntRange(1),
    default=DEFAULT_MAX_PIXELS,
    show_default=True,
    help="Largest file that is read.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a file.")
def info(
    files: tuple[str, ...], kind: str | None, scale: float | None, max_pixels: int, as_json: bool
) -> None:
    """What a depth file or a photo is, in words."""
    meaning = None if kind is None else Kind.parse(kind)
    failed = []
    for file in files:
        try:
            found = describe(file, kind=meaning, scale=scale, max_pixels=max_pixels)
        except InputError as error:
            failed.append(tell_error(error))
            continue
        _tell(found, as_json=as_json)
    if failed:
        click.get_current_context().exit(failed[0] if len(files) == 1 else SOME_FAILED)


def _tell(found: Description, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(found.details))
        return
    click.echo(f"{found.path}: {found.summary}")
    for fact in found.facts:
        click.echo(f"  {fact}")
