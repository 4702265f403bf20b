from __future__ import annotations

import csv
import json
import math
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from leadline.core.errors import InputError, MissingExtra, OutputError
from leadline.flows.evaluate.records import Profile, Row
from leadline.flows.evaluate.row_files import flat, line_of, row_of, write_csv, write_parquet
from leadline.ops.metrics import Scores

NUMBERS = st.floats(width=64) | st.just(-0.0)
COUNTS = st.integers(0, 2**40)
NAMES = st.text(max_size=12)
TYPES = {field.name: COUNTS if field.type in ("int", int) else NUMBERS for field in fields(Scores)}


def _scores(**changed: float) -> Scores:
    values = {name: 7 if kind is COUNTS else 0.25 for name, kind in TYPES.items()}
    return Scores(**(values | changed))


def _changes(names: list[str]) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({}, optional={name: TYPES[name] for name in names})


SCORES = st.lists(st.sampled_from(sorted(TYPES)), max_size=5).flatmap(_changes).map(lambda c: _scores(**c))


def _grid(numbers: st.SearchStrategy, type_: type, *shape: int) -> st.SearchStrategy[np.ndarray]:
    return arrays(type_, shape, elements=numbers, fill=numbers)


PROFILES = st.builds(
    Profile,
    depth_edges_m=_grid(NUMBERS, np.float64, 4),
    depth_abs_rel=_grid(NUMBERS, np.float64, 3),
    depth_pixels=_grid(COUNTS, np.int64, 3),
    place_abs_rel=_grid(NUMBERS, np.float64, 6, 8),
    place_pixels=_grid(COUNTS, np.int64, 6, 8),
    scale=NUMBERS,
)
ROWS = st.builds(
    Row,
    model=NAMES,
    sample=NAMES,
    scene=NAMES,
    scores=st.dictionaries(st.sampled_from(["protocol", "scale", "affine-depth"]), SCORES, max_size=2),
    time_s=NUMBERS,
    profile=st.none() | PROFILES,
    skipped=NAMES,
    remarks=st.lists(NAMES, max_size=2).map(tuple),
)


def _row(**changed: object) -> Row:
    scores = {
        "protocol": _scores(abs_rel=0.1 + 0.2, log10=math.nan),
        "affine-depth": _scores(abs_rel=math.inf),
    }
    row = Row("model-a", "0001", "kitchen", scores, 0.125, remarks=("resized", "degenerate, flat"))
    return replace(row, **changed)


def _same(one: object, other: object) -> bool:
    """Bit for bit, except that every NaN is one."""
    if isinstance(one, float) and isinstance(other, float):
        return one.hex() == other.hex()
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        pairs = zip(one.ravel().tolist(), other.ravel().tolist(), strict=True)
        return one.dtype == other.dtype and one.shape == other.shape and all(_same(a, b) for a, b in pairs)
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, Row | Scores | Profile):
        return all(_same(getattr(one, field.name), getattr(other, field.name)) for field in fields(one))
    return one == other


@settings(max_examples=60)
@given(ROWS)
def test_a_line_holds_the_whole_row(row: Row) -> None:
    line = line_of(row)
    assert _same(row_of(line + "\n"), row)
    assert "\n" not in line
    assert line.isascii()
    assert line_of(row_of(line)) == line


def test_a_line_is_json_that_other_tools_read() -> None:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    plain = json.loads(line_of(_row()), parse_constant=refuse)
    assert "log10" not in plain["scores"]["protocol"]
    assert plain["scores"]["protocol"]["abs_rel"] == 0.1 + 0.2
    assert plain["scores"]["affine-depth"]["abs_rel"] == "inf"
    assert plain["remarks"] == ["resized", "degenerate, flat"]


def test_what_every_score_has_is_kept_where_it_is_nan() -> None:
    row = _row(scores={"protocol": _scores(coverage=math.nan)})
    assert _same(row_of(line_of(row)), row)


def test_numbers_of_numpy_become_plain_ones() -> None:
    scores = _scores(abs_rel=np.float64(0.5), pixels=np.int64(9))
    read = row_of(line_of(_row(scores={"protocol": scores}))).scores["protocol"]
    assert (type(read.abs_rel), type(read.pixels)) == (float, int)


@pytest.mark.parametrize(
    "line",
    [
        line_of(_row())[:80],
        "",
        "[]",
        "null",
        "{}",
        line_of(_row()).replace('"kitchen"', "5"),
        line_of(_row()).replace('"abs_rel"', '"rel_abs"'),
        line_of(_row()).replace('"inf"', '"endless"'),
    ],
    ids=["cut", "empty", "list", "null", "no-fields", "number-for-text", "unknown-score", "unknown-word"],
)
def test_other_lines_are_refused_with_one_sentence(line: str) -> None:
    with pytest.raises(InputError, match=r"no row of an evaluation.*scored again") as refused:
        row_of(line)
    assert len(str(refused.value)) < 300
    assert "\n" not in str(refused.value)


def _rows() -> list[Row]:
    profile = Profile(
        np.arange(3.0), np.ones(2), np.ones(2, np.int64), np.ones((6, 8)), np.ones((6, 8), np.int64), 1.25
    )
    skipped = Row("model-a", "0002, with a comma", "", {}, skipped="no valid truth")
    return [
        skipped,
        _row(profile=profile),
        _row(model="model-b", sample="küche\udcff.jpg", scores={"protocol": _scores()}),
    ]


def test_csv_has_a_column_a_score_and_rung(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    write_csv(_rows(), path)
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        skipped, scored, other = csv.DictReader(file)
    assert [skipped["sample"], skipped["abs_rel"], skipped["skipped"]] == [
        "0002, with a comma",
        "",
        "no valid truth",
    ]
    assert float(scored["abs_rel"]) == 0.1 + 0.2
    assert scored["log10"] == ""
    assert scored["affine-depth.abs_rel"] == "inf"
    assert scored["pixels"] == "7"
    assert scored["truth_over_prediction"] == "1.25"
    assert scored["time_s"] == "0.125"
    assert scored["remarks"] == "resized; degenerate, flat"
    assert other["sample"] == "küche\udcff.jpg"
    assert b"k\xc3\xbcche\xff.jpg" in path.read_bytes()


def test_columns_do_not_depend_on_who_was_skipped(tmp_path: Path) -> None:
    heads = []
    for number, rows in enumerate([_rows(), _rows()[::-1]]):
        write_csv(rows, tmp_path / f"{number}.csv")
        heads.append((tmp_path / f"{number}.csv").read_text(errors="replace").splitlines()[0])
    assert heads[0] == heads[1]
    assert heads[0].startswith("model,sample,scene,abs_rel,sq_rel,")
    assert heads[0].endswith(",truth_over_prediction,time_s,skipped,remarks")


def test_a_table_of_no_rows_is_a_header(tmp_path: Path) -> None:
    write_csv([], tmp_path / "rows.csv")
    assert (tmp_path / "rows.csv").read_text() == "model,sample,scene,time_s,skipped,remarks\n"


def test_parquet_holds_numbers_as_numbers(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    write_parquet(_rows(), tmp_path / "rows.parquet")
    table = parquet.read_table(tmp_path / "rows.parquet")
    read = table.to_pylist()
    assert [str(table.schema.field(name).type) for name in ("model", "pixels", "abs_rel")] == [
        "string",
        "int64",
        "double",
    ]
    assert read[0]["abs_rel"] is None
    assert read[1]["abs_rel"] == 0.1 + 0.2
    assert read[1]["log10"] is None
    assert read[1]["affine-depth.log10"] == 0.25
    assert read[1]["affine-depth.abs_rel"] == math.inf
    assert read[2]["sample"] == "küche\\udcff.jpg"


def test_parquet_asks_for_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr("leadline.plugins.need.find_spec", lambda name: None)
    with pytest.raises(
        MissingExtra, match=r"a Parquet table needs 'pyarrow': pip install 'leadline\[data\]'"
    ):
        write_parquet(_rows(), tmp_path / "rows.parquet")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", [write_csv, write_parquet])
def test_tables_appear_whole_or_not_at_all(tmp_path: Path, small_files: object, write: object) -> None:
    rows = [_row(sample=f"{n:05}", time_s=n / 7) for n in range(2000)]
    with pytest.raises(OutputError, match="cannot be written"), small_files():
        write(rows, tmp_path / "rows.file")
    assert list(tmp_path.iterdir()) == []


def test_a_flat_row_names_the_rung_of_each_score() -> None:
    cells = flat(_row())
    assert cells["abs_rel"] == 0.1 + 0.2
    assert cells["affine-depth.abs_rel"] == math.inf
    assert "truth_over_prediction" not in cells
