"""A kernel over many rows at once: on the threads of this machine, portion by portion."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

__all__ = ["over_rows"]

_LEAST = 65_536  # rows from which on threads pay; blocks of a study are smaller and stay in their thread
_PORTIONS = 8  # for each thread: few enough to be handed out at once, and enough to end together
_CELLS = 2_000_000  # of a portion, so that what is made of it by the way fits in memory


def over_rows(work: Callable[[slice], None], n_rows: int, n_columns: int = 1) -> None:
    """Run `work` for all rows, in portions on several threads where there are many.

    Parameters
    ----------
    work : callable
        Does its part for a slice of rows; what it does for a row must not depend on the others.
    n_rows, n_columns : int
        Of the table that is worked on.

    Examples
    --------
    >>> seen = []
    >>> over_rows(seen.append, 3)
    >>> seen
    [slice(0, 3, None)]
    """
    workers = _workers()
    alone = workers == 1 or n_rows < _LEAST
    even = max(1, n_rows) if alone else -(-n_rows // (_PORTIONS * workers))
    size = min(even, max(2_048, _CELLS // max(1, n_columns)))
    portions = [slice(start, min(start + size, n_rows)) for start in range(0, max(n_rows, 1), size)]
    if alone:
        for portion in portions:
            work(portion)
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="choicekit") as pool:
        for _ in pool.map(work, portions):
            pass


def _workers() -> int:
    """Return the number of processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
