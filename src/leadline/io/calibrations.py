"""Calibration files: small, readable JSON."""

from __future__ import annotations

import json
import os
from dataclasses import fields
from pathlib import Path
from typing import Any

from leadline.core.camera import Camera
from leadline.core.errors import InputError
from leadline.core.kind import Along, Freedom, Kind
from leadline.core.results import ModelRecord
from leadline.io.atomic import write_whole
from leadline.io.images import no_such_path
from leadline.io.sources import source_name
from leadline.ops.align import Alignment
from leadline.ops.calibration import CalibratedPoint, Calibration

__all__ = ["calibration_dict", "read_calibration", "write_calibration"]

FORMAT_VERSION = 1
LARGEST_BYTES = 1_000_000


def write_calibration(path: str | os.PathLike[str], calibration: Calibration) -> Path:
    """Writes a calibration, whole or not at all.

    Args:
        path: The file, usually ``NAME.json``.
        calibration: The calibration.

    Returns:
        The file.

    Raises:
        OutputError: It cannot be written.
        InputError: A file is there that is no calibration.
    """
    path = Path(path)
    if path.is_file() and path.stat().st_size:
        try:
            read_calibration(path)
        except InputError as error:
            raise InputError(
                f"{str(path)!r} is there already and is no calibration",
                hint="choose another name with --out, or move that file away",
            ) from error
    with write_whole(path) as part:
        part.write_text(
            json.dumps(calibration_dict(calibration), indent=1, ensure_ascii=False) + "\n", "utf-8"
        )
    return path


def calibration_dict(calibration: Calibration) -> dict[str, Any]:
    """A calibration as plain JSON values.

    Args:
        calibration: The calibration.

    Returns:
        What its file holds; of the photo its name alone.
    """
    alignment = calibration.alignment
    model, camera = calibration.model, calibration.camera
    return {
        "leadline_calibration": FORMAT_VERSION,
        "words": calibration.words,
        "scale": alignment.scale,
        "shift": alignment.shift,
        "space": alignment.space,
        "fitted": alignment.freedom.name.lower(),
        "method": alignment.method,
        "kind": str(calibration.kind),
        "model": None if model is None else model.to_dict(),
        "camera": None if camera is None else camera.to_dict(),
        "source": source_name(calibration.source),
        "along": calibration.along.value,
        "points": [
            {
                "x": p.x,
                "y": p.y,
                "given_m": p.given_m,
                "found_m": None if p.found_m != p.found_m else p.found_m,
            }
            for p in calibration.points
        ],
        "n_points": calibration.n_points,
        "residual": alignment.residual,
        "rms": calibration.rms,
        "worst": calibration.worst,
        "remarks": list(calibration.remarks),
        "version": calibration.version,
    }


def read_calibration(path: str | os.PathLike[str]) -> Calibration:
    """Reads a calibration.

    Args:
        path: A file that ``write_calibration`` or ``leadline calibrate`` wrote.

    Returns:
        The calibration.

    Raises:
        InputError: There is no such file, or it is no calibration, or it is damaged.
    """
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise _no_calibration(path, "it is far too large")
        data = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise no_such_path(path) from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise _no_calibration(path, "it is not JSON") from error
    except OSError as error:
        raise InputError(
            f"{str(path)!r} cannot be read ({error.strerror})", hint="check its permissions"
        ) from error
    if not isinstance(data, dict) or not isinstance(data.get("leadline_calibration"), int):
        raise _no_calibration(path, "it does not say so")
    if data["leadline_calibration"] > FORMAT_VERSION:
        raise InputError(f"{str(path)!r} was written by a newer leadline", hint="update leadline")
    try:
        return _calibration(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{str(path)!r} is a damaged calibration ({type(error).__name__}: {error})",
            hint="calibrate again",
        ) from error


def _no_calibration(path: Path, why: str) -> InputError:
    return InputError(
        f"{str(path)!r} is no calibration: {why}",
        hint="make one with 'leadline calibrate', and name its file",
    )


def _calibration(data: dict[str, Any]) -> Calibration:
    kind = Kind.parse(data["kind"])
    camera, model = data["camera"], data["model"]
    return Calibration(
        _alignment(data, kind),
        kind,
        tuple(_point(one) for one in data["points"]),
        int(data["n_points"]),
        float(data["rms"]),
        float(data["worst"]),
        Along(data["along"]),
        None if model is None else _model(model),
        None if camera is None else Camera.from_dict(camera),
        str(data["source"]),
        tuple(str(remark) for remark in data["remarks"]),
        str(data["version"]),
    )


def _alignment(data: dict[str, Any], kind: Kind) -> Alignment:
    scale, shift, residual = (float(data[name]) for name in ("scale", "shift", "residual"))
    if not (0 < scale < float("inf") and abs(shift) < float("inf")):
        raise ValueError(f"scale {scale} and shift {shift}")
    if data["space"] != kind.quantity.value or data["method"] not in ("least-squares", "robust"):
        raise ValueError(f"space {data['space']!r} and method {data['method']!r}")
    freedom = Freedom[str(data["fitted"]).upper()]
    if freedom < max(kind.freedom, Freedom.SCALE) or (freedom is Freedom.SCALE and shift != 0):
        raise ValueError(f"{data['fitted']} with shift {shift} for {kind}")
    number = int(data["n_points"])
    return Alignment(
        scale,
        shift,
        kind.quantity.value,
        data["method"],
        number,
        residual,
        freedom,
        Freedom.NONE,
        kind.along,
    )


def _point(data: dict[str, Any]) -> CalibratedPoint:
    found = data["found_m"]
    return CalibratedPoint(
        int(data["x"]),
        int(data["y"]),
        float(data["given_m"]),
        float("nan") if found is None else float(found),
    )


def _model(data: dict[str, Any]) -> ModelRecord:
    names = {field.name for field in fields(ModelRecord)}
    return ModelRecord(**{name: str(value) for name, value in data.items() if name in names})
