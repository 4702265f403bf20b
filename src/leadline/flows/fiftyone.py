"""Models scored on a dataset, and all of it in FiftyOne."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError, LeadlineError
from leadline.core.kind import Freedom, Quantity
from leadline.core.results import ModelRecord
from leadline.core.sample import Entry, Sample
from leadline.flows.data.collection import Collection
from leadline.flows.evaluate.planning import plan
from leadline.flows.evaluate.protocol import Protocol
from leadline.flows.evaluate.records import Evaluation, Judged
from leadline.flows.evaluate.request import EvaluateRequest
from leadline.flows.evaluate.run import Listener
from leadline.flows.evaluate.run import run as evaluate
from leadline.flows.naming import resolve_model
from leadline.flows.options import Told, check_bounds, like, told
from leadline.io.images import read_image
from leadline.ops.align import align
from leadline.ops.geometry import to_depth
from leadline.plugins.registry import load

__all__ = ["FiftyOneReport", "FiftyOneRequest", "Shown", "open_app", "run", "to_fiftyone"]

_FARTHER = 2.0
"""Aligned inverse depth is cut at so many times the farthest truth."""


@dataclass(frozen=True, slots=True)
class FiftyOneRequest:
    """What ``leadline fiftyone`` is asked for.

    Raises:
        InputError: Something is out of range.
    """

    data: str = like(EvaluateRequest, "data")
    name: str = field(
        default="",
        metadata=told(
            Told(
                "Name of the FiftyOne dataset; the layout's where none is given. Models are added to one that is there."
            )
        ),
    )
    models: tuple[str, ...] = field(
        default=(),
        metadata=told(
            Told(
                "Model: a name, hf:ORG/NAME, a checkpoint's folder, or an ONNX file; repeat it to compare; FIELD=MODEL says "
                "what its predictions are called.",
                flag="model",
                short="m",
                metavar="[FIELD=]MODEL",
                names="model",
                whole=True,
            )
        ),
    )
    predictions: tuple[str, ...] = like(EvaluateRequest, "predictions")
    protocol: str = like(EvaluateRequest, "protocol")
    changes: tuple[str, ...] = like(EvaluateRequest, "changes")
    option: tuple[str, ...] = like(EvaluateRequest, "option")
    split: str = like(EvaluateRequest, "split")
    first: int | None = like(EvaluateRequest, "first")
    spread: int | None = like(EvaluateRequest, "spread")
    ids: Path | None = like(EvaluateRequest, "ids")  # noqa: RUF009  # it makes a field
    out: Path | None = field(
        default=None,
        metadata=told(
            Told("Folder for maps, copied photos and rows; ~/fiftyone/NAME where none is given.", short="o")
        ),
    )
    maps: str = field(
        default="png16",
        metadata=told(
            Told(
                "Where depth is kept: 16-bit PNG files, small, to the millimetre or the truth's own step; or float32 metres in "
                "the database, exact and large.",
                choices=("png16", "float"),
            )
        ),
    )
    no_launch: bool = field(default=False, metadata=told(Told("Do not open the app.")))
    port: int = field(default=5151, metadata=told(Told("Port of the app.", minimum=1, maximum=65535)))
    remote: bool = field(
        default=False, metadata=told(Told("Serve the app without opening a browser on this machine."))
    )
    no_cache: bool = like(EvaluateRequest, "no_cache")
    engine: str = like(EvaluateRequest, "engine")
    device: str = like(EvaluateRequest, "device")
    threads: int = like(EvaluateRequest, "threads")
    batch: int = like(EvaluateRequest, "batch")
    tta: tuple[str, ...] = like(EvaluateRequest, "tta")
    inputs: tuple[str, ...] = like(EvaluateRequest, "inputs")
    kind: str = like(EvaluateRequest, "kind")
    unit: str = like(EvaluateRequest, "unit")
    scale: float | None = like(EvaluateRequest, "scale")
    input_size: str = like(EvaluateRequest, "input_size")
    mean: str = like(EvaluateRequest, "mean")
    std: str = like(EvaluateRequest, "std")
    layout: str = like(EvaluateRequest, "layout")

    def __post_init__(self) -> None:
        check_bounds(self)
        _ = self.evaluation(Path())

    @property
    def called(self) -> dict[str, str]:
        """Models as they were typed, and the field each shall have; empty where that is not said."""
        return {model: name for name, model in map(_split_model, self.models)}

    def evaluation(self, out: Path) -> EvaluateRequest:
        """The evaluation that is done on the way.

        Args:
            out: The folder of its rows.

        Returns:
            The request.
        """
        own = {field.name for field in fields(EvaluateRequest)} - {"models", "out"}
        same = {item.name: getattr(self, item.name) for item in fields(self) if item.name in own}
        return EvaluateRequest(**same, models=tuple(self.called), out=out, no_report=True)


@dataclass(frozen=True, slots=True)
class Shown:
    """One model in the dataset.

    Args:
        model: The model's name.
        field: The field of its predictions: ``dataset.mean(f"{field}.rmse")``.
        means: What FiftyOne says of the means of the protocol's metrics, in its order.
    """

    model: str
    field: str
    means: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class FiftyOneReport:
    """What came of it.

    Args:
        name: The dataset's name.
        samples: How many samples it has.
        folder: Where its maps, copied photos and rows are.
        shown: The models of this run, in order.
        evaluation: Their evaluation.
    """

    name: str
    samples: int
    folder: Path
    shown: tuple[Shown, ...]
    evaluation: Evaluation


def run(request: FiftyOneRequest, *, on_event: Listener | None = None) -> FiftyOneReport:
    """Scores models on a dataset and adds photos, truth, predictions and scores to a persistent FiftyOne dataset.

    One sample is in memory at a time. A run that was stopped goes on; models that are there already are not run again.

    Args:
        request: What is asked for.
        on_event: As ``evaluate``.

    Returns:
        What came of it.

    Raises:
        MissingExtra: FiftyOne is not installed.
        OutputError: Its database is not to be had, or a file cannot be written.
        InputError: The port is taken; or the name is, by a dataset that leadline did not make, or that holds something else; or as evaluating.
        LeadlineError: As evaluating.
    """
    asked = request.evaluation(Path())
    planned = plan(asked)
    specs = [(resolve_model(model, stated=asked.stated), field) for model, field in request.called.items()]
    for spec, _ in specs:
        planned.protocol.check(spec.kind, who=f"model {spec.name!r}")
    wanted = {spec.name: field for spec, field in specs}
    name = request.name or planned.collection.spec.name
    if not request.no_launch:
        load("leadline.bridges.fiftyone_app:check_port")(request.port)
    album = load("leadline.bridges.fiftyone:Album")(
        name, stamp=_stamp(planned.collection, planned.protocol), folder=request.out, maps=request.maps
    )
    with album:
        for model, field in wanted.items():
            if field:
                album.check_field(model, field)
        entry_of = {entry.id: entry for entry in planned.collection.entries}
        choices = {"inputs": ",".join(request.inputs), "tta": ",".join(request.tta)}

        def field_of(model: ModelRecord) -> str:
            field: str = album.field_of(model, choices=choices, wanted=wanted.get(model.name, ""))
            return field

        def lacks(model: ModelRecord, id: str) -> bool:
            return not album.has(field_of(model), id)

        def add(judged: Judged) -> None:
            entry = entry_of[judged.sample.id]
            photo = _own_photo(planned.collection, entry, judged.sample)
            album.add_sample(judged.sample, photo=photo, tags=_tags(judged.sample, planned.collection))
            depth, aligned = _in_metres(judged, planned.protocol)
            album.add_prediction(
                judged.sample,
                depth,
                field=field_of(judged.model),
                model=judged.model,
                scores=_scores(judged, planned.protocol),
                predicts=judged.prediction.kind,
                aligned=aligned,
            )

        out = album.folder / "evaluations" / _of_ids(entry_of)
        evaluation = evaluate(request.evaluation(out), on_event=on_event, on_judged=add, lacks=lacks)
        album.finish()
        shown = tuple(_shown(album, field_of(model), model, evaluation) for model in evaluation.models)
        return FiftyOneReport(name, len(album), album.folder, shown, evaluation)


def open_app(request: FiftyOneRequest, report: FiftyOneReport) -> Any:
    """Opens the app on what was made.

    Args:
        request: Port, and whether a browser is opened.
        report: The dataset.

    Returns:
        The app: ``url``, ``wait()``, ``close()``.

    Raises:
        InputError: The port is taken.
    """
    return load("leadline.bridges.fiftyone_app:open_app")(
        report.name, port=request.port, remote=request.remote
    )


def to_fiftyone(
    data: str | os.PathLike[str],
    *,
    models: Sequence[str] = (),
    name: str = "",
    protocol: str = "",
    options: Mapping[str, str] | None = None,
    first: int | None = None,
    out: str | os.PathLike[str] | None = None,
    maps: str = "png16",
    on_event: Listener | None = None,
) -> Any:
    """Scores models on a dataset, and gives photos, truth, predictions and scores as a persistent FiftyOne dataset.

    ``dataset.mean("dpt.rmse")`` is the mean of a metric; metres are ``get_map() * label.scale + label.offset`` of every
    heatmap, 0 where nothing is known. Called again with more models, it adds them.

    Args:
        data: The dataset: ``"sunrgbd:PATH"``.
        models: Models as ``open_model`` takes them; ``"dpt=hf:ORG/NAME"`` says what the field is called.
        name: The FiftyOne dataset's name; the layout's where empty.
        protocol: The protocol; the dataset's own where empty.
        options: What the dataset is opened with.
        first: At most so many samples.
        out: Folder for maps and copied photos; ``~/fiftyone/NAME`` where None.
        maps: ``"png16"``, 16-bit files; or ``"float"``, float32 metres in the database.
        on_event: Is told how far it is.

    Returns:
        ``fiftyone.Dataset``.

    Raises:
        LeadlineError: As ``leadline fiftyone``: no FiftyOne, no database, a name that is taken, or as evaluating.
    """
    request = FiftyOneRequest(
        data=os.fspath(data),
        models=tuple(models),
        name=name,
        protocol=protocol,
        option=tuple(f"{key}={value}" for key, value in (options or {}).items()),
        first=first,
        out=None if out is None else Path(out),
        maps=maps,
        no_launch=True,
    )
    report = run(request, on_event=on_event)
    return load("leadline.bridges.fiftyone_database:connected")().load_dataset(report.name)


def _split_model(text: str) -> tuple[str, str]:
    """``dpt=MODEL`` says what a model's field is called."""
    name, equals, model = text.partition("=")
    if equals and re.fullmatch(r"[A-Za-z]\w*", name) and not Path(text).exists():
        return name, model
    return "", text


def _stamp(collection: Collection, protocol: Protocol) -> Any:
    options = {key: str(value) for key, value in sorted(collection.options.items())}
    stamp: Callable[..., Any] = load("leadline.bridges.fiftyone:Stamp")
    return stamp(collection.spec.name, options, protocol.name, protocol.fingerprint)


def _of_ids(ids: Mapping[str, Entry]) -> str:
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()[:12]


def _tags(sample: Sample, collection: Collection) -> tuple[str, ...]:
    return (collection.spec.name, sample.split, "" if sample.scene == sample.id else sample.scene)


def _own_photo(collection: Collection, entry: Entry, sample: Sample) -> Path | None:
    """The file of a photo, where it lies in a folder and shows what the sample shows: not mirrored, not cropped."""
    tree = getattr(collection.dataset, "tree", None)
    if tree is None or not entry.files or not tree.path.is_dir():
        return None
    path: Path = tree.local(entry.files[0]).resolve()
    try:
        same = np.array_equal(read_image(path).rgb_HW3, sample.image.rgb_HW3)
    except LeadlineError:
        return None
    return path if same else None


def _in_metres(judged: Judged, protocol: Protocol) -> tuple[DepthMap, str]:
    """What is shown: what was scored, or, where that is of another kind, the same fitted to the truth if it can be."""
    depth, truth = judged.depth, judged.sample.truth
    if depth.kind.freedom is Freedom.NONE:
        return to_depth(depth), protocol.alignment
    try:
        found = align(depth, truth)
        if depth.kind.quantity is Quantity.INVERSE:
            limit_m = _FARTHER * (truth.range() or (0.0, 10.0))[1]
            aligned = found.apply(depth, nonpositive="clamp", limit_m=limit_m)
        else:
            aligned = found.apply(depth)
        return to_depth(aligned), f"{'scale' if found.freedom is Freedom.SCALE else 'affine'}-{found.space}"
    except (InputError, KindError):
        return depth, "none"


def _scores(judged: Judged, protocol: Protocol) -> dict[str, float]:
    scores = judged.row.scores["protocol"]
    figures = {name: float(getattr(scores, name)) for name in protocol.metrics}
    return {**figures, "coverage": scores.coverage}


def _shown(album: Any, field: str, model: ModelRecord, evaluation: Evaluation) -> Shown:
    means = {name: album.mean(field, name) for name in evaluation.protocol.metrics}
    return Shown(model.name, field, means)
