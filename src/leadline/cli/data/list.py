"""``leadline data list``."""

from __future__ import annotations

import json

import click

from leadline.core.errors import pip_line
from leadline.flows.data.listing import layout_rows

__all__ = ["COMMAND"]


@click.command(
    "list",
    epilog="""\b
Examples:
  leadline data list
  leadline data list --json
""",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a layout.")
def COMMAND(as_json: bool) -> None:
    """Dataset layouts there are."""
    rows = layout_rows()
    width = max(len(spec.name) for spec, _ in rows)
    for spec, missing in rows:
        if as_json:
            facts = {"name": spec.name, "summary": spec.summary, "licence": spec.licence, "missing": missing}
            click.echo(json.dumps(facts))
            continue
        lack = f"  (needs: {pip_line(extra=spec.extra, install=spec.install)})" if missing else ""
        click.echo(f"{spec.name.ljust(width)}  {spec.summary}{lack}")
