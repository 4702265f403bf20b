"""What is shown while photos are done: a bar on a terminal, JSON lines where they are asked for."""

from __future__ import annotations

import json
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click

from leadline.flows.report import Event, Failed, Fetching, Started

if TYPE_CHECKING:
    from tqdm import tqdm

__all__ = ["Progress"]


class Progress:
    """Listens to a run: counts, gives notice, moves a bar on standard error where that is a terminal, prints JSON lines.

    Args:
        as_json: Whether each event is printed on standard output as one JSON object a line.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.total = 0
        self.finished = 0
        self.failed: list[Failed] = []
        self._bar: tqdm[Any] | None = None

    def __call__(self, event: Event) -> None:
        """Takes an event in.

        Args:
            event: What happened.
        """
        if isinstance(event, Fetching):
            click.echo(f"fetching {event.words}", err=True)
        elif isinstance(event, Started):
            self.total = event.total
            for notice in event.notices:
                click.echo(f"leadline: {notice}", err=True)
            self._bar = _bar(event.total)
        else:
            self.finished += 1
            if isinstance(event, Failed):
                self.failed.append(event)
            if self._bar is not None:
                self._bar.update()
        if self.as_json:
            self.line(event.to_dict())

    def line(self, values: dict[str, Any]) -> None:
        """Prints one line of JSON at once, so that a reader at the other end of a pipe has it.

        Args:
            values: Plain JSON values.
        """
        click.echo(json.dumps(values))
        sys.stdout.flush()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()


def _bar(total: int) -> tqdm[Any] | None:
    if total < 2 or not sys.stderr.isatty():
        return None
    from tqdm import tqdm

    return tqdm(total=total, unit="photo", file=sys.stderr, dynamic_ncols=True, leave=False)
