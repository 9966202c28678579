"""Blocks on the threads of this machine."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from choicekit.errors import InvalidInputError
from choicekit.execution.blocks import Block

__all__ = ["LocalThreads", "available_workers"]

Outcome = TypeVar("Outcome")

_AHEAD = 2  # blocks handed out per worker: enough to keep it busy, few enough to keep memory flat


def available_workers() -> int:
    """Return how many processors this process may use, at least 1.

    Examples
    --------
    >>> available_workers() >= 1
    True
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class LocalThreads:
    """Run blocks on `workers` threads; numpy lets go of the interpreter while it works.

    Attributes
    ----------
    workers : int
        At least 1; with 1 everything runs in the calling thread.

    Raises
    ------
    InvalidInputError
        For fewer than one worker.

    Examples
    --------
    >>> from choicekit.execution import blocks_of
    >>> list(LocalThreads(2).map(len, blocks_of(10, size=4)))
    [4, 4, 2]
    """

    workers: int = 1

    def __post_init__(self) -> None:
        if isinstance(self.workers, bool) or not isinstance(self.workers, int) or self.workers < 1:
            raise InvalidInputError(f"workers must be a whole number of at least 1, found {self.workers!r}")

    def map(self, function: Callable[[Block], Outcome], blocks: Sequence[Block]) -> Iterator[Outcome]:
        """Yield `function` of each block, in the order of the blocks.

        Parameters
        ----------
        function : callable
            From a block to its outcome; must not depend on what other blocks do.
        blocks : sequence of Block

        Yields
        ------
        object
            The outcome of each block. The error of the earliest failing block is raised; blocks not yet started are
            dropped, also when the caller stops early or is interrupted.
        """
        if self.workers == 1 or len(blocks) < 2:
            yield from map(function, blocks)
            return
        waiting: deque[Future[Outcome]] = deque()
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="choicekit")
        try:
            for block in blocks:
                waiting.append(pool.submit(function, block))
                if len(waiting) >= _AHEAD * self.workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
