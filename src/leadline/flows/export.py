"""Models as files for other programs: ONNX, or OpenVINO's own, with what must be known beside them, and checked."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from leadline.core.errors import EngineError, InputError
from leadline.core.image import Image
from leadline.core.kind import Kind
from leadline.flows.demo import bundled_photo
from leadline.flows.inputs import choices_of
from leadline.flows.model import Model, open_model
from leadline.flows.naming import resolve_model
from leadline.flows.options import Told, check_bounds, like, told
from leadline.flows.predict_request import PredictRequest
from leadline.flows.typed import named_values, size_of
from leadline.io.atomic import write_whole
from leadline.io.images import read_image
from leadline.io.sources import find_photos
from leadline.io.weights import locate, version_of
from leadline.ops.crop import crop
from leadline.ops.processing import Processing
from leadline.ops.resize import resize
from leadline.plugins.need import need
from leadline.plugins.ports import Declaring, Network
from leadline.plugins.registry import load
from leadline.plugins.specs import ModelSpec, Stated

__all__ = ["Check", "ExportReport", "ExportRequest", "run"]

MARK = "# written by leadline export"
SUFFIXES = {"onnx": ".onnx", "openvino": ".xml"}
TOLERANCE = 1e-2
"""Two packages that resize a photo by one rule round a few pixels to another of 256 levels."""

TOLERANCE_INT8 = 0.1
"""Of the mean: an int8 network's largest error lies at edges, and says little."""


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What ``leadline export`` is asked for.

    Raises:
        InputError: Something is out of range, or does not go together.
    """

    model: str = field(
        metadata=told(
            Told("Model: a name, hf:ORG/NAME, a checkpoint's folder or an ONNX file.", positional=True)
        )
    )
    to: str = field(default="onnx", metadata=told(Told("What is written.", choices=tuple(SUFFIXES))))
    out: Path | None = field(
        default=None,
        metadata=told(Told("File; by default the model's name, in this folder.", short="o", metavar="FILE")),
    )
    int8: bool = field(
        default=False, metadata=told(Told("8-bit integers, calibrated on --int8-photos; with --to openvino."))
    )
    int8_photos: tuple[str, ...] = field(
        default=(),
        metadata=told(
            Told(
                "Photos to calibrate on: files, folders, globs; like those to be predicted.", metavar="PHOTOS"
            )
        ),
    )
    shape: str = field(
        default="",
        metadata=told(
            Told(
                "Size of the photos it is for, or dynamic for any; by default that of the first of --photos.",
                metavar="HEIGHTxWIDTH|dynamic",
            )
        ),
    )
    verify: bool = field(
        default=False,
        metadata=told(
            Told("Hold its depth against that of the model itself, and fail where it is too far off.")
        ),
    )
    photos: tuple[str, ...] = field(
        default=(),
        metadata=told(
            Told(
                "Photos to verify on: files, folders, globs; by default the one that ships.", metavar="PHOTOS"
            )
        ),
    )
    tolerance: float | None = field(
        default=None,
        metadata=told(
            Told(
                f"Largest error, as a share of the largest depth: {TOLERANCE:g} unless said; of int8 the mean error as a "
                f"share of the mean depth: {TOLERANCE_INT8:g}.",
                minimum=0,
            )
        ),
    )
    kind: str = like(PredictRequest, "kind")
    inputs: tuple[str, ...] = like(PredictRequest, "inputs")

    def __post_init__(self) -> None:
        check_bounds(self)
        _ = self.size
        if self.int8 and self.to != "openvino":
            raise InputError("int8 is written for OpenVINO only", hint="add --to openvino")
        if self.int8 != bool(self.int8_photos):
            raise InputError(
                "int8 is calibrated on photos: --int8 and --int8-photos go together",
                hint="name photos like those that will be predicted: --int8 --int8-photos FOLDER",
            )
        if self.photos and not (self.verify or not self.shape):
            raise InputError("photos are given, but nothing is verified", hint="add --verify")

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width of the photos it is for, where they are said."""
        if self.shape in ("", "dynamic"):
            return None
        height, width = size_of(self.shape)
        return (height, width) if height and width else None

    @property
    def largest(self) -> float:
        """The error that is allowed."""
        if self.tolerance is not None:
            return self.tolerance
        return TOLERANCE_INT8 if self.int8 else TOLERANCE


@dataclass(frozen=True, slots=True)
class Check:
    """How far the file's depth of a photo is from the model's own.

    Args:
        photo: The photo.
        largest: Largest difference, as a share of the largest depth.
        mean: Mean difference, as a share of the mean depth.
    """

    photo: str
    largest: float
    mean: float


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written, and how it was found.

    Args:
        model: The model's name.
        files: What was written, the one to name first.
        against: What its depth was held against.
        runs_on: What ran it.
        remarks: What its user should know, a sentence each.
        checks: One a photo; none where nothing was verified.
        tolerance: The error that is allowed.
        of_mean: Whether that is said of the mean error.
    """

    model: str
    files: tuple[Path, ...]
    against: str
    runs_on: str
    remarks: tuple[str, ...]
    checks: tuple[Check, ...]
    tolerance: float
    of_mean: bool

    @property
    def sound(self) -> bool:
        """Whether every photo's error is allowed."""
        return all((check.mean if self.of_mean else check.largest) <= self.tolerance for check in self.checks)


def run(request: ExportRequest) -> ExportReport:
    """Writes a model as a file, and verifies it where that is asked for.

    Args:
        request: What to do.

    Returns:
        What was written.

    Raises:
        UnknownName: No model has that name, or the model has no such choice.
        InputError: A file is there already that leadline did not write, a photo cannot be used, or the shape cannot be had.
        MissingExtra: A package that is needed is not installed.
        WeightsError: Weights are not here, cannot be fetched, or are damaged.
        EngineError: The model cannot be exported: the message says why, and what to do.
        OutputError: A file cannot be written.
    """
    spec = resolve_model(request.model, stated=_stated(request))
    choices_of(spec, named_values(request.inputs))  # refused before anything is fetched
    path = request.out or Path(f"{spec.name.rpartition(':')[2].replace('/', '-')}{SUFFIXES[request.to]}")
    if path.suffix.lower() != SUFFIXES[request.to]:
        raise InputError(
            f"{str(path)!r} does not end in {SUFFIXES[request.to]}",
            hint="name a file that does, or change --to",
        )
    files = [
        path,
        path.with_suffix(".toml"),
        *([path.with_suffix(".bin")] if request.to == "openvino" else []),
    ]
    _protect(files)
    for package in spec.packages:
        need(package, who=f"model {spec.name!r}", extra=spec.extra, install=spec.install)
    shown = _photos(request)
    image = _sized(shown[0], request.size)
    weights = locate(spec.weights, name=spec.name)
    if weights.suffix.lower() in (".onnx", ".xml"):
        remarks = _write_file(request, spec, weights, path, image)
    else:
        remarks = _write_network(request, spec, weights, path, image)
    if not request.verify:
        return ExportReport(spec.name, tuple(files), "", "", remarks, (), request.largest, request.int8)
    theirs = [_sized(photo, (image.height, image.width)) for photo in shown]
    with (
        open_model(spec, engine=spec.engines[0], inputs=named_values(request.inputs)) as own,
        open_model(str(path)) as made,
    ):
        checks = tuple(_check(own, made, photo) for photo in theirs)
        return ExportReport(
            spec.name,
            tuple(files),
            own.record.engine,
            made.record.engine,
            remarks,
            checks,
            request.largest,
            request.int8,
        )


def _stated(request: ExportRequest) -> Stated:
    kind = Kind.parse(request.kind) if request.kind else None
    return Stated(kind, inputs=named_values(request.inputs))


def _protect(files: Sequence[Path]) -> None:
    """Refuses to write over what leadline did not export: the text beside a file says whose it is."""
    there = [path for path in files if path.exists()]
    beside = files[1]
    try:
        ours = beside.is_file() and beside.read_text("utf-8").startswith(MARK)
    except (OSError, UnicodeDecodeError):
        ours = False
    if there and not ours:
        raise InputError(
            f"{str(there[0])!r} is there already, and leadline did not export it",
            hint="choose another file with --out, or move that one away",
        )


def _photos(request: ExportRequest) -> list[Image]:
    sources = request.photos or (str(bundled_photo()),)
    return [read_image(photo.source) for photo in find_photos(sources, recursive=True)]


def _sized(photo: Image, size: tuple[int, int] | None) -> Image:
    """The middle of a photo that has a size's shape, at that size."""
    if size is None or size == (photo.height, photo.width):
        return photo
    height, width = size
    share = min(photo.height / height, photo.width / width)
    rows, columns = max(1, round(height * share)), max(1, round(width * share))
    left, top = (photo.width - columns) // 2, (photo.height - rows) // 2
    return resize(crop(photo, left=left, top=top, width=columns, height=rows), width=width, height=height)


def _write_file(
    request: ExportRequest, spec: ModelSpec, weights: Path, path: Path, image: Image
) -> tuple[str, ...]:
    """A model that is a file already: copied, or read and written by OpenVINO."""
    if spec.processing is None:
        remarks = [f"takes photos of any size{'' if request.size is None else ', not of one alone'}"]
    else:
        fixed = f"{spec.processing.height}x{spec.processing.width}"
        remarks = [f"its network takes {fixed}, to which photos of any size are brought"]
    if request.to == "openvino":
        save = load("leadline.engines.openvino.saving:save")
        save(weights, spec, path, image=image, int8_photos=request.int8_photos)
    elif weights.suffix.lower() == ".onnx":
        with write_whole(path) as part:
            shutil.copyfile(weights, part)
    else:
        raise EngineError(f"{spec.name!r} is OpenVINO's, which does not write ONNX", hint="use --to openvino")
    _write_beside(path, spec, spec.processing, version=spec.version or version_of(spec.weights, weights))
    return tuple(remarks)


def _write_network(
    request: ExportRequest, spec: ModelSpec, weights: Path, path: Path, image: Image
) -> tuple[str, ...]:
    """A family's network: its middle step as a graph, the steps around it declared."""
    if not spec.network:
        raise EngineError(
            f"{spec.name!r} runs elsewhere and cannot be exported", hint="export a model that is here"
        )
    choices = choices_of(spec, named_values(request.inputs))
    network: Network = load(spec.network)(weights, **choices)
    if not isinstance(network, Declaring):
        raise EngineError(
            f"the processing of {spec.name!r} is more than a file can declare",
            hint=f"run the model itself, with --engine {spec.engines[-1]}",
        )
    processing = network.declared(image)
    if request.shape == "dynamic":
        _check_any_size(network, spec.name)
    network.module.eval().requires_grad_(False)
    version = spec.version or version_of(spec.weights, weights)
    if request.to == "openvino":
        save = load("leadline.engines.openvino.saving:save")
        save(network, spec, path, image=image, int8_photos=request.int8_photos)
    else:
        record = {"name": spec.name, "kind": str(spec.kind), "version": version, "licence": spec.licence}
        write = load("leadline.exporters.onnx_network:export_middle")
        write(network.module, network.prepare([image]), path, name=spec.name, record=record)
    _write_beside(path, spec, processing, version=version)
    given, taken = f"{image.height}x{image.width}", f"{processing.height}x{processing.width}"
    if _takes_one_size(network):
        return (f"its network takes {taken}, to which photos of any size are brought",)
    return (
        f"for photos of the shape of {given}, which go through the network at {taken}; photos of another shape are squeezed",
    )


def _takes_one_size(network: Declaring) -> bool:
    """Whether a family brings photos of every shape to one size."""
    tall, wide = (
        network.declared(Image.from_array(np.zeros((*size, 3), np.uint8))) for size in ((96, 64), (64, 160))
    )
    return tall == wide


def _check_any_size(network: Declaring, name: str) -> None:
    if not _takes_one_size(network):
        raise InputError(
            f"{name!r} looks at photos of every shape in another size, and a file is of one",
            hint="say the photos' size: --shape HEIGHTxWIDTH",
        )


def _write_beside(path: Path, spec: ModelSpec, processing: Processing | None, *, version: str) -> None:
    """What the file cannot say of itself, as ``leadline predict -m FILE`` reads it."""
    told: dict[str, Any] = {
        "kind": str(spec.kind),
        "unit": "m",
        "version": version,
        "licence": spec.licence,
        "commercial": spec.commercial.value,
        "scale_needs_focal": spec.scale_needs_focal,
    }
    if processing is not None:
        told |= {
            "unit": {1.0: "m", 0.01: "cm", 0.001: "mm"}.get(processing.output_scale, "m"),
            "input_size": [processing.height, processing.width],
            "mean": list(processing.mean),
            "std": list(processing.std),
            "layout": processing.layout,
            "resample": processing.resample,
            "way_back": processing.way_back,
            "keeps_range": processing.keeps_range,
        }
    # JSON's texts, numbers, lists and truths are TOML's too.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in told.items()]
    with write_whole(path.with_suffix(".toml")) as part:
        part.write_text("\n".join([f"{MARK} of {spec.name}", *lines, ""]), "utf-8")


def _check(own: Model, made: Model, photo: Image) -> Check:
    ours, theirs = (model.predict(photo.rgb_HW3).depth for model in (own, made))
    known = ours.valid
    wanted = ours.values[known].astype(np.float64)
    apart = np.abs(np.where(theirs.valid, theirs.values, np.inf)[known] - wanted)
    return Check(
        photo.source,
        float(apart.max(initial=0) / np.abs(wanted).max(initial=1e-30)),
        float(apart.mean() / np.abs(wanted).mean()),
    )
