"""Tables as large as the utilities, filled on all processors."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from types import TracebackType

import numpy as np
import numpy.typing as npt

from choicekit.assignment.kernels import fill_coupling
from choicekit.execution import available_workers

__all__ = ["RowThreads", "coupling_of"]

FloatArray = npt.NDArray[np.float64]

_LEAST = 2_000_000  # cells from which on threads pay


class RowThreads:
    """Work on all rows of tables of one shape, a range of rows on each processor where they are large.

    Parameters
    ----------
    n_rows, n_columns : int

    Examples
    --------
    >>> seen = []
    >>> with RowThreads(3, 2) as over_rows:
    ...     over_rows(seen.append)
    >>> seen
    [slice(0, 3, None)]
    """

    def __init__(self, n_rows: int, n_columns: int) -> None:
        workers = min(available_workers(), n_rows) if n_rows * n_columns >= _LEAST else 1
        self._ranges = [slice(*edges) for edges in pairwise(n_rows * part // workers for part in range(workers + 1))]
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="choicekit") if workers > 1 else None

    def __enter__(self) -> RowThreads:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def __call__(self, work: Callable[[slice], None]) -> None:
        """Run `work` for every range of rows; what it does for a row must not depend on the others."""
        if self._pool is None:
            work(self._ranges[0])
            return
        for _ in self._pool.map(work, self._ranges):
            pass


def coupling_of(
    utility: FloatArray, temperature: float, x: FloatArray, y: FloatArray, out: FloatArray | None = None
) -> FloatArray:
    """Return exp(U / T + x + y), in `out` where that is given.

    Examples
    --------
    >>> coupling_of(np.zeros((1, 2)), 1.0, np.zeros(1), np.log([1.0, 2.0]))
    array([[1., 2.]])
    """
    table = np.empty_like(utility) if out is None else out

    def work(rows: slice) -> None:
        fill_coupling(utility[rows], temperature, x[rows], y, table[rows])

    with RowThreads(*utility.shape) as over_rows:
        over_rows(work)
    return table
