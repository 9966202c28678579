"""Scores of a Parquet file of any length, in bounded memory: the next rows are read while the last are scored."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.detection.kernels import COLUMNS, fill_turned_scores, fill_turned_scores_of_singles
from choicekit.detection.scores import POWER, TOP, check_gen, check_method, check_temperature, score_table
from choicekit.errors import DataError, InvalidInputError, Problem
from choicekit.execution.local import available_workers
from choicekit.execution.passes import Progress, silent

__all__ = ["score_parquet"]

FloatArray = npt.NDArray[np.float64]

_CELLS = 50_000_000  # of a batch, by default
_PORTION = 2_000_000  # cells that a thread works on at a time


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
        Rows that are held at once, twice: by default about 50 million logits.
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
    check_gen(power, top)
    try:
        file = pq.ParquetFile(source)
        names = _named(file, columns, source)
        rows = batch_rows or max(1024, _CELLS // len(names))
        batches = file.iter_batches(batch_size=rows, columns=names)
        n_rows = file.metadata.num_rows
        out, start, table = np.empty((n_rows, len(COLUMNS))), 0, np.empty((0, 0))
        wanted = _Wanted(methods=tuple(methods), temperature=float(temperature), power=float(power), top=top)
        with ThreadPoolExecutor(available_workers(), thread_name_prefix="choicekit") as pool:
            for batch in _ahead(batches):
                held = _arrays(batch, source)
                single = all(column.dtype == np.float32 for column in held)
                if table.shape[1] < batch.num_rows:
                    table = np.empty((len(held), batch.num_rows), dtype=np.float32 if single else np.float64)
                if not _fill(held, table, out[start : start + batch.num_rows], wanted, pool):
                    raise _not_finite(table[:, : batch.num_rows], start, source)
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


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """Which scores are wanted, and how."""

    methods: tuple[str, ...]
    temperature: float
    power: float
    top: int


def _fill(
    columns: list[npt.NDArray[Any]], table: npt.NDArray[Any], out: FloatArray, wanted: _Wanted, pool: ThreadPoolExecutor
) -> bool:
    """Score the rows of a batch on several threads, with `table` (J, n) to work in; False where one is not finite."""
    n_rows = columns[0].size

    def gather(part: slice) -> bool:
        for place in range(part.start, part.stop):
            table[place, :n_rows] = columns[place]
        return bool(np.isfinite(table[part, :n_rows]).all())

    def score(part: slice) -> None:
        t, own = wanted.temperature, out[part]
        if t == 0:
            rows = table[:, part].T
            found = score_table(rows, COLUMNS, temperature=0.0, power=wanted.power, top=wanted.top)
            own[:] = np.stack(list(found.values()), axis=1)
            return
        fill = fill_turned_scores_of_singles if table.dtype == np.float32 else fill_turned_scores
        fill(table, part.start, part.stop, t, wanted.power, wanted.top if "gen" in wanted.methods else 0, own)

    if not all(pool.map(gather, _portions(len(columns), n_rows))):
        return False
    for _ in pool.map(score, _portions(n_rows, len(columns))):
        pass
    return True


def _portions(n: int, width: int) -> list[slice]:
    size = max(1, _PORTION // max(width, 1))
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]


def _not_finite(table: npt.NDArray[Any], start: int, source: Path) -> DataError:
    row, place = (int(index) for index in np.argwhere(~np.isfinite(table.T))[0])
    message = f"logits must be finite, found {table[place, row]} in class {place} (counted from 0)"
    return DataError([Problem(message=message, hint="leave the row out", file=str(source), line=start + row + 1)])


def _problem(source: Path, message: str, hint: str = "", path: str = "") -> DataError:
    return DataError([Problem(message=message, hint=hint, file=str(source), path=path)])
