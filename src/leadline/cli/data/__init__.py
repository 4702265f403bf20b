"""``leadline data``: a command for each thing that is done with data, loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module

import click

__all__ = ["SUBCOMMANDS", "data"]

SUBCOMMANDS = {
    "list": "Dataset layouts there are.",
    "info": "What a layout is, or what a place holds.",
    "preview": "Pictures of samples: photo beside coloured depth, or one sample in 3D.",
    "stats": "Depth histogram, valid share and sizes.",
    "doctor": "Find what is wrong with a dataset.",
    "convert": "Rewrite a dataset as a plain folder or as tar shards.",
    "augment": "The same samples augmented, to look at.",
}
"""Every subcommand with its short help; ``leadline.cli.data.NAME:COMMAND``."""


class _Subcommands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in SUBCOMMANDS:
            return None
        command: click.Command = import_module(f"leadline.cli.data.{cmd_name}").COMMAND
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(SUBCOMMANDS.items()))


@click.group(
    cls=_Subcommands,
    epilog="""\b
Examples:
  leadline data list
  leadline data preview nyu:nyu_depth_v2_labeled.mat
  leadline data doctor my_frames
  leadline data convert my_frames frames_16bit
""",
)
def data() -> None:
    """RGB-D data: open it, look at it, find what is wrong with it, rewrite it."""
