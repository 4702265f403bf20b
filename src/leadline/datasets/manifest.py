"""A list of pairs with what is known of each: CSV, TSV, JSON lines, Parquet, or Metric3D's annotation JSON.

Columns: ``photo`` (or image, rgb), ``depth``, and optionally ``id``, ``scene``, ``split``, ``kind``, ``encoding``, ``step``
(or ``depth_scale``, stored steps per unit), ``fx fy cx cy``. Names are relative to the list; where a list was made
elsewhere, the longest part of a name that is there is taken. All rows are checked when the list is opened.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leadline.core.camera import Camera
from leadline.core.errors import DatasetError, InputError, UnknownName
from leadline.core.kind import Kind
from leadline.core.sample import Entry, Sample
from leadline.datasets.depth_of_files import Said, depth_as_said
from leadline.datasets.frames import Frames, read_photo
from leadline.io.rasters import size_of
from leadline.io.trees import Tree
from leadline.plugins.need import need
from leadline.plugins.specs import DatasetOption, DatasetSpec

__all__ = ["SPEC", "Manifest", "recognise"]

_PHOTO, _DEPTH = ("photo", "image", "rgb", "image_path", "rgb_path"), ("depth", "depth_path", "depth_map")
_ENDS = (".csv", ".tsv", ".jsonl", ".parquet", ".json")
_NUMBERS = ("fx", "fy", "cx", "cy", "step", "depth_scale")

SPEC = DatasetSpec(
    name="manifest",
    adapter="leadline.datasets.manifest:Manifest",
    recognise="leadline.datasets.manifest:recognise",
    summary="a list of pairs: CSV, TSV, JSON lines, Parquet, or Metric3D's annotation JSON",
    layout="""photo,depth,split,encoding,fx,fy,cx,cy
rgb/a.jpg,depth/a.png,train,mm,525,525,319.5,239.5""",
    options=(
        DatasetOption("kind", "What the numbers mean, where no column says it.", "metric-depth"),
        DatasetOption("encoding", "How metres are stored, where no column says it."),
        DatasetOption("step", "Units per stored step, where no column says it.", 0.0),
    ),
)


@dataclass(frozen=True, slots=True)
class _Row:
    said: Said
    lens: tuple[float, float, float, float] | None


def recognise(tree: Tree) -> str:
    """Says why a place is a list of pairs, or nothing."""
    names = [tree.focus] if tree.focus else [n for n in tree.names if "/" not in n and n.endswith(_ENDS)]
    for name in names:
        if not name.lower().endswith(_ENDS):
            continue
        if name.endswith(".parquet"):
            return f"{name}, a list as Parquet" if tree.focus else ""
        try:
            rows = _rows(tree, name)
        except DatasetError:
            continue
        if rows and _column(rows[0], _PHOTO) and _column(rows[0], _DEPTH):
            return f"{name}, a list with columns {_column(rows[0], _PHOTO)} and {_column(rows[0], _DEPTH)}"
    return ""


class Manifest(Frames):
    """A list of pairs.

    Args:
        tree: The list, or the folder it lies in where it is the only one.
        kind: What the numbers mean where no column says it.
        encoding: How metres are stored where no column says it.
        step: Units per stored step where no column says it.

    Raises:
        DatasetError: The list cannot be read, a row is not sound, or a file is not there.
    """

    def __init__(
        self, tree: Tree, *, kind: str = "metric-depth", encoding: str = "", step: float = 0.0
    ) -> None:
        name = tree.focus or next((n for n in tree.names if "/" not in n and n.endswith(_ENDS)), "")
        if not name:
            raise DatasetError(f"{str(tree.path)!r} holds no list", hint="name the .csv, .jsonl or .parquet")
        rows = _rows(tree, name)
        called = tree.called(name)
        self._rows: dict[str, _Row] = {}
        entries = []
        for number, row in enumerate(rows, 1):
            entry, told = _checked(tree, row, f"{called!r}, row {number}", (kind, encoding, step))
            self._rows[entry.id] = told
            entries.append(entry)
        kinds = {str(row.said.kind) for row in self._rows.values()}
        if len(kinds) > 1:
            raise DatasetError(
                f"{called!r} mixes kinds: {', '.join(sorted(kinds))}", hint="make one list for each kind"
            )
        self.kind = next(iter(self._rows.values())).said.kind if self._rows else Kind.parse(kind)
        super().__init__(tree, entries)

    def _sample(self, entry: Entry) -> Sample:
        photo, depth = entry.files
        row = self._rows[entry.id]
        width, height = size_of(self.tree.read(photo), self.tree.called(photo))
        camera = Camera(*row.lens, width, height) if row.lens else Camera.assumed(width, height)
        image = read_photo(self.tree, photo, camera=camera)
        truth = depth_as_said(self.tree, depth, said=row.said, camera=camera)
        return Sample(entry.id, image, truth, entry.scene, entry.split)


def _rows(tree: Tree, name: str) -> Sequence[Mapping[str, Any]]:
    end = name.lower().rpartition(".")[2]
    if end == "parquet":
        return _parquet(tree, name)
    text = tree.text(name)
    try:
        if end == "jsonl":
            rows = [json.loads(line) for line in text.splitlines() if line.strip()]
        elif end == "json":
            loaded = json.loads(text)
            rows = loaded["files"] if isinstance(loaded, dict) else loaded
        else:
            rows = list(csv.DictReader(io.StringIO(text), delimiter="\t" if end == "tsv" else ","))
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ValueError("no list of records")
        return rows
    except (ValueError, KeyError, csv.Error) as error:
        raise DatasetError(
            f"{tree.called(name)!r} is no list of pairs ({error})", hint="see 'leadline data info manifest'"
        ) from error


def _parquet(tree: Tree, name: str) -> Sequence[Mapping[str, Any]]:
    need("pyarrow", who="a Parquet list", extra="data")
    import pyarrow
    from pyarrow import parquet

    try:
        rows: list[dict[str, Any]] = parquet.read_table(io.BytesIO(tree.read(name))).to_pylist()
    except pyarrow.ArrowException as error:
        raise DatasetError(
            f"{tree.called(name)!r} is no Parquet file ({error})", hint="copy it again"
        ) from error
    return rows


def _column(row: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((name for name in names if name in row), "")


def _checked(
    tree: Tree, row: Mapping[str, Any], where: str, default: tuple[str, str, float]
) -> tuple[Entry, _Row]:
    files = []
    for names, what in ((_PHOTO, "photo"), (_DEPTH, "depth")):
        value = row.get(_column(row, names)) if _column(row, names) else None
        if not isinstance(value, str) or not value:
            raise DatasetError(f"{where}: {what} = {value!r} is no file name", hint=f"fill the column {what}")
        files.append(_resolved(tree, value, where))
    numbers = {key: _number(row[key], key, where) for key in _NUMBERS if row.get(key) not in (None, "")}
    step = numbers.get("step") or (1 / numbers["depth_scale"] if numbers.get("depth_scale") else 0.0)
    encoding = _text(row, "encoding", where)
    kind = _text(row, "kind", where) or default[0]
    if not encoding and not step:
        encoding, step = default[1], default[2]
    try:
        said = Said(Kind.parse(kind), encoding, step)
        entry = Entry(
            _text(row, "id", where) or files[0].rpartition(".")[0],
            _text(row, "scene", where),
            _text(row, "split", where),
            files=(files[0], files[1]),
        )
        return entry, _Row(said, _lens(row, numbers, where))
    except (InputError, UnknownName) as error:
        message = error.message if isinstance(error, InputError) else str(error)
        raise DatasetError(f"{where}: {message}", hint=error.hint) from error


def _text(row: Mapping[str, Any], key: str, where: str) -> str:
    value = row.get(key)
    if value is None:
        return ""
    if isinstance(value, str | int):
        return str(value)
    raise DatasetError(f"{where}: {key} = {value!r} is no text", hint="correct that row")


def _number(value: Any, key: str, where: str) -> float:
    try:
        number = float(value)
        if number != number or number in (float("inf"), float("-inf")):
            raise ValueError("not finite")
        return number
    except (TypeError, ValueError) as error:
        raise DatasetError(f"{where}: {key} = {value!r} is not a number", hint="correct that row") from error


def _lens(
    row: Mapping[str, Any], numbers: Mapping[str, float], where: str
) -> tuple[float, float, float, float] | None:
    given = row.get("cam_in")
    if given is not None:
        if not isinstance(given, list) or len(given) != 4:
            raise DatasetError(f"{where}: cam_in = {given!r} is not fx, fy, cx, cy", hint="correct that row")
        fx, fy, cx, cy = (_number(value, "cam_in", where) for value in given)
        return fx, fy, cx, cy
    have = [key for key in ("fx", "fy", "cx", "cy") if key in numbers]
    if not have:
        return None
    if len(have) < 4:
        raise DatasetError(f"{where}: only {', '.join(have)} are given", hint="give fx, fy, cx and cy")
    return numbers["fx"], numbers["fy"], numbers["cx"], numbers["cy"]


def _resolved(tree: Tree, name: str, where: str) -> str:
    """The name as it is, else the longest of its ends that is there."""
    parts = name.replace("\\", "/").removeprefix("./").split("/")
    for first in range(len(parts)):
        candidate = "/".join(parts[first:])
        if candidate in tree:
            return candidate
    raise DatasetError(
        f"{where}: {name!r} is not there", hint="names are relative to the list; copy the file beside it"
    )
