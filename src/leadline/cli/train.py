"""``leadline train``."""

from __future__ import annotations

import math
from typing import Any

import click

from leadline.cli.options import options_of, request_of
from leadline.flows.evaluate.table import table_of
from leadline.flows.train import TrainReport, TrainRequest
from leadline.flows.train import plan as plan_of
from leadline.flows.train import train as run
from leadline.flows.training_plan import TrainPlan

__all__ = ["train"]

EXAMPLES = """\b
Examples:
  leadline train synthetic-quickstart --out run
  leadline train unet-nyu --data nyu_train795 --set optimiser.batch=8 --set optimiser.epochs=10
  leadline train finetune --data folder:my_pairs --start depth-anything-v2-small
  leadline train finetune -d my_pairs --start hf:ORG/NAME --set network.trains=low-rank --set optimiser.precision=bfloat16
  leadline train densedepth-nyu --data nyu_train795 --devices 4 --strategy ddp
  leadline train my_recipe.toml --data nyu:frames --dry-run
"""


@click.command(epilog=EXAMPLES)
@options_of(TrainRequest)
@click.option("--dry-run", is_flag=True, help="Check everything, print the plan, write nothing.")
def train(dry_run: bool, **options: Any) -> None:
    """Train a model by a recipe.

    A run that was stopped, by whatever, goes on from its last checkpoint when the same line is given again. At the end the model
    is exported, scored on what was held out, and described in MODEL_CARD.md.
    """
    request = request_of(TrainRequest, options)
    if dry_run:
        _tell_plan(plan_of(request), err=False)
        return
    _tell_report(run(request, on_plan=lambda plan: _tell_plan(plan, err=True)))


def _tell_plan(plan: TrainPlan, *, err: bool) -> None:
    for line in plan.lines():
        click.echo(line, err=err)


def _tell_report(report: TrainReport) -> None:
    if report.card is None:
        return  # another process tells
    click.echo(f"trained on {report.trained_on} frames, {len(report.held_out)} held out: {report.weights}")
    if not math.isnan(report.waited):
        click.echo(
            f"{report.steps_per_s:.3g} steps a second, {report.waited:.1%} of the time waiting for data"
        )
    if report.evaluation is not None:
        click.echo(table_of(report.evaluation))
    for remark in report.remarks:
        click.echo(f"leadline: {remark}", err=True)
    click.echo(f"described in {report.card}; next:")
    for line in report.following:
        click.echo(f"  {line}")
