"""Reading tables: CSV and Parquet files into frames that know which line a row came from."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.counting import counted
from choicekit.errors import DataError, InvalidInputError, Problem

__all__ = [
    "Table",
    "column_values",
    "is_missing",
    "is_text",
    "label_of",
    "labels_of",
    "number_of_each",
    "read_table",
    "table_of",
    "unfit_path",
]

MISSING_MARKS = frozenset({"", "na", "n/a", "nan", "null", "none"})
"""Texts that mean "no number here" in an otherwise numeric column, in any case."""

FloatArray = npt.NDArray[np.float64]

_LARGEST = int(np.finfo(np.float64).max)
_SEPARATORS = (",", ";", "\t", "|")
_TRUTH = (bool, np.bool_)
_SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".parquet", ".pq"})
_IRREGULAR = re.compile(rb'"|(?:\A|\n|\r(?!\n))[ \t]*[\r\n]')  # quoted cells, which may span lines, and blank lines


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
        if not _IRREGULAR.search(self.path.read_bytes()):
            return row + 2
        lines = (line for line, _ in _records(self.path, self.separator))
        return next(islice(lines, row + 1, None), row + 2)

    def problem(self, message: str, *, row: int | None = None, column: str = "", hint: str = "") -> Problem:
        """Describe something wrong with the table, or with one of its rows."""
        number = None if row is None else self.line(row)
        if number is not None and not self.has_lines:
            message, number = f"row {number}: {message}", None
        return Problem(message=message, hint=hint, file=self.name, line=number, path=column)

    def __repr__(self) -> str:
        size = f"{counted(len(self.frame), 'row')}, {counted(len(self.frame.columns), 'column')}"
        return f"Table({self.name or 'in memory'}: {size})"


def read_table(
    path: str | Path, *, separator: str | None = None, name: str | None = None, text: Collection[str] = ()
) -> Table:
    r"""Read a CSV or Parquet file.

    Parameters
    ----------
    path : path
        Ending in .csv, .tsv, .txt, .parquet or .pq.
    separator : str, optional
        Of a CSV file; by default the one of comma, semicolon, tab and bar that its first line holds most of.
    name : str, optional
        How to call the file in messages; defaults to `path`.
    text : collection of str
        Columns of a CSV file whose cells are kept as they are written, such as identifiers: ``007`` is not 7. A
        Parquet file knows the kinds of its columns; names that the file lacks are passed over.

    Returns
    -------
    Table
        Empty cells are missing; other texts, also "NA", are kept until a column is used as numbers.

    Raises
    ------
    DataError
        Where the file is missing, unreadable, empty or malformed; the message names the line.
    InvalidInputError
        Where `separator` is not one character that can separate cells.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "trips.csv"
    ...     _ = path.write_text("agent;cost\n1;2.5\n")
    ...     read_table(path, name="trips.csv")
    Table(trips.csv: 1 row, 2 columns)
    """
    path = Path(path)
    name = str(path) if name is None else name
    unfit = unfit_path(path)
    if unfit is not None:
        raise DataError([Problem(message=unfit[0], file=name, hint=unfit[1])])
    if separator is not None and (len(separator) != 1 or separator in '"\r\n'):
        raise InvalidInputError(f"separator must be one character such as ',' or ';', found {separator!r}")
    try:
        if path.suffix.lower() in {".parquet", ".pq"}:
            return Table(frame=_read_parquet(path, name), name=name, path=path)
        return _read_csv(path, name, separator, text)
    except OSError as error:
        message, hint = _unreadable(error)
        raise DataError([Problem(message=message, file=name, hint=hint)]) from error


def unfit_path(path: Path) -> tuple[str, str] | None:
    """Say why a path cannot be a table, and the way out; None where it can.

    Examples
    --------
    >>> unfit_path(Path("no such file.csv"))
    ('the table does not exist', 'check the path')
    """
    try:
        if path.is_dir():
            return "the table is a directory", "name the file inside it"
        if not path.is_file():
            return "the table does not exist", "check the path"
        with path.open("rb"):  # libraries say in many ways that they may not
            pass
    except OSError as error:
        return _unreadable(error)
    if path.suffix.lower() not in _SUFFIXES:
        found = f"found {path.suffix!r}" if path.suffix else "found no ending"
        return f"a table must end in .csv, .tsv, .txt, .parquet or .pq, {found}", "save it as one of these"
    return None


def _unreadable(error: OSError) -> tuple[str, str]:
    if isinstance(error, PermissionError):
        return "you have no permission to read the table", "change its permissions"
    return "the table cannot be read", "check its name and the disk"


def table_of(frame: pd.DataFrame, name: str = "") -> Table:
    """Make a table of a frame: columns named by text, rows counted from 0.

    Raises
    ------
    DataError
        Where two columns have one name.

    Examples
    --------
    >>> table_of(pd.DataFrame({1: [2.5]}, index=["x"])).frame
         1
    0  2.5
    """
    columns = [str(column) for column in frame.columns]
    _refuse_repeated(columns, name, None)
    return Table(frame=frame.set_axis(columns, axis="columns").reset_index(drop=True), name=name)


def _refuse_repeated(columns: list[str], name: str, line: int | None) -> None:
    repeated = sorted({column for column in columns if columns.count(column) > 1})
    if repeated:
        raise DataError(
            [
                Problem(message=f"column {column!r} occurs twice", hint="rename one", file=name, line=line, path=column)
                for column in repeated
            ]
        )


def _read_parquet(path: Path, name: str) -> pd.DataFrame:
    try:
        frame = pd.read_parquet(path)
    except (ValueError, OSError) as error:  # pyarrow's errors derive from these
        hint = "write it again as Parquet, or as CSV"
        raise DataError([Problem(message="this is not a readable Parquet file", hint=hint, file=name)]) from error
    if any(label is not None for label in frame.index.names):
        frame = frame.reset_index()  # pandas stores an index as columns of its own
    return table_of(frame, name).frame


def _read_csv(path: Path, name: str, separator: str | None, text: Collection[str]) -> Table:
    header, line, separator = _read_header(path, name, separator)
    _refuse_repeated([cell for cell in header if cell], name, line)
    try:
        frame = pd.read_csv(
            path, sep=separator, keep_default_na=False, na_values=[""], low_memory=False, encoding="utf-8-sig",
            index_col=False, on_bad_lines="error", dtype={column: str for column in header if column in text},
        )  # fmt: skip
    except UnicodeDecodeError as error:
        raise DataError([_not_utf8(path, name)]) from error
    except (ValueError, pd.errors.ParserError) as error:
        raise DataError([_malformed(path, name, separator, len(header))]) from error
    if not len(frame):
        hint = "add data below it"
        raise DataError([Problem(message="the table has a header but no rows", file=name, line=line, hint=hint)])
    named = [place for place, cell in enumerate(header) if cell]  # nothing can refer to a column without a name
    return Table(frame=frame.iloc[:, named], name=name, path=path, separator=separator)


def _read_header(path: Path, name: str, separator: str | None) -> tuple[list[str], int, str]:
    """Return the cells of the header, its line, and the separator; see that the first row has no more cells."""
    try:
        with path.open(encoding="utf-8-sig") as stream:
            first = next((line for line in stream if line.strip()), "")
        if not first:
            raise DataError([Problem(message="the table is empty", file=name, line=1, hint="give a header and rows")])
        usual = max(_SEPARATORS, key=first.count)
        if separator is None:
            separator = usual if usual in first else ","
        elif separator not in first and usual in first and '"' not in first:
            message = f"the separator {separator!r} does not occur in the header"
            raise DataError([Problem(message=message, hint=f"did you mean {usual!r}?", file=name, line=1)])
        (line, header), *rows = islice(_records(path, separator), 2)
    except UnicodeDecodeError as error:
        raise DataError([_not_utf8(path, name)]) from error
    for place, cells in rows:  # pandas drops what a first row has too much
        if len(cells) > len(header):
            raise DataError([_too_many(len(cells), len(header), name, place)])
    return header, line, separator


def _records(path: Path, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line each record of a CSV file starts on, and its cells; blank lines are passed over."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        reader = csv.reader(stream, delimiter=separator)
        start = 1
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:  # a cell longer than the reader takes
                cells = ["…"]
            if len(cells) > 1 or (cells and cells[0].strip()):
                yield start, cells
            start = reader.line_num + 1


def _not_utf8(path: Path, name: str) -> Problem:
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            return Problem(
                message="text must be UTF-8, found other bytes", file=name, line=number, hint="save it as UTF-8"
            )
    return Problem(message="text must be UTF-8, found other bytes", file=name, hint="save it as UTF-8")


def _too_many(cells: int, width: int, name: str, line: int) -> Problem:
    message = f"this line has {cells} cells where the header has {width}"
    return Problem(message=message, hint="put text that holds the separator in quotes", file=name, line=line)


def _malformed(path: Path, name: str, separator: str, width: int) -> Problem:
    line = 1
    for line, cells in _records(path, separator):
        if len(cells) > width:
            return _too_many(len(cells), width, name, line)
    # nothing else is refused; an open quote takes in all that follows, so the last record has it
    return Problem(message="a quote is never closed", hint="close or remove it", file=name, line=line)


def column_values(series: pd.Series[Any]) -> npt.NDArray[Any]:
    """Return a column as float64, bool, or text.

    Parameters
    ----------
    series : Series (n,)

    Returns
    -------
    ndarray (n,)
        bool where every cell is True or False; float64 where every cell is a number, or True or False (1 or 0), or
        missing (nan); otherwise objects that are all text; missing text is empty.

    Examples
    --------
    >>> column_values(pd.Series(["1", "NA", "2.5"]))
    array([1. , nan, 2.5])
    >>> column_values(pd.Series(["bus", None]))
    array(['bus', ''], dtype=object)
    """
    if series.dtype.kind in "iuf":
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    if is_text(series):
        codes, found = pd.factorize(series, use_na_sentinel=False)  # few texts, where rows are many
        return np.asarray(_read_texts(["" if is_missing(text) else text for text in found.astype(object)])[codes])
    cells = [None if is_missing(cell) else cell for cell in series.astype(object)]
    if any(cell is not None for cell in cells) and all(cell is None or isinstance(cell, _TRUTH) for cell in cells):
        return np.asarray(cells, dtype=bool if None not in cells else np.float64)
    return _read_texts(["" if cell is None else str(cell) for cell in cells])


def _read_texts(cells: list[str]) -> npt.NDArray[Any]:
    """Return texts as numbers where all are, else as they are."""
    texts = np.asarray(cells, dtype=object)
    numbers, bad = number_of_each(texts)
    return texts if bad.any() else numbers


def is_text(series: pd.Series[Any]) -> bool:
    """Whether every cell is text or missing, in whichever way pandas stores text.

    Examples
    --------
    >>> is_text(pd.Series(["bus", None])), is_text(pd.Series(["bus", 1]))
    (True, False)
    """
    return pd.api.types.infer_dtype(series, skipna=True) == "string"


def is_missing(cell: Any) -> bool:
    """Whether a cell is empty: None, nan or a mark of pandas, but not text.

    Examples
    --------
    >>> is_missing(np.nan), is_missing("")
    (True, False)
    """
    return cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and cell != cell)


def number_of_each(texts: npt.NDArray[Any]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Read texts as numbers; return them, nan where missing, and which texts are neither.

    Examples
    --------
    >>> number_of_each(np.array(["1", "", "warm"], dtype=object))
    (array([ 1., nan, nan]), array([False, False,  True]))
    """
    try:  # each different text is looked at once; True and 1, which are then one, are one number anyway
        codes, found = pd.factorize(texts, use_na_sentinel=False)
    except TypeError:  # something that is no text at all, and cannot be told from others
        codes, found = np.arange(len(texts)), texts
    try:
        numbers = _as_floats(found)
    except OverflowError:  # a whole number beyond every float
        numbers = _as_floats([np.inf if isinstance(cell, int) and abs(cell) > _LARGEST else cell for cell in found])
    doubtful = np.flatnonzero(np.isnan(numbers))
    bad = np.zeros(len(found), dtype=bool)
    bad[doubtful] = [str(found[place]).strip().lower() not in MISSING_MARKS for place in doubtful]
    return numbers[codes], bad[codes]


def _as_floats(cells: Sequence[Any] | npt.NDArray[Any]) -> FloatArray:
    return pd.to_numeric(pd.Series(cells, dtype=object), errors="coerce").to_numpy(dtype=np.float64)


def labels_of(series: pd.Series[Any]) -> npt.NDArray[Any]:
    """Return a column of labels as text: whole numbers without a decimal point, missing as empty.

    Examples
    --------
    >>> labels_of(pd.Series([1.0, 2.0]))
    array(['1', '2'], dtype=object)
    """
    if series.dtype == object and not is_text(series):  # of mixed kinds, where True and 1 would be taken for one
        return np.asarray([label_of(cell) for cell in series], dtype=object)
    codes, found = pd.factorize(series, use_na_sentinel=False)  # few labels, where rows are many
    return np.asarray([label_of(cell) for cell in found.astype(object)], dtype=object)[codes]


def label_of(cell: Any) -> str:
    """Return a label as text: a whole number without a decimal point, a missing one as empty."""
    if is_missing(cell):
        return ""
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    return str(cell)
