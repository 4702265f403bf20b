"""The history of a run: one line an epoch, however often the run was broken off and went on."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities.rank_zero import rank_zero_only

from leadline.io.atomic import write_whole

__all__ = ["HISTORY", "History", "read_history"]

HISTORY = "history"
"""Name of its folder within a run's."""
FILE = "metrics.csv"


class History(Logger):  # type: ignore[misc]  # Lightning is not typed
    """Writes what is logged of each epoch into one line of a table; an epoch that is done again replaces its line.

    Args:
        out: Folder of the run.
        rows: What is known of epochs done before, by their number.
    """

    name, version = HISTORY, ""

    def __init__(self, out: Path, *, rows: Mapping[int, Mapping[str, Any]]) -> None:
        super().__init__()
        self.path = out / HISTORY / FILE
        self.rows = {epoch: dict(row) for epoch, row in rows.items()}

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Adds to the line of an epoch; lines of later ones are of a course that was left, and go."""
        if getattr(rank_zero_only, "rank", 0):
            return
        epoch = int(metrics["epoch"])
        self.rows = {known: row for known, row in self.rows.items() if known <= epoch}
        self.rows.setdefault(epoch, {}).update(metrics, epoch=epoch, step=step)
        self._write()

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Nothing: the recipe holds them."""

    def _write(self) -> None:
        named = {name for row in self.rows.values() for name in row}
        columns = ["epoch", "step", *sorted(named - {"epoch", "step"})]
        with write_whole(self.path) as part, part.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, columns)
            table.writeheader()
            table.writerows(self.rows[epoch] for epoch in sorted(self.rows))


def read_history(out: Path) -> dict[int, dict[str, str]]:
    """The history of a run that goes on.

    Args:
        out: Folder of the run.

    Returns:
        What each epoch's line says, by its number; of earlier versions' folders, which had one file for each start of a run,
        what was noted last.
    """
    whole = out / HISTORY / FILE
    parts = [whole] if whole.exists() else sorted(out.glob(f"{HISTORY}/version_*/{FILE}"), key=_start_of)
    rows: dict[int, dict[str, str]] = {}
    for path in parts:
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            for row in csv.DictReader(file):
                if (row.get("epoch") or "").isdecimal():
                    said = {name: value for name, value in row.items() if name and value}
                    rows.setdefault(int(row["epoch"]), {}).update(said)
    return rows


def _start_of(path: Path) -> tuple[int, str]:
    number = path.parent.name.rpartition("_")[2]
    return int(number) if number.isdecimal() else 0, path.parent.name
