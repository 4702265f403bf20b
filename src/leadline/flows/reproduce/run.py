"""Measuring a published row again with one's own data and weights."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from leadline.core.errors import InputError
from leadline.flows.data.choosing import OPTION_HELP, PLACE_HELP, options_said
from leadline.flows.data.opening import open_dataset
from leadline.flows.evaluate.protocol_files import load_protocol
from leadline.flows.evaluate.request import EvaluateRequest
from leadline.flows.evaluate.run import Listener
from leadline.flows.evaluate.run import run as evaluate
from leadline.flows.options import Told, check_bounds, like, told
from leadline.flows.reproduce.cell_files import find_published
from leadline.flows.reproduce.cells import Published
from leadline.flows.reproduce.compare import Reproduction, compare

__all__ = ["ReproduceRequest", "run"]


@dataclass(frozen=True, slots=True)
class ReproduceRequest:
    """What ``leadline reproduce`` is asked for.

    Raises:
        InputError: Something is out of range, or data are given and no row.
    """

    name: str | None = field(
        default=None, metadata=told(Told("The published row to check; none lists them.", positional=True))
    )
    data: str = field(default="", metadata=told(Told(PLACE_HELP, short="d", metavar="PLACE")))
    model: str = field(
        default="",
        metadata=told(
            Told(
                "Model to score instead of the row's own: a name, hf:ORG/NAME, a checkpoint's folder, or an ONNX file.",
                short="m",
                names="model",
            )
        ),
    )
    search: str = field(
        default="",
        metadata=told(
            Told(
                "List only rows with these letters in their name, model, dataset or source.",
                short="s",
                metavar="TEXT",
            )
        ),
    )
    option: tuple[str, ...] = field(
        default=(), metadata=told(Told(OPTION_HELP, metavar="KEY=VALUE", whole=True))
    )
    spread: int | None = like(EvaluateRequest, "spread")
    out: Path | None = field(
        default=None,
        metadata=told(
            Told(
                "Folder for rows, tables and the report; reproduction/NAME where not said, with what was chosen behind the name. A run that was stopped goes on in it.",
                short="o",
                metavar="FOLDER",
            )
        ),
    )
    engine: str = like(EvaluateRequest, "engine")
    device: str = like(EvaluateRequest, "device")
    threads: int = like(EvaluateRequest, "threads")
    no_cache: bool = like(EvaluateRequest, "no_cache")

    def __post_init__(self) -> None:
        check_bounds(self)
        options_said(self.option)
        if self.name is None and self.data:
            raise InputError(
                f"data are given ({self.data!r}), and no row to check", hint="'leadline reproduce' lists them"
            )


def run(request: ReproduceRequest, *, on_event: Listener | None = None) -> Reproduction:
    """Scores a model as a published row was scored, and compares.

    Args:
        request: Which row, on which data.
        on_event: Is told how far the evaluation is.

    Returns:
        The comparison.

    Raises:
        UnknownName: No row, model or dataset is called so.
        InputError: No row is named, or no data, or the row's model is to be brought and was not.
        LeadlineError: As an evaluation.
    """
    if request.name is None:
        raise InputError("no published row is named", hint="'leadline reproduce' lists them")
    row = find_published(request.name)
    if not request.data:
        raise InputError(
            f"{row.name} is measured on {row.dataset} data, and none are given",
            hint=f"give them: --data {row.dataset}:PATH",
        )
    if not (request.model or row.model):
        raise InputError(
            f"{row.who} is none of leadline's models",
            hint="bring it: --model onnx:FILE, hf:ORG/NAME or a folder",
        )
    _check_data(request, row)
    with ExitStack() as stack:
        ids = None
        if row.ids:
            listed = resources.files("leadline.data.splits").joinpath(f"{row.ids}.txt")
            ids = stack.enter_context(resources.as_file(listed))
        evaluation = evaluate(_evaluation_of(request, row, ids), on_event=on_event)
        return compare(row, evaluation, spread=request.spread)


def _evaluation_of(request: ReproduceRequest, row: Published, ids: Path | None) -> EvaluateRequest:
    return EvaluateRequest(
        request.data,
        models=(request.model or row.model,),
        protocol=row.protocol,
        changes=tuple(f"{name}={value}" for name, value in row.changes.items()),
        option=request.option,
        split=_split(request, row),
        ids=ids,
        spread=request.spread,
        out=request.out or _folder_of(request, row),
        no_cache=request.no_cache,
        engine=request.engine,
        device=request.device,
        threads=request.threads,
        tta=row.tta,
        inputs=tuple(f"{name}={value}" for name, value in row.inputs.items()),
        kind=row.stated.get("kind", ""),
        unit=row.stated.get("unit", ""),
        input_size=row.stated.get("input_size", ""),
        mean=row.stated.get("mean", ""),
        std=row.stated.get("std", ""),
        layout=row.stated.get("layout", ""),
    )


def _check_data(request: ReproduceRequest, row: Published) -> None:
    layout = open_dataset(request.data, options=options_said(request.option)).spec.name
    protocol = load_protocol(row.protocol, dataset=layout, changes=row.changes)
    if protocol.dataset not in ("", "any", layout):
        raise InputError(
            f"{row.name} is measured on {row.dataset} data, and {request.data!r} is {layout}",
            hint=f"give them: --data {row.dataset}:PATH",
        )


def _folder_of(request: ReproduceRequest, row: Published) -> Path:
    """A folder for each choice, so that a look at a few images is not in the way of the whole."""
    chosen = [row.name]
    if request.model and request.model != row.model:
        chosen.append(request.model.rstrip("/").rpartition("/")[2])
    chosen += request.option
    if request.spread is not None:
        chosen.append(f"spread-{request.spread}")
    return Path("reproduction") / re.sub(r"[^\w.-]+", "-", "-".join(chosen))


def _split(request: ReproduceRequest, row: Published) -> str:
    """The row's split where the data know splits; folders of one split do not, and are taken whole."""
    if not row.split:
        return ""
    entries = open_dataset(request.data, options=options_said(request.option)).entries
    return row.split if any(entry.split for entry in entries) else ""
