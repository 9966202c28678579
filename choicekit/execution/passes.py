"""Passes: maps over blocks whose small outcomes are merged, one after another.

A study is a list of passes. Each maps every block together with the state the previous pass left, merges the outcomes
in block order and finishes with a new state. A pass may repeat, for prices, thresholds and other fixed points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, Self, TypeVar

from choicekit.errors import ConvergenceError, InvalidInputError
from choicekit.execution.blocks import Block, blocks_of
from choicekit.execution.local import LocalThreads

__all__ = ["Executor", "Mergeable", "Pass", "Progress", "run_pass", "run_passes"]

T = TypeVar("T")


class Mergeable(Protocol):
    """What a block leaves behind: small, and adding up in block order."""

    def merge(self, other: Self) -> Self:
        """Return this outcome and that of the blocks right after it as one."""
        ...


M = TypeVar("M", bound=Mergeable)


class Executor(Protocol):
    """Something that runs blocks: local threads here, processes or a cluster elsewhere."""

    def map(self, function: Callable[[Block], T], blocks: Sequence[Block]) -> Iterator[T]:
        """Yield the outcome of each block in the order of the blocks, whatever order they ran in."""
        ...


class Progress(Protocol):
    """Told how far a pass has come."""

    def __call__(self, name: str, done: int, total: int) -> None:
        """Report that `done` of `total` of the work called `name` are finished."""
        ...


def silent(name: str, done: int, total: int) -> None:
    """Report to nobody."""


@dataclass(frozen=True, kw_only=True)
class Pass(Generic[M]):
    """One sweep over all blocks.

    Attributes
    ----------
    name : str
        What is being done, for progress.
    outcome : callable
        From a block and the state to the block's mergeable outcome.
    finish : callable
        From the merged outcome and the old state to the new state.
    settled : callable, optional
        From the old and the new state to whether the pass need not run again. Without it the pass runs once.
    max_repeats : int
        Sweeps allowed before `ConvergenceError`.
    """

    name: str
    outcome: Callable[[Block, Any], M]
    finish: Callable[[M, Any], Any]
    settled: Callable[[Any, Any], bool] | None = None
    max_repeats: int = 100


def run_pass(
    work: Pass[M], n_rows: int, state: Any = None, *, executor: Executor | None = None, progress: Progress = silent
) -> Any:
    """Sweep once over all blocks and return the new state.

    Parameters
    ----------
    work : Pass
    n_rows : int
        At least 1.
    state : object
        Read by every block, changed by none.
    executor : Executor, optional
        Defaults to one local thread; the result does not depend on it.
    progress : Progress
        Called after each block, from the calling thread.

    Returns
    -------
    object
        What `work.finish` makes of the merged outcome.

    Raises
    ------
    InvalidInputError
        For no rows.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Count:
    ...     rows: int
    ...     def merge(self, other):
    ...         return Count(self.rows + other.rows)
    >>> work = Pass(name="count", outcome=lambda block, _: Count(len(block)), finish=lambda merged, _: merged.rows)
    >>> run_pass(work, 20_000)
    20000
    """
    if n_rows < 1:
        raise InvalidInputError("there are no rows to work on")
    blocks = blocks_of(n_rows)
    outcomes = (executor or LocalThreads()).map(lambda block: work.outcome(block, state), blocks)
    progress(work.name, 0, n_rows)
    merged = next(outcomes)
    progress(work.name, blocks[0].stop, n_rows)
    for block, outcome in zip(blocks[1:], outcomes, strict=True):
        merged = merged.merge(outcome)
        progress(work.name, block.stop, n_rows)
    return work.finish(merged, state)


def run_passes(
    passes: Sequence[Pass[Any]],
    n_rows: int,
    state: Any = None,
    *,
    executor: Executor | None = None,
    progress: Progress = silent,
) -> Any:
    """Run passes one after another, repeating those that ask for it, and return the last state.

    Parameters
    ----------
    passes : sequence of Pass
    n_rows, state, executor, progress
        As in `run_pass`.

    Returns
    -------
    object
        The state the last pass left.

    Raises
    ------
    ConvergenceError
        Where a pass has not settled after its `max_repeats` sweeps; carries the state it had.

    Examples
    --------
    >>> run_passes([], 5, state="as it was")
    'as it was'
    """
    for work in passes:
        for _ in range(work.max_repeats):
            before, state = state, run_pass(work, n_rows, state, executor=executor, progress=progress)
            if work.settled is None or work.settled(before, state):
                break
        else:
            raise ConvergenceError(f"{work.name} has not settled after {work.max_repeats} sweeps", state)
    return state
