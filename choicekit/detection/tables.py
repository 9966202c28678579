"""Tables of logits: a row a situation, a column a class, and what is known of each row beside."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from choicekit.detection.scores import AnyFloat, checked_logits
from choicekit.errors import DataError, InvalidInputError, Problem, ShapeError
from choicekit.suggestions import suggest

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LogitTable", "read_logits", "table_of_logits"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
TextArray = npt.NDArray[np.str_]

_MOST_LISTED = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class LogitTable:
    """Logits of some rows, and what is known of each.

    Parameters
    ----------
    logits : array_like (N, J)
        Finite, of at least two classes; float32 is kept.
    classes : sequence of str
        Names of the columns.
    labels : array_like (N,) of int, optional
        Position of each row's observed class; -1 for one that is not among the classes.
    label_names : array_like (N,) of str, optional
        As the file has them.
    groups, split, rows : array_like (N,) of str, optional
        Such as sites; parts of the table; names of the rows, by default their numbers from 1.
    features : array_like (N, K), optional
        What a head can be trained on.
    feature_names : sequence of str

    Raises
    ------
    InvalidInputError, ShapeError
        For logits that are not finite, or shapes that do not fit.

    Examples
    --------
    >>> table = LogitTable(logits=[[1.0, 0.0], [0.0, 2.0]], classes=("deer", "fox"))
    >>> table.rows.tolist(), table.predicted.tolist()
    (['1', '2'], ['deer', 'fox'])
    """

    logits: AnyFloat
    classes: Sequence[str]
    labels: IntArray | None = None
    label_names: TextArray | None = None
    groups: TextArray | None = None
    split: TextArray | None = None
    rows: TextArray = None  # type: ignore[assignment]  # their numbers, see __post_init__
    features: FloatArray | None = None
    feature_names: Sequence[str] = ()

    def __post_init__(self) -> None:
        values = checked_logits(self.logits)
        if values.ndim != 2:
            raise ShapeError(f"a table of logits must have rows and classes, (N, J), found shape {values.shape}")
        object.__setattr__(self, "logits", values)
        object.__setattr__(self, "classes", tuple(map(str, self.classes)))
        object.__setattr__(self, "feature_names", tuple(map(str, self.feature_names)))
        if len(self.classes) != values.shape[1]:
            raise ShapeError(f"there must be one name a class, found {len(self.classes)} and {values.shape[1]} classes")
        rows = np.arange(1, len(values) + 1) if self.rows is None else self.rows
        object.__setattr__(self, "rows", np.asarray(rows).astype(np.str_))
        for name in ("label_names", "groups", "split"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, np.asarray(getattr(self, name)).astype(np.str_))
        if self.labels is not None:
            self._check_labels()
        self._check_shapes()

    def _check_labels(self) -> None:
        found = np.asarray(self.labels)
        if found.dtype.kind not in "iu" or not np.all((found >= -1) & (found < len(self.classes))):
            raise InvalidInputError("labels must be positions of classes, counted from 0, or -1 for none of them")
        object.__setattr__(self, "labels", found.astype(np.int64))

    def _check_shapes(self) -> None:
        n = len(self.logits)
        for name in ("labels", "label_names", "groups", "split", "rows"):
            found = getattr(self, name)
            if found is not None and found.shape != (n,):
                raise ShapeError(f"{name} must have one entry a row, ({n},), found shape {found.shape}")
        if self.features is not None:
            table = np.asarray(self.features, dtype=np.float64)
            if table.shape != (n, len(self.feature_names)):
                raise ShapeError(f"features must be one number a row and name, found shape {table.shape}")
            object.__setattr__(self, "features", table)

    def __len__(self) -> int:
        return len(self.logits)

    def __repr__(self) -> str:
        return f"LogitTable({len(self):,} rows, {len(self.classes):,} classes)"

    @property
    def predicted(self) -> TextArray:
        """The likeliest class of each row, (N,)."""
        return np.asarray(np.asarray(self.classes)[self.logits.argmax(axis=1)])

    def restricted(self, rows: npt.NDArray[Any]) -> LogitTable:
        """Return some of the rows, by position or truth value."""
        names = ("logits", "labels", "label_names", "groups", "split", "rows", "features")
        kept: dict[str, Any] = {
            name: None if getattr(self, name) is None else getattr(self, name)[rows] for name in names
        }
        return replace(self, **kept)


def read_logits(
    path: str | os.PathLike[str],
    *,
    logits: Sequence[str] | str,
    label: str | None = None,
    group: str | None = None,
    split: str | None = None,
    row: str | None = None,
    features: Sequence[str] | str | None = None,
) -> LogitTable:
    """Read a table of logits.

    Parameters
    ----------
    path : path
        ``.csv``, ``.parquet`` (or ``.pq``) or ``.npz``; the latter holds one array for each name.
    logits : str or sequence of str
        Names of the columns, or what they all begin with: the rest of a name is its class. Of an ``.npz`` file the
        array (N, J); its array ``classes``, if there is one, names them.
    label, group, split, row : str, optional
        Columns with the observed class, a group such as a site, the part of the table, and the name of the row.
    features : str or sequence of str, optional
        As `logits`.

    Returns
    -------
    LogitTable

    Raises
    ------
    DataError
        For a file that cannot be read, columns that are not there, and cells that are no finite numbers; with line and
        column of the first few.

    Notes
    -----
    Arrays of Python objects are refused: to read them would run code.
    """
    source = Path(path)
    if source.suffix.lower() == ".npz":
        columns = {"label": label, "group": group, "split": split, "row": row}
        return _from_arrays(source, logits, columns, features)
    return table_of_logits(
        _read_frame(source), logits=logits, label=label, group=group, split=split, row=row, features=features, name=path
    )


def table_of_logits(
    frame: pd.DataFrame,
    *,
    logits: Sequence[str] | str,
    label: str | None = None,
    group: str | None = None,
    split: str | None = None,
    row: str | None = None,
    features: Sequence[str] | str | None = None,
    name: str | os.PathLike[str] = "table",
) -> LogitTable:
    """Make a table of logits of a frame.

    Parameters
    ----------
    frame : DataFrame
    logits, label, group, split, row, features
        As `read_logits`.
    name : str
        What the table is called in messages.

    Returns
    -------
    LogitTable

    Raises
    ------
    DataError
        For columns that are not there, and cells that are no finite numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"u_deer": [1.0, 0.0], "u_fox": [0.0, 2.0], "seen": ["deer", "yeti"]})
    >>> table_of_logits(frame, logits="u_", label="seen").labels.tolist()
    [0, -1]
    """
    source, columns = Path(name), {"label": label, "group": group, "split": split, "row": row}
    names = _columns(frame, logits, "logits", source)
    if len(names) < 2:
        raise _problem(source, f"a table of logits needs at least two classes, found {len(names)}", path=str(logits))
    values = _numbers(frame, names, source, single=True)
    features_named = [] if features is None else _columns(frame, features, "features", source)
    found = {key: None if column is None else _texts(frame, column, source) for key, column in columns.items()}
    classes = _without_prefix(names, logits)
    return LogitTable(
        logits=values,
        classes=classes,
        features=_numbers(frame, features_named, source).astype(np.float64) if features_named else None,
        feature_names=_without_prefix(features_named, features),
        **_known(found, classes),
    )


def _known(found: Mapping[str, TextArray | None], classes: Sequence[str]) -> dict[str, Any]:
    places = {name: place for place, name in enumerate(classes)}
    named = found["label"]
    labels = None if named is None else np.array([places.get(str(name), -1) for name in named], dtype=np.int64)
    return {
        "labels": labels,
        "label_names": named,
        "groups": found["group"],
        "split": found["split"],
        "rows": found["row"],
    }


def _read_frame(source: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        if source.suffix.lower() in (".parquet", ".pq"):
            import pyarrow.parquet as pq

            frame: pd.DataFrame = pq.read_table(source).to_pandas()
            return frame
        if source.suffix.lower() == ".csv":
            return pd.read_csv(source, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except OSError as error:
        raise _problem(source, f"cannot be read: {error.strerror or error}", "look at the path") from error
    except Exception as error:  # readers fail in many ways
        raise _problem(source, f"cannot be read: {str(error).splitlines()[0][:200]}") from error
    raise _problem(source, "a table of logits is .csv, .parquet or .npz", "write it as one of them")


def _columns(frame: pd.DataFrame, wanted: Sequence[str] | str, what: str, source: Path) -> list[str]:
    known = [str(name) for name in frame.columns]
    if isinstance(wanted, str):
        found = [name for name in known if name.startswith(wanted)]
        if not found:
            shown = ", ".join(known[:_MOST_LISTED])
            raise _problem(source, f"no column begins with {wanted!r}, the {what}", f"there are {shown}", path=wanted)
        return found
    for name in wanted:
        _check_column(name, known, source)
    return list(wanted)


def _check_column(name: str, known: Sequence[str], source: Path) -> None:
    if name not in known:
        hint = suggest(name, known) or f"there are {', '.join(known[:_MOST_LISTED])}"
        raise _problem(source, f"there is no column {name!r}", hint, path=name)


def _without_prefix(names: Sequence[str], wanted: Sequence[str] | str | None) -> tuple[str, ...]:
    if isinstance(wanted, str) and all(len(name) > len(wanted) for name in names):
        return tuple(name[len(wanted) :] for name in names)
    return tuple(names)


def _texts(frame: pd.DataFrame, name: str, source: Path) -> TextArray:
    _check_column(name, [str(known) for known in frame.columns], source)
    column = frame[name]
    if column.dtype.kind == "f" and bool((column == column.round()).all()):
        column = column.astype(np.int64)  # whole numbers read as such, 3 and not 3.0
    return column.astype(str).to_numpy().astype(np.str_)


def _numbers(frame: pd.DataFrame, names: Sequence[str], source: Path, *, single: bool = False) -> AnyFloat:
    all_single = single and all(frame[name].dtype == np.float32 for name in names)
    table = np.empty((len(frame), len(names)), dtype=np.float32 if all_single else np.float64)
    problems: list[Problem] = []
    for place, name in enumerate(names):
        try:
            table[:, place] = frame[name].to_numpy()
        except (TypeError, ValueError):
            table[:, place] = [_number(cell) for cell in frame[name]]
        wrong = np.flatnonzero(~np.isfinite(table[:, place]))
        if wrong.size:
            cell = frame[name].iloc[int(wrong[0])]
            problems.append(
                Problem(
                    message=f"{name} must be a finite number, found {str(cell)[:40]!r}",
                    hint="mend the cell, or leave the row out",
                    file=str(source),
                    line=int(wrong[0]) + (2 if source.suffix.lower() == ".csv" else 1),
                    path=name,
                    more=int(wrong.size) - 1,
                )
            )
    if problems:
        raise DataError(sorted(problems, key=lambda problem: problem.line or 0)[:_MOST_LISTED])
    return table


def _number(cell: object) -> float:
    try:
        return float(str(cell))
    except ValueError:
        return float("nan")


def _from_arrays(
    source: Path, logits: Sequence[str] | str, columns: Mapping[str, str | None], features: Sequence[str] | str | None
) -> LogitTable:
    if not isinstance(logits, str) or not (features is None or isinstance(features, str)):
        raise _problem(source, "an .npz file holds logits as one array, named by one word")
    try:
        with np.load(source, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except OSError as error:
        raise _problem(source, f"cannot be read: {error.strerror or error}", "look at the path") from error
    except Exception as error:  # hostile files fail in many ways
        raise _problem(source, f"cannot be read: {str(error).splitlines()[0][:200]}") from error
    for name in (logits, features, *columns.values()):
        if name is not None and name not in arrays:
            hint = suggest(name, list(arrays)) or f"there are {', '.join(arrays)}"
            raise _problem(source, f"there is no array {name!r}", hint, path=name)
    try:
        values = arrays[logits]
        n_classes = values.shape[-1] if values.ndim else 0
        classes = tuple(map(str, arrays.get("classes", np.arange(n_classes)).tolist()))
        found = {key: None if name is None else arrays[name].astype(np.str_) for key, name in columns.items()}
        table = None if features is None else arrays[features]
        return LogitTable(
            logits=values,
            classes=classes,
            features=table,
            feature_names=() if table is None else tuple(map(str, range(table.shape[-1]))),
            **_known(found, classes),
        )
    except (InvalidInputError, ValueError, TypeError) as error:
        raise _problem(source, str(error), path=logits) from error


def _problem(source: Path, message: str, hint: str = "", path: str = "") -> DataError:
    return DataError([Problem(message=message, hint=hint, file=str(source), path=path)])
