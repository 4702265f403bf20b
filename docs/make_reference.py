"""Writes docs/cli.md, docs/api.md, docs/datasets.md, docs/models.md, docs/protocols.md and the tables of
docs/metrics.md and docs/reproduce.md.

With --check, says whether they are up to date.
"""

from __future__ import annotations

import inspect
import sys
from enum import Enum
from pathlib import Path

import click

import leadline
from leadline.cli.main import cli
from leadline.flows.evaluate.protocol import Protocol
from leadline.flows.evaluate.protocol_files import list_protocols
from leadline.flows.reproduce.cell_files import list_published
from leadline.flows.reproduce.cells import Published
from leadline.flows.terms import size_words
from leadline.ops.metrics import METRICS, Pooling
from leadline.plugins.registry import DATASETS, MODELS
from leadline.plugins.specs import DatasetSpec, ModelSpec

DOCS = Path(__file__).resolve().parent
BAR = r"\|"  # in a table's cell


def _commands(command: click.Command, name: str, depth: int = 2) -> str:
    context = click.Context(
        command, info_name=name, **{**cli.context_settings, "terminal_width": 100, "max_content_width": 100}
    )
    text = f"{'#' * min(depth, 4)} `{name}`\n\n```\n{command.get_help(context)}\n```\n\n"
    if isinstance(command, click.Group):
        for sub in command.list_commands(context):
            found = command.get_command(context, sub)
            if found is not None and not found.hidden:
                text += _commands(found, f"{name} {sub}", depth + 1)
    return text


def cli_page() -> str:
    return (
        "# Command line\n\nMade from the code by `docs/make_reference.py`.\n\n"
        + _commands(cli, "leadline").rstrip()
        + "\n"
    )


def _signature(value: object) -> str:
    if isinstance(value, type) and issubclass(value, (Enum, Exception)):
        return ""
    try:
        return str(inspect.signature(value)) if callable(value) else ""  # type: ignore[arg-type]
    except ValueError:
        return ""


def api_page() -> str:
    parts = ["# Python interface\n\nMade from the docstrings by `docs/make_reference.py`.\n"]
    for name in sorted(leadline.__all__, key=str.lower):
        value = getattr(leadline, name)
        if name.startswith("__") or inspect.ismodule(value):
            continue
        doc = inspect.getdoc(value) or ""
        signature = _signature(value)
        head = f"```\n{name}{signature}\n```\n\n" if signature else ""
        parts.append(f"## `leadline.{name}`\n\n{head}```\n{doc}\n```\n")
    return "\n".join(parts)


def datasets_page() -> str:
    parts = [
        "# Datasets\n\nMade from the code by `docs/make_reference.py`; `leadline data info NAME` says the same. How to open,"
        " look at, examine and convert them: [data.md](data.md).\n",
        "| name | what | terms | needs |\n|---|---|---|---|",
    ]
    parts += [
        f"| [`{spec.name}`](#{spec.name}) | {spec.summary} | {spec.licence or '–'} | "
        f"{f'`leadline[{spec.extra}]`' if spec.extra else '–'} |"
        for spec in DATASETS
    ]
    return "\n".join([*parts, "", *map(_dataset, DATASETS)]).rstrip() + "\n"


def _dataset(spec: DatasetSpec) -> str:
    text = f"## {spec.name}\n\n{spec.summary[0].upper()}{spec.summary[1:]}.\n\n"
    if spec.layout:
        text += f"```\n{spec.layout}\n```\n\n"
    if spec.options:
        text += "| option | what | default |\n|---|---|---|\n"
        for option in spec.options:
            values = (
                f" One of {', '.join(f'`{choice}`' for choice in option.choices)}." if option.choices else ""
            )
            default = f"`{option.default}`" if option.default not in ("", None) else "–"
            text += f"| `{option.name}` | {option.help}{values} | {default} |\n"
        text += "\n"
    place = spec.name if spec.endless else f"{spec.name}:PATH"
    text += f"```\nleadline data preview {place}\n```\n"
    return text + (f"\nMore: {spec.paper}\n" if spec.paper else "")


def models_page() -> str:
    parts = [
        "# Models\n\nMade from the code by `docs/make_reference.py`; `leadline models` says the same, with what is here and how fast it"
        " is on your machine. How to use them, and models of your own: [families.md](families.md).\n",
        "| name | predicts | what | size | revision | commercial use | licence | paper |\n|---|---|---|---|---|---|---|---|",
    ]
    parts += [
        f"| `{spec.name}` | {spec.kind.words} | {spec.summary} | {size_words(spec.weights) or 'unknown'} | {_revision(spec)} | "
        f"{spec.commercial.value} | {spec.licence} | {spec.paper or '–'} |"
        for spec in MODELS
        if spec.weights.scheme != "code"
    ]
    return "\n".join(parts) + "\n"


def _revision(spec: ModelSpec) -> str:
    if spec.weights.scheme != "hf":
        return "–"
    return f"`{spec.weights.revision[:12]}`" if spec.weights.revision else "the newest"


def protocols_page() -> str:
    protocols = list_protocols()
    parts = [
        "# Protocols\n\nMade from the code by `docs/make_reference.py`; `leadline protocols NAME` says the same. How to use them:"
        " [evaluate.md](evaluate.md).\n",
        "| name | needs | what |\n|---|---|---|",
    ]
    parts += [f"| `{one.name}` | {_needed(one)} | {one.summary} |" for one in protocols]
    return "\n".join([*parts, "", *map(_protocol, protocols)]).rstrip() + "\n"


def _needed(protocol: Protocol) -> str:
    return "any kind" if protocol.eight_bit else protocol.needs.words


def _protocol(protocol: Protocol) -> str:
    low, high = protocol.limits_m
    options = "".join(f" `{key}={value}`" for key, value in protocol.options.items())
    rows = {
        "from": protocol.source,
        "data": f"{protocol.dataset or 'any'}{options}",
        "truth that counts": f"between {low:g} and {high:g} m, window `{protocol.crop}`",
        "fitted first": protocol.alignment,
        "prediction": f"{'clipped to the same limits' if protocol.clamp else 'as it is'}"
        f"{', averaged with that of the mirrored image' if protocol.flip else ''}",
        "tables print": {"mean": "the mean over images", "pooled": "all pixels pooled"}[protocol.aggregate],
        "metrics": ", ".join(f"`{name}`" for name in protocol.metrics),
        "locked to": f"`{protocol.fingerprint[:16]}`",
    }
    text = f"## {protocol.name}\n\n{protocol.summary}\n\n| | |\n|---|---|\n"
    text += "".join(f"| {key} | {value} |\n" for key, value in rows.items())
    text += f"\n{protocol.notes}\n" if protocol.notes else ""
    return text + (f"\n**What is wrong with it.** {protocol.doubts}\n" if protocol.doubts else "")


def metrics_page() -> str:
    """The page as it is, with its table renewed."""
    rows = [
        f"| `{metric.name}` | {metric.words} | {metric.definition.replace('|', BAR)} | {metric.unit or '–'} | {metric.better} | "
        f"{'–' if metric.pooling is Pooling.NONE else metric.pooling.value} | {metric.source} |"
        for metric in METRICS.values()
    ]
    head = (
        "| name | in tables | definition | unit | better | pooled | source |\n|---|---|---|---|---|---|---|"
    )
    return _renewed("metrics.md", "\n".join([head, *rows]))


def _renewed(page: str, table: str) -> str:
    """A page as it is, with its table renewed."""
    begin, end = (f"<!-- made by make_reference.py: {word} -->" for word in ("begin", "end"))
    before, rest = (DOCS / page).read_text().split(begin)
    return f"{before}{begin}\n{table}\n{end}{rest.split(end)[1]}"


def reproduce_page() -> str:
    """The page as it is, with its table renewed."""
    head = "| row | who | protocol | figures | how sure | source |\n|---|---|---|---|---|---|"
    return _renewed("reproduce.md", "\n".join([head, *map(_published, list_published())]))


def _published(row: Published) -> str:
    figures = ", ".join(f"{metric} {value:g}" for metric, value in row.values.items())
    who = f"{row.who} (`{row.model}`)" if row.model else row.who
    source = row.source
    link = source.url if source.url.startswith("https://") else f"../{source.url}"
    return (
        f"| `{row.name}` | {who} | `{row.protocol}` | {figures or 'not readable'} | {row.sure} | "
        f"[{source.authors}]({link}) |"
    )


def main(check: bool) -> int:
    stale = 0
    pages = (
        ("cli.md", cli_page()),
        ("api.md", api_page()),
        ("datasets.md", datasets_page()),
        ("models.md", models_page()),
        ("protocols.md", protocols_page()),
        ("metrics.md", metrics_page()),
        ("reproduce.md", reproduce_page()),
    )
    for name, text in pages:
        page = DOCS / name
        if check and (not page.is_file() or page.read_text() != text):
            print(f"docs/{name} is out of date: run python docs/make_reference.py")
            stale += 1
        elif not check:
            page.write_text(text)
    return stale


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
