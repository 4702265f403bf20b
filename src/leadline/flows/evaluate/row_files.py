"""Rows as files: JSON lines that an evaluation resumes from, and flat tables (CSV, Parquet) for other tools."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import numpy as np

from leadline.core.errors import InputError
from leadline.flows.evaluate.records import Profile, Row, Rung
from leadline.io.tables import Cell, write_csv_table, write_parquet_table
from leadline.ops.metrics import Scores

__all__ = ["flat", "line_of", "row_of", "write_csv", "write_parquet"]

_INTEGERS = tuple(field.name for field in fields(Scores) if field.type in ("int", int))
_REQUIRED = tuple(field.name for field in fields(Scores) if field.default is MISSING)
_ORDER = (*(field.name for field in fields(Scores) if field.default is not MISSING), *_REQUIRED)
"""Metrics first, then how many pixels they rest on."""

_HINT = "remove that line to have the image scored again"


def line_of(row: Row) -> str:
    """A row as one line of JSON, from which ``row_of`` makes the same row, bit for bit.

    Convention:
        Scores that are NaN are left out, other NaN is ``null``, infinities are the texts ``"inf"`` and ``"-inf"``; all
        else is as JSON says. ASCII only, no line end.

    Args:
        row: The row.

    Returns:
        The line.

    Example:
        >>> line_of(Row("a", "0001", "", {}, skipped="no valid truth"))[:38]
        '{"model": "a", "sample": "0001", "scen'
    """
    plain = {
        "model": row.model,
        "sample": row.sample,
        "scene": row.scene,
        "time_s": _number(row.time_s),
        "skipped": row.skipped,
        "remarks": list(row.remarks),
        "scores": {rung: _known(scores) for rung, scores in row.scores.items()},
        "profile": None if row.profile is None else _plain(row.profile),
    }
    return json.dumps(plain, allow_nan=False)


def row_of(line: str) -> Row:
    """The row that ``line_of`` wrote.

    Args:
        line: The line, with or without its end.

    Returns:
        The row.

    Raises:
        InputError: It is no such line: cut short, or of another version of leadline.

    Example:
        >>> row_of(line_of(Row("a", "0001", "", {}, skipped="no valid truth"))).skipped
        'no valid truth'
    """
    try:
        plain = json.loads(line)
    except json.JSONDecodeError as error:
        raise InputError(f"no row of an evaluation: {_short(line)}: {error}", hint=_HINT) from error
    try:
        return _row(plain)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"no row of an evaluation by this version of leadline: {_short(line)}: {error!r}", hint=_HINT
        ) from error


def flat(row: Row) -> dict[str, Cell]:
    """A row as the cells of a flat table.

    Convention:
        The protocol's own scores bear the metric's name, those of other rungs the rung's before it: ``abs_rel``,
        ``scale.abs_rel``. ``truth_over_prediction`` is the median of that ratio over the image.

    Args:
        row: The row.

    Returns:
        Cells by column; scores that are NaN are absent, as all are where the image was skipped.

    Example:
        >>> flat(Row("a", "0001", "kitchen", {}, remarks=("resized", "constant")))["remarks"]
        'resized; constant'
    """
    cells: dict[str, Cell] = {"model": row.model, "sample": row.sample, "scene": row.scene}
    for rung, scores in row.scores.items():
        cells |= {_column(rung, name): getattr(scores, name) for name in _names(scores)}
    if row.profile is not None:
        cells["truth_over_prediction"] = row.profile.scale
    return cells | {"time_s": row.time_s, "skipped": row.skipped, "remarks": "; ".join(row.remarks)}


def write_csv(rows: Sequence[Row], path: Path) -> None:
    """Writes rows as a CSV table, whole or not at all; a score that an image does not have is an empty cell.

    Convention:
        UTF-8, a header, numbers to their last digit. A score that no image has is no column.

    Args:
        rows: The rows.
        path: The file.

    Raises:
        OutputError: The file cannot be written.
    """
    write_csv_table(_table(rows), path)


def write_parquet(rows: Sequence[Row], path: Path) -> None:
    """Writes rows as a Parquet table, whole or not at all; a score that an image does not have is null.

    Args:
        rows: The rows.
        path: The file.

    Raises:
        MissingExtra: pyarrow is not installed.
        OutputError: The file cannot be written.
    """
    write_parquet_table(_table(rows), path)


def _table(rows: Sequence[Row]) -> Mapping[str, Sequence[Cell]]:
    """Columns in an order that does not depend on which image was skipped."""
    cells = [flat(row) for row in rows]
    names = dict.fromkeys(["model", "sample", "scene", *_score_columns(rows)])
    if any(row.profile is not None for row in rows):
        names["truth_over_prediction"] = None
    return {name: [c.get(name) for c in cells] for name in [*names, "time_s", "skipped", "remarks"]}


def _score_columns(rows: Sequence[Row]) -> Iterator[str]:
    """Every score that some image has: the protocol's own first, metrics in the order of tables."""
    known: dict[Rung, set[str]] = {}
    for row in rows:
        for rung, scores in row.scores.items():
            known.setdefault(rung, set()).update(_names(scores))
    for rung in sorted(known, key=lambda name: name != "protocol"):
        yield from (_column(rung, name) for name in _ORDER if name in known[rung])


def _names(scores: Scores) -> Iterator[str]:
    return (name for name in _ORDER if not math.isnan(getattr(scores, name)))


def _column(rung: Rung, metric: str) -> str:
    return metric if rung == "protocol" else f"{rung}.{metric}"


def _known(scores: Scores) -> dict[str, object]:
    """Scores without the metrics that were not asked for, of which there are many."""
    return {name: value for name, value in _plain(scores).items() if value is not None or name in _REQUIRED}


def _plain(record: Scores | Profile) -> dict[str, object]:
    return {field.name: _value(getattr(record, field.name)) for field in fields(record)}


def _value(value: Any) -> object:
    if isinstance(value, np.ndarray | tuple | list):
        return [_value(part) for part in value]
    if isinstance(value, int | np.integer):
        return int(value)
    return _number(value)


def _number(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    return float(value) if math.isfinite(value) else str(float(value))


def _float(plain: Any) -> float:
    return math.nan if plain is None else float(plain)


def _row(plain: dict[str, Any]) -> Row:
    profile = plain["profile"]
    return Row(
        model=_text(plain["model"]),
        sample=_text(plain["sample"]),
        scene=_text(plain["scene"]),
        scores={rung: _scores(values) for rung, values in plain["scores"].items()},
        time_s=_float(plain["time_s"]),
        profile=None if profile is None else _profile(profile),
        skipped=_text(plain["skipped"]),
        remarks=tuple(map(_text, plain["remarks"])),
    )


def _text(plain: Any) -> str:
    if not isinstance(plain, str):
        raise TypeError(f"{plain!r} is not a text")
    return plain


def _scores(plain: dict[str, Any]) -> Scores:
    values: dict[str, Any] = {
        name: int(value) if name in _INTEGERS else _float(value) for name, value in plain.items()
    }
    return Scores(**values)


def _profile(plain: dict[str, Any]) -> Profile:
    def floats(name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.array(_nested(plain[name]), np.float64)

    return Profile(
        depth_edges_m=floats("depth_edges_m"),
        depth_abs_rel=floats("depth_abs_rel"),
        depth_pixels=np.array(plain["depth_pixels"], np.int64),
        place_abs_rel=floats("place_abs_rel"),
        place_pixels=np.array(plain["place_pixels"], np.int64),
        scale=_float(plain["scale"]),
    )


def _nested(plain: Any) -> object:
    return [_nested(part) for part in plain] if isinstance(plain, list) else _float(plain)


def _short(line: str) -> str:
    return repr(line if len(line) <= 60 else f"{line[:57]}...")
