"""Metric depth from a few known distances: found once, kept in a file, used on further frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.kind import Along
from leadline.core.results import ModelRecord
from leadline.flows.measured import METRES, read_sparse, typed_points
from leadline.flows.model import DEFAULT_MODEL, open_model
from leadline.flows.naming import resolve_model
from leadline.flows.options import Told, check_bounds, like, told
from leadline.flows.predict_request import PredictRequest, stated_of
from leadline.flows.terms import notices_of
from leadline.io.calibrations import write_calibration
from leadline.io.depth_files import read_depth
from leadline.ops.calibrate import WINDOW, calibrate
from leadline.ops.calibration import Calibration
from leadline.ops.known_points import KnownPoints
from leadline.plugins.specs import Stated

__all__ = ["CalibrateReport", "CalibrateRequest", "run"]


@dataclass(frozen=True, slots=True)
class CalibrateRequest:
    """What ``leadline calibrate`` is asked for."""

    photo: str | None = field(
        default=None,
        metadata=told(Told("The photo in which distances were measured; or --depth.", positional=True)),
    )
    points: tuple[str, ...] = field(
        default=(),
        metadata=told(
            Told(
                "A known distance: column, row, and how far, in "
                f"{', '.join(METRES)}; repeat it. @FILE reads one a line.",
                flag="point",
                short="p",
                metavar="X,Y=DISTANCE",
                whole=True,
            )
        ),
    )
    sparse: Path | None = field(
        default=None,
        metadata=told(
            Told("Known distances as a depth file of the same view, instead of --point.", metavar="FILE")
        ),
    )
    sparse_scale: float | None = field(
        default=None,
        metadata=told(
            Told(
                "Metres a stored step of a --sparse file that does not say so itself: 0.001 for millimetres.",
                metavar="METRES",
                minimum=1e-9,
            )
        ),
    )
    along: str = field(
        default="",
        metadata=told(
            Told(
                "What was measured: ray, from the lens to the thing, as a tape or a laser does (the default of --point); axis, "
                "how far in front of the lens (that of --sparse).",
                choices=("", "ray", "axis"),
            )
        ),
    )
    out: Path = field(
        default=Path("calibration.json"),
        metadata=told(Told("File to write.", short="o", metavar="FILE")),
    )
    depth: Path | None = field(
        default=None,
        metadata=told(
            Told(
                "A depth file that leadline predicted, instead of the photo: nothing runs twice.",
                metavar="FILE",
            )
        ),
    )
    model: str = field(
        default=DEFAULT_MODEL,
        metadata=told(
            Told(
                "Model: a name, hf:ORG/NAME, replicate:OWNER/MODEL, a checkpoint's folder, or an ONNX file.",
                short="m",
                names="model",
            )
        ),
    )
    kind: str = like(PredictRequest, "kind")
    unit: str = like(PredictRequest, "unit")
    input_size: str = like(PredictRequest, "input_size")
    mean: str = like(PredictRequest, "mean")
    std: str = like(PredictRequest, "std")
    layout: str = like(PredictRequest, "layout")
    inputs: tuple[str, ...] = like(PredictRequest, "inputs")
    engine: str = like(PredictRequest, "engine")
    device: str = like(PredictRequest, "device")
    threads: int = like(PredictRequest, "threads")
    fov_deg: float | None = like(PredictRequest, "fov_deg")
    focal_px: float | None = like(PredictRequest, "focal_px")
    method: str = field(
        default="auto",
        metadata=told(
            Told(
                "How: least squares of the relative error, or a fit that wrong points do not pull; auto takes that for more "
                "than 20 points.",
                choices=("auto", "least-squares", "robust"),
            )
        ),
    )
    window: int = field(
        default=WINDOW,
        metadata=told(
            Told(
                "A point's value is the median over so many pixels each way, an odd number.",
                minimum=1,
                maximum=101,
            )
        ),
    )
    max_pixels: int = like(PredictRequest, "max_pixels")

    def __post_init__(self) -> None:
        check_bounds(self)
        _ = self.stated
        if bool(self.points) == (self.sparse is not None):
            raise InputError(
                "known distances are given twice" if self.points else "no known distance is given",
                hint="give --point X,Y=DISTANCE two or more times, or --sparse FILE",
            )
        if (self.photo is None) == (self.depth is None):
            raise InputError(
                "a photo and a depth file are both given" if self.depth else "no photo is given",
                hint="give the photo, or --depth FILE that was predicted from it",
            )
        if self.sparse_scale is not None and self.sparse is None:
            raise InputError("--sparse-scale is given, and no --sparse", hint="add --sparse, or leave it out")
        if self.fov_deg is not None and self.focal_px is not None:
            raise InputError(
                f"field of view {self.fov_deg:g}° and focal length {self.focal_px:g} px are both given",
                hint="give one of --fov and --focal",
            )
        if self.depth is not None and (self.fov_deg, self.focal_px) != (None, None):
            raise InputError(
                "--fov or --focal is given, and the depth file says itself which lens it was predicted with",
                hint="predict it again with the lens, or leave it out",
            )

    @property
    def stated(self) -> Stated:
        """What is said of a model that does not say it itself."""
        return stated_of(self)


@dataclass(frozen=True, slots=True)
class CalibrateReport:
    """What came of a calibration.

    Args:
        calibration: The calibration.
        path: The file it was written to.
        before: The prediction it was found on, in words.
        after: The same calibrated, in words.
    """

    calibration: Calibration
    path: Path
    before: str
    after: str


def run(request: CalibrateRequest, *, on_notice: Callable[[str], None] | None = None) -> CalibrateReport:
    """Finds a calibration and writes it.

    Args:
        request: What to do.
        on_notice: Is told, before anything is fetched or sent, what must be known of the model: as ``notices_of`` says it.

    Returns:
        The calibration and where it is.

    Raises:
        InputError: The points cannot determine it, or something that was given cannot be used.
        KindError: A depth file does not say what it holds, or does not hold what is needed.
        UnknownName: No such model, engine or unit.
        MissingExtra: A package that is needed is not installed.
        WeightsError: The weights are not to be had.
        EngineError: The engine failed.
        OutputError: The file cannot be written.
    """
    along = Along(request.along) if request.along else None
    typed = typed_points(request.points, along=along or Along.RAY) if request.points else None
    depth, model, source = (
        _predicted(request, on_notice or _tell_nobody)
        if request.depth is None
        else _read(request.depth, request)
    )
    points = _sparse(request, depth, along) if typed is None else typed
    found = calibrate(depth, points, method=request.method, window=request.window, model=model, source=source)
    path = write_calibration(request.out, found)
    return CalibrateReport(found, path, repr(depth), repr(found.apply(depth)))


def _tell_nobody(_: str) -> None:
    """The listener of those who do not listen."""


def _predicted(request: CalibrateRequest, tell: Callable[[str], None]) -> tuple[DepthMap, ModelRecord, str]:
    stated = request.stated
    spec = resolve_model(request.model, stated=stated)
    for notice in notices_of(spec):
        tell(notice)
    with open_model(
        spec, engine=request.engine, threads=request.threads, device=request.device, inputs=stated.inputs
    ) as model:
        prediction = model.predict(
            request.photo or "",
            fov_deg=request.fov_deg,
            focal_px=request.focal_px,
            max_pixels=request.max_pixels,
        )
    return prediction.depth, prediction.model, prediction.image.source


def _read(path: Path, request: CalibrateRequest) -> tuple[DepthMap, ModelRecord, str]:
    depth, record = read_depth(path, max_pixels=request.max_pixels)
    if record.model is None:
        raise InputError(
            f"{str(path)!r} does not say which model predicted it",
            hint="calibrate a file that 'leadline predict' wrote, or use leadline.calibrate from Python",
        )
    return depth, record.model, record.source or path.name


def _sparse(request: CalibrateRequest, depth: DepthMap, along: Along | None) -> KnownPoints:
    assert request.sparse is not None
    return read_sparse(request.sparse, size=depth.shape, scale=request.sparse_scale, along=along)
