"""Reading tables: CSV and Parquet files into frames that know which line a row came from."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.errors import DataError, Problem

__all__ = ["Table", "column_values", "labels_of", "number_of_each", "read_table"]

MISSING_MARKS = frozenset({"", "na", "n/a", "nan", "null", "none"})
"""Texts that mean "no number here" in an otherwise numeric column, in any case."""

_SEPARATORS = (",", ";", "\t", "|")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Table:
    """A frame and where it came from.

    Attributes
    ----------
    frame : DataFrame
        One row a data row.
    name : str
        File as the user named it; empty for a frame made in memory.
    path : Path or None
        The file itself.
    separator : str or None
        Of a CSV file; None for others.
    lines : tuple of int
        Line of each row in the file `name`, where the rows were written into another file, such as a scenario.
    """

    frame: pd.DataFrame
    name: str = ""
    path: Path | None = None
    separator: str | None = None
    lines: tuple[int, ...] = ()

    @property
    def has_lines(self) -> bool:
        """Whether the rows stand on lines of a text file."""
        return bool(self.lines) or self.separator is not None

    def line(self, row: int) -> int:
        """Line of a data row (counted from 0) in its file, counted from 1; for tables without lines row + 1."""
        if self.lines:
            return self.lines[row]
        if self.path is None or self.separator is None:
            return row + 1
        content = self.path.read_bytes()
        if not any(mark in content for mark in (b'"', b"\n\n", b"\r\n\r\n", b"\r\r")):
            return row + 2
        # quoted cells may span lines and blank lines are skipped: count as a CSV reader does
        with self.path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
            reader = csv.reader(stream, delimiter=self.separator)
            start = 1
            left = row + 1
            for cells in reader:
                if cells:
                    if left == 0:
                        return start
                    left -= 1
                start = reader.line_num + 1
        return row + 2

    def problem(self, message: str, *, row: int | None = None, column: str = "", hint: str = "") -> Problem:
        """Describe something wrong with the table, or with one of its rows."""
        line = None if row is None else self.line(row)
        where = "" if row is None or self.has_lines else f"row {line}: "
        return Problem(message=where + message, hint=hint, file=self.name, line=line, path=column)

    def __repr__(self) -> str:
        return f"Table({self.name or 'in memory'}: {len(self.frame)} rows, {len(self.frame.columns)} columns)"


def read_table(path: str | Path, *, separator: str | None = None, name: str | None = None) -> Table:
    r"""Read a CSV or Parquet file.

    Parameters
    ----------
    path : path
        Ending in .csv, .tsv, .txt, .parquet or .pq.
    separator : str, optional
        Of a CSV file; by default the one of comma, semicolon, tab and bar that its first line holds most of.
    name : str, optional
        How to call the file in messages; defaults to `path`.

    Returns
    -------
    Table
        Empty cells are missing; other texts, also "NA", are kept until a column is used as numbers.

    Raises
    ------
    DataError
        Where the file is missing, unreadable, empty or malformed; the message names the line.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "trips.csv"
    ...     _ = path.write_text("agent;cost\n1;2.5\n")
    ...     read_table(path, name="trips.csv")
    Table(trips.csv: 1 rows, 2 columns)
    """
    path = Path(path)
    name = str(path) if name is None else name
    if not path.is_file():
        what = "is a directory, not a table" if path.is_dir() else "does not exist"
        raise DataError([Problem(message=f"the table {what}", file=name, hint="check the path")])
    try:
        if path.suffix.lower() in {".parquet", ".pq"}:
            return Table(frame=_read_parquet(path, name), name=name, path=path)
        if path.suffix.lower() in {".csv", ".tsv", ".txt"}:
            return _read_csv(path, name, separator)
    except OSError as error:
        raise DataError([Problem(message=f"the table cannot be read: {error.strerror or error}", file=name)]) from error
    raise DataError(
        [Problem(message=f"a table must end in .csv, .tsv, .txt or .parquet, found {path.suffix!r}", file=name)]
    )


def _read_parquet(path: Path, name: str) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except (ValueError, OSError) as error:  # pyarrow's errors derive from these
        raise DataError([Problem(message="this is not a readable Parquet file", file=name)]) from error


def _read_csv(path: Path, name: str, separator: str | None) -> Table:
    header, separator = _read_header(path, name, separator)
    repeated = sorted({cell for cell in header if header.count(cell) > 1})
    if repeated:
        raise DataError(
            [
                Problem(message=f"column {cell!r} occurs twice, rename one", file=name, line=1, path=cell)
                for cell in repeated
            ]
        )
    try:
        frame = pd.read_csv(
            path, sep=separator, keep_default_na=False, na_values=[""], low_memory=False, encoding="utf-8-sig",
            index_col=False, on_bad_lines="error",
        )  # fmt: skip
    except UnicodeDecodeError as error:
        raise DataError([_not_utf8(path, name)]) from error
    except (ValueError, pd.errors.ParserError) as error:
        raise DataError([_malformed(str(error), name, len(header))]) from error
    if frame.empty:
        raise DataError([Problem(message="the table has a header but no rows", file=name, hint="add data below it")])
    return Table(frame=frame, name=name, path=path, separator=separator)


def _read_header(path: Path, name: str, separator: str | None) -> tuple[list[str], str]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        try:
            first = stream.readline()
        except UnicodeDecodeError as error:
            raise DataError([_not_utf8(path, name)]) from error
    if not first.strip():
        raise DataError([Problem(message="the table is empty", file=name, line=1, hint="give a header and rows")])
    if separator is None:
        separator = max(_SEPARATORS, key=first.count) if any(mark in first for mark in _SEPARATORS) else ","
    return next(csv.reader([first], delimiter=separator)), separator


def _not_utf8(path: Path, name: str) -> Problem:
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            return Problem(
                message="text must be UTF-8, found other bytes", file=name, line=number, hint="save it as UTF-8"
            )
    return Problem(message="text must be UTF-8, found other bytes", file=name, hint="save it as UTF-8")


def _malformed(reason: str, name: str, width: int) -> Problem:
    found = re.search(r"Expected \d+ fields in line (\d+), saw (\d+)", reason)
    if found:
        line, cells = int(found[1]), found[2]
        return Problem(message=f"this line has {cells} cells where the header has {width}", file=name, line=line)
    return Problem(message="the table is malformed", file=name, hint="look for an unclosed quote")


def column_values(series: pd.Series[Any]) -> npt.NDArray[Any]:
    """Return a column as float64, bool, or text.

    Parameters
    ----------
    series : Series (n,)

    Returns
    -------
    ndarray (n,)
        float64 where every cell is a number or missing (nan), bool where every cell is True or False, otherwise
        objects that are all text; missing text is empty.

    Examples
    --------
    >>> column_values(pd.Series(["1", "NA", "2.5"]))
    array([1. , nan, 2.5])
    >>> column_values(pd.Series(["bus", None]))
    array(['bus', ''], dtype=object)
    """
    if series.dtype.kind == "b":
        return series.to_numpy(dtype=bool)
    if series.dtype.kind in "iuf":
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    texts = ["" if cell is None or cell is pd.NA or cell != cell else str(cell) for cell in series.astype(object)]
    numbers, bad = number_of_each(np.asarray(texts, dtype=object))
    return np.asarray(texts, dtype=object) if bad.any() else numbers


def number_of_each(texts: npt.NDArray[Any]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Read texts as numbers; return them, nan where missing, and which texts are neither.

    Examples
    --------
    >>> number_of_each(np.array(["1", "", "warm"], dtype=object))
    (array([ 1., nan, nan]), array([False, False,  True]))
    """
    numbers = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce").to_numpy(dtype=np.float64)
    doubtful = np.flatnonzero(np.isnan(numbers))
    bad = np.zeros(len(texts), dtype=bool)
    bad[doubtful] = [str(texts[place]).strip().lower() not in MISSING_MARKS for place in doubtful]
    return numbers, bad


def labels_of(series: pd.Series[Any]) -> npt.NDArray[Any]:
    """Return a column of labels as text: whole numbers without a decimal point, missing as empty.

    Examples
    --------
    >>> labels_of(pd.Series([1.0, 2.0]))
    array(['1', '2'], dtype=object)
    """
    labels = []
    for cell in series.astype(object):
        if cell is None or cell is pd.NA or cell != cell:
            labels.append("")
        elif isinstance(cell, float | np.floating) and float(cell).is_integer():
            labels.append(str(int(cell)))
        else:
            labels.append(str(cell))
    return np.asarray(labels, dtype=object)
