"""A kernel over many rows at once: on the threads of this machine, portion by portion."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

__all__ = ["over_rows"]

_PORTION = 32_768  # rows; what has fewer than two portions runs in the calling thread


def over_rows(work: Callable[[slice], None], n_rows: int) -> None:
    """Run `work` for all rows, in portions on several threads where there are many.

    Blocks of a study are smaller than a portion, so that a kernel called for one of them stays in its thread.

    Parameters
    ----------
    work : callable
        Does its part for a slice of rows; what it does for a row must not depend on the others.
    n_rows : int

    Examples
    --------
    >>> seen = []
    >>> over_rows(seen.append, 3)
    >>> seen
    [slice(0, 3, None)]
    """
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if workers == 1 or n_rows < 2 * _PORTION:
        work(slice(0, n_rows))
        return
    portions = [slice(start, min(start + _PORTION, n_rows)) for start in range(0, n_rows, _PORTION)]
    with ThreadPoolExecutor(workers, thread_name_prefix="choicekit") as pool:
        for _ in pool.map(work, portions):
            pass
