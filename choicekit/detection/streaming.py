"""Scores of a Parquet file of any length, in bounded memory: the next rows are read while the last are scored."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.detection.kernels import COLUMNS, fill_scores, fill_scores_of_singles
from choicekit.detection.scores import POWER, TOP, check_method, check_temperature, score_table
from choicekit.errors import DataError, InvalidInputError, Problem
from choicekit.execution.passes import Progress, silent
from choicekit.kernels import over_rows

__all__ = ["score_parquet"]

FloatArray = npt.NDArray[np.float64]

_CELLS = 16_000_000  # of a batch, by default


def score_parquet(
    path: str | os.PathLike[str],
    columns: Sequence[str] | str,
    methods: Sequence[str] = COLUMNS,
    *,
    temperature: float = 1.0,
    power: float = POWER,
    top: int = TOP,
    batch_rows: int | None = None,
    progress: Progress = silent,
) -> dict[str, FloatArray]:
    """Return scores of all rows of a file, larger = more out-of-distribution, without holding its logits.

    Parameters
    ----------
    path : path
        Of a Parquet file.
    columns : str or sequence of str
        Names of the logits, or what they all begin with.
    methods, temperature, power, top
        As `score_table`.
    batch_rows : int, optional
        Rows that are held at once, twice: by default about 16 million logits.
    progress : callable, optional
        Told rows done and rows in all.

    Returns
    -------
    dict of str to ndarray (N,)
        The same numbers as `score_table` of the whole.

    Raises
    ------
    DataError
        For a file that cannot be read, columns that are not there or no numbers, and logits that are not finite: the
        row is named.
    InvalidInputError
        As `score_table`.
    """
    import pyarrow.parquet as pq

    source = Path(path)
    for method in methods:
        check_method(method, COLUMNS)
    check_temperature(temperature)
    try:
        file = pq.ParquetFile(source)
        names = _named(file, columns, source)
        rows = batch_rows or max(1024, _CELLS // len(names))
        batches = file.iter_batches(batch_size=rows, columns=names)
        n_rows = file.metadata.num_rows
        out = np.empty((n_rows, len(COLUMNS)))
        start = 0
        for batch in _ahead(batches):
            _fill(_arrays(batch, source), out, start, (temperature, power, top, list(methods)), source)
            start += batch.num_rows
            progress("scores", start, n_rows)
    except (OSError, ValueError, KeyError) as error:
        if isinstance(error, InvalidInputError | DataError):
            raise
        raise _problem(source, f"cannot be read: {str(error).splitlines()[0][:200]}") from error
    return {name: np.ascontiguousarray(out[:, COLUMNS.index(name)]) for name in methods}


def _named(file: Any, columns: Sequence[str] | str, source: Path) -> list[str]:
    known = list(file.schema_arrow.names)
    found = [name for name in known if name.startswith(columns)] if isinstance(columns, str) else list(columns)
    missing = [name for name in found if name not in known]
    if missing:
        raise _problem(source, f"there is no column {missing[0]!r}", f"there are {', '.join(known[:20])}", missing[0])
    if len(found) < 2:
        raise _problem(source, f"a table of logits needs at least two classes, found {len(found)}", path=str(columns))
    return found


def _ahead(batches: Iterator[Any]) -> Iterator[Any]:
    """Yield batches, each read while the one before is worked on."""
    with ThreadPoolExecutor(1, thread_name_prefix="choicekit-read") as pool:
        coming = pool.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, batches, None)
            yield batch


def _arrays(batch: Any, source: Path) -> list[npt.NDArray[Any]]:
    import pyarrow as pa

    found = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
            raise _problem(source, f"{name} must be numbers, found {column.type}", path=name)
        found.append(column.to_numpy(zero_copy_only=False))
    return found


def _fill(
    columns: list[npt.NDArray[Any]],
    out: FloatArray,
    start: int,
    settings: tuple[float, float, int, list[str]],
    source: Path,
) -> None:
    """Score the rows of a batch, portion by portion: each is turned from columns to rows where it is in reach."""
    temperature, power, top, methods = settings
    single = all(column.dtype == np.float32 for column in columns)
    wanted = top if "gen" in methods else 0

    def work(part: slice) -> None:
        table = np.empty((part.stop - part.start, len(columns)), dtype=np.float32 if single else np.float64)
        for place, column in enumerate(columns):
            table[:, place] = column[part]
        if not np.isfinite(table).all():
            row, place = (int(index) for index in np.argwhere(~np.isfinite(table))[0])
            raise DataError(
                [
                    Problem(
                        message=f"logits must be finite, found {table[row, place]} in class {place} (counted from 0)",
                        hint="leave the row out",
                        file=str(source),
                        line=start + part.start + row + 1,
                    )
                ]
            )
        own = out[start + part.start : start + part.stop]
        if temperature == 0:
            found = score_table(table, COLUMNS, temperature=0.0, power=power, top=top)
            own[:] = np.stack(list(found.values()), axis=1)
        else:
            (fill_scores_of_singles if single else fill_scores)(table, float(temperature), float(power), wanted, own)

    over_rows(work, columns[0].size, len(columns))


def _problem(source: Path, message: str, hint: str = "", path: str = "") -> DataError:
    return DataError([Problem(message=message, hint=hint, file=str(source), path=path)])
