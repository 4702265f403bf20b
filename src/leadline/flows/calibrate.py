"""Metric depth from a few known distances: found once, kept in a file, used on further frames."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError
from leadline.core.kind import Along
from leadline.core.results import ModelRecord
from leadline.flows.engine_choice import AUTO
from leadline.flows.measured import METRES, read_sparse, typed_points
from leadline.flows.model import DEFAULT_MODEL, open_model
from leadline.flows.options import Told, check_bounds, told
from leadline.io.calibrations import write_calibration
from leadline.io.depth_files import read_depth
from leadline.io.images import DEFAULT_MAX_PIXELS
from leadline.ops.calibrate import WINDOW, calibrate
from leadline.ops.calibration import Calibration
from leadline.ops.known_points import KnownPoints

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
                "Model: a name, hf:ORG/NAME, a checkpoint's folder, or an ONNX file.",
                short="m",
                names="model",
            )
        ),
    )
    kind: str = field(
        default="",
        metadata=told(Told("What the model predicts, where it does not say so itself.", metavar="KIND")),
    )
    engine: str = field(
        default=AUTO,
        metadata=told(
            Told(
                "Engine; auto: the one that 'leadline benchmark' found fastest here, else the model's first.",
                names="engine",
            )
        ),
    )
    device: str = field(
        default="auto", metadata=told(Told("Device: auto, cpu, cuda … as the engine offers."))
    )
    fov_deg: float | None = field(
        default=None,
        metadata=told(
            Told(
                "Field of view across the longer side, in degrees.",
                flag="fov",
                metavar="DEGREES",
                minimum=0.1,
                maximum=179.9,
            )
        ),
    )
    focal_px: float | None = field(
        default=None,
        metadata=told(
            Told("Focal length in pixels, instead of --fov.", flag="focal", metavar="PIXELS", minimum=0.001)
        ),
    )
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
    max_pixels: int = field(
        default=DEFAULT_MAX_PIXELS,
        metadata=told(Told("Largest photo that is decoded, in pixels.", minimum=1)),
    )

    def __post_init__(self) -> None:
        check_bounds(self)
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


def run(request: CalibrateRequest) -> CalibrateReport:
    """Finds a calibration and writes it.

    Args:
        request: What to do.

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
    depth, model, source = _predicted(request) if request.depth is None else _read(request.depth, request)
    points = _sparse(request, depth, along) if typed is None else typed
    found = calibrate(depth, points, method=request.method, window=request.window, model=model, source=source)
    path = write_calibration(request.out, found)
    return CalibrateReport(found, path, repr(depth), repr(found.apply(depth)))


def _predicted(request: CalibrateRequest) -> tuple[DepthMap, ModelRecord, str]:
    with open_model(
        request.model, engine=request.engine, device=request.device, kind=request.kind or None
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
