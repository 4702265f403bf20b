"""``leadline version``."""

from __future__ import annotations

import click

from leadline._version import __version__

__all__ = ["version"]


@click.command(
    epilog="""\b
Example:
  leadline version
"""
)
def version() -> None:
    """The version of leadline."""
    click.echo(__version__)
