"""``leadline data preview``."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from leadline.cli.errors import SOME_FAILED
from leadline.cli.options import options_of, request_of
from leadline.flows.data.preview import PreviewRequest, preview
from leadline.io.terminal import as_text, way_of

__all__ = ["COMMAND"]


@click.command(
    "preview",
    epilog="""\b
Examples:
  leadline data preview nyu:nyu_depth_v2_labeled.mat
  leadline data preview sunrgbd:SUNRGBD --count 16 --columns 4 --colormap turbo
  leadline data preview synthetic --scatter first -o points.png
""",
)
@options_of(PreviewRequest)
def COMMAND(**options: Any) -> None:
    """Pictures of samples: photo beside coloured depth, or one sample in 3D."""
    request = request_of(PreviewRequest, options)
    sheet, path = preview(request)
    way = way_of(os.environ, is_terminal=sys.stdout.isatty())
    if request.show == "always":
        way = way or "blocks"
    if request.show != "never" and way:
        click.echo(as_text(sheet.rgb_HW3, way=way), nl=False, color=True)
    click.echo(f"{path}: {sheet.rgb_HW3.shape[1]}x{sheet.rgb_HW3.shape[0]}")
    for reason in sheet.broken:
        click.echo(f"leadline: {reason}", err=True)
    if sheet.broken:
        click.get_current_context().exit(SOME_FAILED)
