"""``leadline demo``."""

from __future__ import annotations

from typing import Any

import click

from leadline.cli.options import options_of, request_of
from leadline.cli.predict import carry_out
from leadline.flows.demo import DemoRequest, demo_request
from leadline.flows.predict_request import SIDE_BY_SIDE
from leadline.plugins.registry import EXPORTERS

__all__ = ["demo"]


@click.command(
    epilog="""\b
Examples:
  leadline demo
  leadline demo --out somewhere
"""
)
@options_of(DemoRequest)
def demo(**options: Any) -> None:
    """Depth from the photo that ships with leadline.

    It needs no network. Open the side-by-side picture first, then the .glb in any 3D viewer.
    """
    report = carry_out(demo_request(request_of(DemoRequest, options)))
    suffix = EXPORTERS.get(SIDE_BY_SIDE).suffix
    side = next(path for photo in report.done for path in photo.outputs if path.name.endswith(suffix))
    click.echo(f"Look at {side} first. Then: leadline predict YOUR_PHOTO.jpg")
