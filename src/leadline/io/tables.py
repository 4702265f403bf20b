"""Flat tables in files: CSV and Parquet."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from leadline.io.atomic import write_whole
from leadline.plugins.need import need

__all__ = ["Cell", "write_csv_table", "write_parquet_table"]

Cell: TypeAlias = str | int | float | None
"""What one cell holds; None where there is nothing."""


def write_csv_table(columns: Mapping[str, Sequence[Cell]], path: Path) -> None:
    """Writes a table as CSV, whole or not at all.

    Convention:
        UTF-8, a header, lines that end in a newline alone, numbers to their last digit, empty cells for None and NaN.

    Args:
        columns: Cells by column, all of one length.
        path: The file.

    Raises:
        OutputError: The file cannot be written.
    """
    # A file name that is no UTF-8 reached Python with surrogates, and goes out as the bytes it was.
    with (
        write_whole(path) as part,
        part.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(map(_text, cells) for cells in zip(*columns.values(), strict=True))


def write_parquet_table(columns: Mapping[str, Sequence[Cell]], path: Path) -> None:
    """Writes a table as Parquet, whole or not at all.

    Convention:
        A column of texts is text, one of whole numbers 64-bit integers, any other 64-bit floats; None is null.

    Args:
        columns: Cells by column, all of one length.
        path: The file.

    Raises:
        MissingExtra: pyarrow is not installed.
        OutputError: The file cannot be written.
    """
    need("pyarrow", who="a Parquet table", extra="data")
    import pyarrow
    from pyarrow import parquet

    arrays = {
        name: pyarrow.array(map(_stored, cells), getattr(pyarrow, _type_of(cells))())
        for name, cells in columns.items()
    }
    with write_whole(path) as part:
        parquet.write_table(pyarrow.table(arrays), part)


def _text(cell: Cell) -> str:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    return repr(float(cell)) if isinstance(cell, float) else str(cell)


def _stored(cell: Cell) -> Cell:
    return cell.encode("utf-8", "backslashreplace").decode() if isinstance(cell, str) else cell


def _type_of(cells: Sequence[Cell]) -> str:
    known = [cell for cell in cells if cell is not None]
    if known and all(isinstance(cell, str) for cell in known):
        return "string"
    return "int64" if known and all(isinstance(cell, int) for cell in known) else "float64"
