"""``leadline models``."""

from __future__ import annotations

import json

import click

from leadline.core.errors import pip_line
from leadline.flows.models import (
    ModelRow,
    cached,
    clear,
    model_row,
    model_rows,
    pull_model,
    told_of_model,
)
from leadline.flows.terms import size_words
from leadline.io.measurements import Measurement, read_measurements

__all__ = ["models"]


@click.group(
    invoke_without_command=True,
    epilog="""\b
Examples:
  leadline models
  leadline models --commercial-ok
  leadline models show depth-anything-v2-small
  leadline models list
  leadline models clear
""",
)
@click.option("--commercial-ok", is_flag=True, help="Only models whose weights allow commercial use.")
@click.option(
    "--all", "random_too", is_flag=True, help="Also models of random weights, which exist for tests."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a model.")
@click.pass_context
def models(context: click.Context, commercial_ok: bool, random_too: bool, as_json: bool) -> None:
    """Models there are, and the cache of their weights."""
    if context.invoked_subcommand is not None:
        return
    rows = model_rows(commercial_ok=commercial_ok, random_too=random_too)
    if as_json:
        for row in rows:
            click.echo(json.dumps(row.to_dict()))
    elif rows:
        _table(rows)
    else:
        click.echo("no model is cleared for commercial use" if commercial_ok else "no models")


@models.command(
    epilog="""\b
Examples:
  leadline models pull depth-anything-v2-small
  leadline models pull hf:Intel/dpt-large
"""
)
@click.argument("name")
def pull(name: str) -> None:
    """Fetch a model's weights now, so that it works without a network."""
    path = pull_model(name, told=lambda words: click.echo(words, err=True))
    click.echo(f"{name} is at {path}")


@models.command(
    epilog="""\b
Examples:
  leadline models show depth-pro
  leadline models show hf:Intel/dpt-large
"""
)
@click.argument("name")
@click.option("--kind", default="", metavar="KIND", help="What it predicts, where it does not say so itself.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(name: str, kind: str, as_json: bool) -> None:
    """Tell all that is known of a model."""
    row = model_row(name, kind=kind)
    if as_json:
        click.echo(json.dumps(row.to_dict()))
        return
    for what, words in told_of_model(row):
        click.echo(f"{what:<12} {words}")


@models.command(
    "list",
    epilog="""\b
Example:
  leadline models list
""",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a file.")
def list_cached(as_json: bool) -> None:
    """List the weights in the cache."""
    entries = cached()
    for entry in entries:
        if as_json:
            values = {
                "name": entry.name,
                "path": str(entry.path),
                "size_bytes": entry.size_bytes,
                "complete": entry.complete,
            }
            click.echo(json.dumps(values))
        else:
            part = "" if entry.complete else "  (unfinished; pull goes on from there)"
            click.echo(f"{entry.name}  {_megabytes(entry.size_bytes)}  {entry.path}{part}")
    if not entries and not as_json:
        click.echo("the cache is empty")


@models.command(
    "clear",
    epilog="""\b
Examples:
  leadline models clear
  leadline models clear leadline-indoor-tiny
""",
)
@click.argument("name", required=False)
def clear_cache(name: str | None) -> None:
    """Empty the cache, or take one model out of it."""
    removed = clear(name)
    size = sum(entry.size_bytes for entry in removed)
    click.echo(f"removed {len(removed)} file{'' if len(removed) == 1 else 's'}, {_megabytes(size)}")


def _table(rows: tuple[ModelRow, ...]) -> None:
    head = ("name", "kind", "size", "commercial use", "speed here", "memory", "licence")
    cells = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[k]) for line in cells) for k in range(len(head))]
    for line in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    needs: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for row in rows:
        if row.missing:
            remedy = pip_line(extra=row.spec.extra, install=row.spec.install)
            needs.setdefault((row.missing, remedy), []).append(row.spec.name)
    for (missing, remedy), names in needs.items():
        told = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        click.echo(f"\n{told} needs {', '.join(missing)}: {remedy}")
    click.echo("\n'leadline models show NAME' tells all of one; 'leadline benchmark NAME' measures it here.")
    _tell_problem()


def _tell_problem() -> None:
    problem = read_measurements().problem
    if problem:
        click.echo(f"leadline: {problem}; 'leadline benchmark' makes the file anew", err=True)


def _cells(row: ModelRow) -> tuple[str, ...]:
    spec = row.spec
    size = size_words(spec.weights) or "–"
    where = size if row.here else f"{size}, {row.where}"
    return (spec.name, str(spec.kind), where, spec.commercial.value, *_measured(row.measured), spec.licence)


def _measured(row: Measurement | None) -> tuple[str, str]:
    """Milliseconds and megabytes, as a list shows them."""
    if row is None:
        return "not measured", "–"
    memory = "–" if row.memory_bytes is None else f"{row.memory_bytes / 1e6:.0f} MB"
    return f"{row.ms:.3g} ms{' (busy)' if row.busy else ''}", memory


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
