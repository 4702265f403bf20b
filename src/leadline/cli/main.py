"""The command line: ``leadline COMMAND``. A command's module is loaded when that command is asked for."""

from __future__ import annotations

import signal
import sys
from difflib import get_close_matches
from importlib import import_module
from io import TextIOWrapper
from types import FrameType
from typing import NoReturn

import click

from leadline._version import __version__
from leadline.cli.errors import tell_error

__all__ = ["COMMANDS", "cli", "main"]

COMMANDS = {
    "predict": "Depth from photos.",
    "evaluate": "Score models on a dataset under a named, locked protocol.",
    "fiftyone": "Photos, truth, predictions and scores as a persistent FiftyOne dataset.",
    "protocols": "Protocols of evaluation there are; of one, everything it fixes.",
    "models": "Models there are, and the cache of their weights.",
    "info": "What a depth file or a photo is, in words.",
    "data": "RGB-D data: open it, look at it, find what is wrong with it, rewrite it.",
    "benchmark": "How fast models are on this machine, engine by engine.",
    "calibrate": "Metres from a few known distances.",
    "reproduce": "Check published figures.",
    "export": "A model as a file for other programs.",
    "demo": "Depth from the photo that ships with leadline.",
    "train": "Train a model by a recipe.",
    "doctor": "Versions, extras, engines, devices and plugins.",
    "completion": "Completion for your shell.",
    "version": "The version of leadline.",
}
"""Every command with its short help, so that ``leadline --help`` loads none of them. ``leadline.cli.NAME:NAME``."""


class _Commands(click.Group):
    """A group whose commands live in modules of their own names."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"leadline.cli.{cmd_name}"), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        near = get_close_matches(args[0], COMMANDS, n=2)
        if args[0] not in COMMANDS and near and not ctx.resilient_parsing:
            ctx.fail(f"no command is called {args[0]!r}; did you mean {' or '.join(map(repr, near))}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with:  leadline predict photo.jpg",
)
@click.version_option(__version__, prog_name="leadline", message="%(prog)s %(version)s")
def cli() -> None:
    """Depth from a single image, with numbers that know what they mean."""


def main() -> NoReturn:
    """Runs the command line and ends the process with its exit status."""
    signal.signal(signal.SIGTERM, _as_interrupt)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = cli.main(prog_name="leadline", standalone_mode=False)
    except BaseException as error:
        if isinstance(error, SystemExit):
            raise
        status = tell_error(error)
    sys.exit(status if isinstance(status, int) else 0)


def _as_interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """A polite request to end is met like Ctrl-C: what is being written is finished."""
    raise KeyboardInterrupt
