"""``leadline doctor``."""

from __future__ import annotations

import json

import click

from leadline.flows.doctor import Diagnosis, Extra, diagnose

__all__ = ["doctor"]


@click.command(
    epilog="""\b
Examples:
  leadline doctor
  leadline doctor --json
"""
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(as_json: bool) -> None:
    """Versions, extras, engines, devices and plugins: what is there, what is missing, and what to type.

    Also which engine '--engine auto' would take for each model that is here, and why.

    The exit status is 0 where the base install is whole and no plugin is broken, else 1.
    """
    found = diagnose()
    if as_json:
        click.echo(json.dumps(found.to_dict()))
    else:
        _tell(found)
    click.get_current_context().exit(0 if found.well else 1)


def _tell(found: Diagnosis) -> None:
    click.echo(f"leadline {found.leadline}, Python {found.python}, {found.system}, {found.cores} processors")
    click.echo(f"machine    {found.machine}")
    click.echo("packages   " + ", ".join(f"{p.name} {p.version or 'MISSING'}" for p in found.packages))
    for extra in found.extras:
        click.echo(f"extra      {extra.name}: {_state(extra)}")
    for engine in found.engines:
        click.echo(f"engine     {engine.name}: {engine.problem or 'devices ' + ', '.join(engine.devices)}")
    for choice in found.auto:
        click.echo(f"auto       {choice.model}: {choice.engine} ({choice.why})")
    if found.measurements_problem:
        click.echo(f"measured   {found.measurements_problem}; 'leadline benchmark' makes the file anew")
    else:
        click.echo(f"measured   {found.measurements} ({found.measured or 'no'} figures)")
    for plugin in found.plugins:
        click.echo(f"plugin     {plugin}")
    click.echo(f"cache      {found.cache} ({found.cache_bytes / 1e6:.1f} MB)")
    for problem in found.problems:
        click.echo(f"PROBLEM    {problem}")
    click.echo("all is well" if found.well else "something is wrong: see MISSING and PROBLEM above")


def _state(extra: Extra) -> str:
    if not extra.line:
        return "installed"
    missing = ", ".join(package.name for package in extra.packages if not package.version)
    return f"missing {missing}: {extra.line}"
