"""An evaluation as one page that holds all it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path, PurePath

from leadline._version import __version__
from leadline.flows.evaluate.page import Page, Setting
from leadline.flows.evaluate.page_cases import Reader, cases_of
from leadline.flows.evaluate.page_charts import depth_chart, place_maps, scale_histograms
from leadline.flows.evaluate.page_tables import (
    figure_tables,
    image_table,
    ladder,
    model_lines,
    pairs,
    remarks,
    rungs_of,
    skipped,
)
from leadline.flows.evaluate.protocol import Protocol
from leadline.flows.evaluate.records import Evaluation
from leadline.flows.evaluate.summary import ENOUGH, drawn_units
from leadline.flows.evaluate.wording import changes_of, heading
from leadline.io.machine import this_machine
from leadline.io.pages import write_page

__all__ = ["page_of", "write_report"]

_TEMPLATE = "evaluation.html"
_SAID_APART = ("name", "summary", "source", "notes", "doubts")


def write_report(evaluation: Evaluation, *, cases: Reader, path: Path) -> None:
    """Writes the report: one HTML file that needs no other, no network and no script.

    Args:
        evaluation: What came of it.
        cases: Reads the sample and the prediction of a row again, for its pictures; None where it cannot.
        path: The file.

    Raises:
        InputError: The rows are of different protocols.
        OutputError: The file cannot be written.
    """
    write_page(_TEMPLATE, path, page=page_of(evaluation, cases=cases))


def page_of(evaluation: Evaluation, *, cases: Reader) -> Page:
    """What the report shows.

    Args:
        evaluation: What came of it.
        cases: Reads the sample and the prediction of a row again, for its pictures; None where it cannot.

    Returns:
        The page.

    Raises:
        InputError: The rows are of different protocols.
    """
    protocol = evaluation.protocol
    places, place_legend = place_maps(evaluation)
    return Page(
        protocol=protocol,
        settings=_settings(protocol),
        dataset=_without_folders(evaluation.dataset)
        + (f" ({evaluation.chosen})" if evaluation.chosen else ""),
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        leadline=__version__,
        machine=this_machine().words,
        models=model_lines(evaluation),
        drawn=drawn_units(evaluation.rows),
        enough=ENOUGH,
        figures=figure_tables(evaluation),
        rungs=rungs_of(evaluation),
        ladder=ladder(evaluation),
        pairs=pairs(evaluation),
        ranked_by=heading(protocol.metrics[0], protocol),
        cases=cases_of(evaluation, read=cases),
        depth=depth_chart(evaluation),
        places=places,
        place_legend=place_legend,
        scales=scale_histograms(evaluation),
        skipped=skipped(evaluation),
        remarks=remarks(evaluation),
        images=image_table(evaluation),
    )


def _settings(protocol: Protocol) -> tuple[Setting, ...]:
    """Every field that decides something."""
    changed = changes_of(protocol)
    return tuple(
        Setting(item.name, _said(getattr(protocol, item.name)), item.name in changed)
        for item in fields(protocol)
        if item.name not in _SAID_APART
    )


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} = {item}" for key, item in value.items()) or "–"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value) or "–"


def _without_folders(dataset: str) -> str:
    """A dataset as typed, without the folders of who typed it: a report travels."""
    layout, colon, place = dataset.rpartition(":")
    return f"{layout}{colon}{PurePath(place).name or place}"
