"""``leadline train``."""

from __future__ import annotations

from typing import Any

import click

from leadline.cli.options import options_of, request_of
from leadline.flows.train import TrainRequest
from leadline.flows.train import train as run

__all__ = ["train"]


@click.command(
    epilog="""\b
Example:
  leadline train embedded-indoor --data nyu_train795 --out run
"""
)
@options_of(TrainRequest)
def train(**options: Any) -> None:
    """Train a model by a recipe. A run that was stopped goes on where it was."""
    report = run(request_of(TrainRequest, options))
    click.echo(f"trained on {report.trained_on} frames, {len(report.held_out)} held out: {report.weights}")
