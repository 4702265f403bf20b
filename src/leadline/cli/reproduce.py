"""``leadline reproduce``."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

import click

from leadline.cli.errors import SOME_FAILED
from leadline.cli.evaluate import Watch
from leadline.cli.options import options_of, request_of
from leadline.flows.evaluate.wording import decimals_for, heading, shown
from leadline.flows.reproduce.cell_files import find_published, list_published
from leadline.flows.reproduce.cells import Published
from leadline.flows.reproduce.compare import Compared, Reproduction
from leadline.flows.reproduce.run import ReproduceRequest, run

__all__ = ["reproduce"]

EXAMPLES = """\b
Examples:
  leadline reproduce
  leadline reproduce --search nyu
  leadline reproduce glpn-nyu
  leadline reproduce glpn-nyu --data nyu:nyu_depth_v2_labeled.mat
  leadline reproduce meter-xxs-nyu --data nyu:nyu_depth_v2_labeled.mat --model onnx:meter_xxs_nyu.onnx
  leadline reproduce fiftyone-dpt --data sunrgbd:SUNRGBD --spread 20
"""


@click.command(epilog=EXAMPLES)
@options_of(ReproduceRequest)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def reproduce(as_json: bool, **options: Any) -> None:
    """Check published figures.

    Without NAME: the published rows that are known. With NAME alone: all that is known of it. With --data: the model is
    scored as the source scored it, and what comes out stands beside what was printed. Ends with status 1 where a figure is
    missed.
    """
    request = request_of(ReproduceRequest, options)
    if request.name is None:
        _list(list_published(search=request.search), as_json=as_json)
    elif not request.data:
        _show(find_published(request.name), as_json=as_json)
    else:
        _check(request, as_json=as_json)


def _list(rows: tuple[Published, ...], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], indent=1))
        return
    if not rows:
        click.echo("no published row has these letters in it")
        return
    widths = [max(len(text) for text in column) for column in zip(*map(_columns, rows), strict=True)]
    for row in rows:
        click.echo(
            "  ".join(f"{text:{width}}" for text, width in zip(_columns(row), widths, strict=True)).rstrip()
        )


def _columns(row: Published) -> tuple[str, ...]:
    figures = " ".join(f"{metric} {value:g}" for metric, value in row.values.items())
    return row.name, row.model or "bring it", row.protocol, figures or "figures not readable", row.sure


def _show(row: Published, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(row), indent=1))
        return
    told = [
        ("name", row.name),
        ("printed in", f"{row.source.authors}: {row.source.title}; {row.table}"),
        ("where", row.source.url),
        ("how sure", row.sure),
        ("model", f"{row.who} ({row.model or 'none of leadline’s: bring it with --model'})"),
        (
            "data",
            f"{row.dataset}{f', {row.images} images' if row.images else ''}{f', {row.split}' * bool(row.split)}",
        ),
        ("protocol", " ".join((row.protocol, *(f"{name}={value}" for name, value in row.changes.items())))),
        *((metric, f"{value:g} ± {row.tolerance[metric]:g}") for metric, value in row.values.items()),
        ("not readable", ", ".join(row.unread)),
        ("note", row.note),
        (
            "check it",
            f"leadline reproduce {row.name} --data {row.dataset}:PATH{'' if row.model else ' --model MODEL'}",
        ),
    ]
    for what, words in told:
        if words:
            click.echo(f"{what:<12} {words}")


def _check(request: ReproduceRequest, *, as_json: bool) -> None:
    watch = Watch(as_json=False)
    try:
        found = run(request, on_event=watch)
    finally:
        watch.close()
    if as_json:
        click.echo(json.dumps(_values(found)))
    else:
        _tell(found)
    if not found.within:
        click.get_current_context().exit(SOME_FAILED)


def _tell(found: Reproduction) -> None:
    row, protocol = found.published, found.evaluation.protocol
    click.echo(f"{row.who}, {row.source.authors}, {row.table} ({row.sure})")
    click.echo(f"{found.evaluation.models[0].name} on {found.evaluation.dataset}, {protocol.name}")
    width = max(len(heading(one.metric, protocol)) for one in found.compared)
    click.echo(f"  {'':{width}}  {'published':>10}  {'measured':>10}  {'difference':>10}")
    for one in found.compared:
        click.echo(f"  {heading(one.metric, protocol):{width}}  {_line(one)}")
    for remark in found.remarks:
        click.echo(f"note: {remark}")
    if found.reasons:
        click.echo("why it may be so:")
    for reason in found.reasons:
        click.echo(f"  {reason}")
    click.echo(f"rows, tables and report: {found.evaluation.folder}")


def _line(one: Compared) -> str:
    if one.cell is None:
        decimals = decimals_for([one.measured])
        return f"{'?':>10}  {shown(one.measured, decimals):>10}  {'':>10}  nothing readable was published"
    decimals = decimals_for([one.cell.value])
    verdict = "within" if one.within else "OUTSIDE"
    return (
        f"{one.cell.value:>10g}  {shown(one.measured, decimals):>10}  {one.difference:>+10.{decimals}f}  {verdict} ± "
        f"{one.cell.tolerance:g}"
    )


def _values(found: Reproduction) -> dict[str, Any]:
    return {
        "name": found.published.name,
        "model": found.evaluation.models[0].to_dict(),
        "data": found.evaluation.dataset,
        "protocol": found.evaluation.protocol.name,
        "within": found.within,
        "metrics": {
            one.metric: {
                "published": None if one.cell is None else one.cell.value,
                "tolerance": None if one.cell is None else one.cell.tolerance,
                "measured": None if math.isnan(one.measured) else one.measured,
                "within": None if one.cell is None else one.within,
            }
            for one in found.compared
        },
        "remarks": list(found.remarks),
        "reasons": list(found.reasons),
    }
