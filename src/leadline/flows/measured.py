"""Measured distances as people give them: typed, in a list, or as a sparse depth file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from leadline.core.depth_map import DepthMap
from leadline.core.errors import InputError, KindError, UnknownName
from leadline.core.kind import Along, Freedom, Kind
from leadline.io.depth_files import read_depth
from leadline.io.images import no_such_path
from leadline.ops.calibration import ASPECT_TOLERANCE
from leadline.ops.geometry import to_depth
from leadline.ops.known_points import KnownPoints

__all__ = ["METRES", "read_sparse", "typed_points"]

METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001, "ft": 0.3048, "in": 0.0254}
"""Units that a distance may be typed in, in metres."""

MOST = 20_000
"""Pixels of a sparse depth file that are used; of more it is so many, drawn by lot with a fixed seed."""

_POINT = re.compile(r"\s*(-?\d{1,7}(?:\.\d+)?)\s*,\s*(-?\d{1,7}(?:\.\d+)?)\s*=(.*)", re.DOTALL)
_DISTANCE = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([A-Za-z]*)\s*")
_FORM = "such as 412,300=2.4m: column, row, distance with its unit"


def typed_points(texts: Sequence[str], *, along: Along) -> KnownPoints:
    """Points as they are typed.

    Convention:
        Column before row, as x comes before y, counted from 0 at the top left of the upright photo; a fraction goes to the
        nearest pixel.

    Args:
        texts: ``"412,300=2.4m"`` each, or ``"@FILE"``: a text file with one a line.
        along: What was measured.

    Returns:
        The points.

    Raises:
        InputError: One is no point, has no unit, or is given twice; or there is no such file.
        UnknownName: No such unit.

    Example:
        >>> typed_points(["412,300=240cm", "20.6,31=7.5ft"], along=Along.RAY).depth_m
        array([2.4  , 2.286])
    """
    found: dict[tuple[int, int], float] = {}
    for text in _lines(texts):
        x, y, distance_m = _point(text)
        if (x, y) in found:
            raise InputError(f"pixel {x},{y} is given twice", hint="leave one out")
        found[x, y] = distance_m
    places = np.array(list(found), int).reshape(-1, 2)
    return KnownPoints(places[:, 1], places[:, 0], np.array(list(found.values()), float), along)


def read_sparse(
    path: Path, *, size: tuple[int, int], scale: float | None, along: Along | None
) -> KnownPoints:
    """The known pixels of a depth file, at the size of a prediction.

    Args:
        path: A depth file of the same view: leadline's own, or a bare one with its scale.
        size: Height and width of the prediction.
        scale: Metres a stored step of a bare file: 0.001 for millimetres.
        along: What a bare file holds; z along the axis where None.

    Returns:
        The points, along the file's own line.

    Raises:
        InputError: There is no such file, it is damaged or of another shape, or it knows no pixel.
        KindError: A bare file whose scale is not said, or one that does not hold metres.
    """
    if scale is None:
        depth, _ = read_depth(path)
        if along is not None and along is not depth.kind.along:
            raise KindError(
                f"{str(path)!r} says it holds {depth.kind}, and --along says {along.value}",
                hint="leave --along out",
            )
    else:
        depth, _ = read_depth(path, kind=Kind(along=along or Along.AXIS), scale=scale)
    if depth.kind.freedom is not Freedom.NONE:
        raise KindError(
            f"{str(path)!r} holds {depth.kind}, not metres", hint="give distances that were measured"
        )
    return _pixels(to_depth(depth), size, path)


def _pixels(depth: DepthMap, size: tuple[int, int], path: Path) -> KnownPoints:
    height, width = size
    if abs(depth.width * height / (depth.height * width) - 1) > ASPECT_TOLERANCE:
        raise InputError(
            f"{str(path)!r} is {depth.width}x{depth.height}, another shape than the photo's {width}x{height}",
            hint="give depth of the same view",
        )
    rows, columns = np.nonzero(depth.valid)
    if not len(rows):
        raise InputError(f"{str(path)!r} knows no pixel", hint="give another file")
    if len(rows) > MOST:
        chosen = np.sort(np.random.default_rng(0).choice(len(rows), MOST, replace=False))
        rows, columns = rows[chosen], columns[chosen]
    there_rows = ((rows + 0.5) * height / depth.height - 0.5).round().astype(int)
    there_columns = ((columns + 0.5) * width / depth.width - 0.5).round().astype(int)
    distances_m = depth.values[rows, columns].astype(np.float64)
    return KnownPoints(there_rows, there_columns, distances_m, depth.kind.along)


def _lines(texts: Sequence[str]) -> Iterator[str]:
    for text in texts:
        if not text.startswith("@"):
            yield text
            continue
        path = Path(text[1:])
        try:
            lines = path.read_text("utf-8").splitlines()
        except FileNotFoundError as error:
            raise no_such_path(path) from error
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{str(path)!r} is no list of points", hint=f"one a line, {_FORM}") from error
        yield from (line for line in map(str.strip, lines) if line and not line.startswith("#"))


def _point(text: str) -> tuple[int, int, float]:
    match = _POINT.fullmatch(text)
    if match is None:
        raise InputError(f"{text[:80]!r} is no point", hint=_FORM)
    return round(float(match[1])), round(float(match[2])), _metres(match[3], text)


def _metres(distance: str, text: str) -> float:
    match = _DISTANCE.fullmatch(distance)
    if match is None:
        raise InputError(
            f"{text[:80]!r} has no distance that can be read: {distance.strip()[:40]!r}",
            hint=f"one number and one of {', '.join(METRES)}, {_FORM}",
        )
    number, unit = float(match[1]), match[2]
    if not unit:
        raise InputError(
            f"{text[:80]!r} does not say {number:g} of what", hint=f"add one of {', '.join(METRES)}"
        )
    if unit not in METRES:
        raise UnknownName("unit", unit, known=METRES)
    if not 0 < number < float("inf"):
        raise InputError(f"{text[:80]!r} is no distance", hint="give more than 0")
    return number * METRES[unit]
