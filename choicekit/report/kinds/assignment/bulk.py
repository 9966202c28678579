"""Every pair with its mass as a Parquet file, written some rows at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from choicekit.report.kinds.assignment.view import AssignmentView

__all__ = ["bulk_files", "write_coupling"]

_GROUP_CELLS = 500_000
"""About so many pairs are in a row group."""


def bulk_files(view: AssignmentView) -> dict[str, Callable[[Path], None]]:
    """Writers of large files by name."""
    return {"coupling.parquet": partial(write_coupling, view)}


def write_coupling(view: AssignmentView, path: Path) -> None:
    """Write one row for every pair.

    Parameters
    ----------
    view : AssignmentView
    path : pathlib.Path

    Notes
    -----
    Columns: row, column, utility (minus infinity where forbidden), mass, and by_chance, null where there is no such
    expectation. Sorted by row, then column, in the order given.
    """
    import pyarrow as pa
    from pyarrow import parquet

    n, m = view.problem.shape
    text = pa.dictionary(pa.int32(), pa.string())
    number = pa.float64()
    schema = pa.schema([("row", text), ("column", text), ("utility", number), ("mass", number), ("by_chance", number)])
    rows, columns = (pa.array(side.keys, type=pa.string()) for side in (view.rows, view.columns))
    step = max(_GROUP_CELLS // m, 1)
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for start in range(0, n, step):
            part = slice(start, min(start + step, n))
            size = part.stop - part.start
            neutral = None if view.neutral is None else view.neutral[part].ravel()
            arrays = [
                pa.DictionaryArray.from_arrays(np.repeat(np.arange(start, part.stop, dtype=np.int32), m), rows),
                pa.DictionaryArray.from_arrays(np.tile(np.arange(m, dtype=np.int32), size), columns),
                pa.array(view.problem.utility[part].ravel()),
                pa.array(view.solved.coupling[part].ravel()),
                pa.nulls(size * m, number) if neutral is None else pa.array(neutral),
            ]
            writer.write_table(pa.table(arrays, schema=schema))
