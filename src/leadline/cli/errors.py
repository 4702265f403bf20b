"""How a run of the command line ends: one line for an error, and its exit status."""

from __future__ import annotations

import os
import sys
from difflib import get_close_matches

import click

from leadline.core.errors import LeadlineError

__all__ = ["INTERRUPTED", "SOME_FAILED", "UNEXPECTED", "debugging", "tell_error"]

SOME_FAILED = 1
"""Exit status where some photos of a batch failed."""

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""

UNEXPECTED = 70
"""Exit status after a fault of leadline's own (EX_SOFTWARE)."""


def debugging() -> bool:
    """Whether ``LEADLINE_DEBUG`` asks for tracebacks."""
    return os.environ.get("LEADLINE_DEBUG", "") not in ("", "0")


def _with_near_ones(error: click.NoSuchOption) -> click.NoSuchOption:
    """Without those of click's proposals that are near by their dashes alone."""
    names = {option.lstrip("-"): option for option in error.possibilities or ()}
    near = get_close_matches(error.option_name.lstrip("-"), names, n=3, cutoff=0.6)
    return click.NoSuchOption(error.option_name, possibilities=[names[name] for name in near], ctx=error.ctx)


def tell_error(error: BaseException) -> int:
    """Says on standard error what went wrong.

    Args:
        error: What ended the run.

    Returns:
        The exit status.
    """
    if debugging() and not isinstance(error, click.exceptions.Exit | click.UsageError):
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    if isinstance(error, LeadlineError):
        click.echo(f"leadline: {error}", err=True)
        return error.exit_status
    if isinstance(error, click.NoSuchOption):
        error = _with_near_ones(error)
    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code
    if isinstance(error, click.Abort | KeyboardInterrupt):
        click.echo("leadline: interrupted", err=True)
        return INTERRUPTED
    if isinstance(error, MemoryError):
        click.echo("leadline: out of memory; try smaller photos, or --batch 1", err=True)
        return UNEXPECTED
    click.echo(
        f"leadline: a fault of leadline itself: {type(error).__name__}: {error}; "
        "set LEADLINE_DEBUG=1 to see where, and please report it",
        err=True,
    )
    return UNEXPECTED
