"""``leadline data augment``."""

from __future__ import annotations

from typing import Any

import click

from leadline.cli.options import options_of, request_of
from leadline.flows.data.augment import AugmentRequest, run

__all__ = ["COMMAND"]


@click.command(
    "augment",
    epilog="""\b
Examples:
  leadline data augment nyu:nyu_depth_v2_labeled.mat
  leadline data augment frames_16bit --id kitchen_0012 --crop 224x224 --seed 7
  leadline data augment kitti:raw --transforms mine.json -o mine.png
""",
)
@options_of(AugmentRequest)
def COMMAND(**options: Any) -> None:
    """One sample, augmented several times: a picture to look at before training."""
    request = request_of(AugmentRequest, options)
    path, sample = run(request)
    click.echo(f"{path}: sample {sample.id!r} as {request.count} epochs see it")
