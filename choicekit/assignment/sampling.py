"""Whole matchings drawn from a soft coupling: who actually goes where."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import numpy.typing as npt

from choicekit.assignment.conditions import AtMost, Fixed, MarginalCondition, WithOutsideOption
from choicekit.assignment.problem import AssignmentProblem
from choicekit.assignment.result import AssignmentResult
from choicekit.assignment.sampling_kernels import round_dependently
from choicekit.errors import ConvergenceError, InvalidInputError
from choicekit.kernels import philox_uniforms
from choicekit.random import Stage, check_seed, identifier_words, stream_key
from choicekit.rules.addressing import check_replications

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AssignmentSample", "SamplingMethod", "sample_assignment"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
UIntArray = npt.NDArray[np.uint64]
SamplingMethod = Literal["dependent", "independent"]

_WHOLE = 1e-9  # a mass this near a whole number is one
_WORKERS = 2


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AssignmentSample:
    """Matchings drawn from a coupling.

    Attributes
    ----------
    counts : ndarray (R, n, m) of int64
        Numbers of pairs.
    row_outside, column_outside : ndarray (R, n), (R, m) of int64
        What is in no pair by the condition's leave: singles, or room left; else 0.
    method : {"dependent", "independent"}
    seed, first_replication : int
    problem : AssignmentProblem
        That of the coupling.
    """

    counts: IntArray
    row_outside: IntArray
    column_outside: IntArray
    method: SamplingMethod
    seed: int
    first_replication: int
    problem: AssignmentProblem

    def __repr__(self) -> str:
        r, n, m = self.counts.shape
        return f"AssignmentSample({r} x {n} x {m}, {self.method}, seed {self.seed})"

    @property
    def replications(self) -> int:
        """Number R of matchings."""
        return len(self.counts)

    @property
    def positions(self) -> IntArray:
        """Column of each row, shape (R, n), -1 for none.

        Raises
        ------
        InvalidInputError
            Where a row stands for more than one.
        """
        most = int(self.counts.sum(axis=2).max(initial=0))
        if most > 1:
            raise InvalidInputError(
                f"positions need rows that stand for one each, found one with {most} pairs: take counts"
            )
        return np.where(self.counts.any(axis=2), self.counts.argmax(axis=2), -1)

    def to_frame(self) -> pd.DataFrame:
        """Return a line for each pair that was drawn: replication, row, column, count."""
        import pandas as pd

        replication, row, column = np.nonzero(self.counts)
        return pd.DataFrame(
            {
                "replication": replication + self.first_replication,
                "row": _named(self.problem.row_names, row),
                "column": _named(self.problem.column_names, column),
                "count": self.counts[replication, row, column],
            }
        )


def sample_assignment(
    result: AssignmentResult,
    *,
    seed: int,
    method: SamplingMethod = "dependent",
    replications: int = 1,
    first_replication: int = 0,
) -> AssignmentSample:
    """Draw whole matchings whose expectation is a coupling.

    Parameters
    ----------
    result : AssignmentResult
        Converged.
    seed : int
        In [0, 2^64).
    method : {"dependent", "independent"}
        ``"dependent"`` rounds every cell up or down so that whole masses on both sides are met exactly.
        ``"independent"`` lets every unit of a row draw its column by itself: row sums are exact, column sums only on
        average, so that capacities may be exceeded.
    replications : int
        Number R of matchings, at least 1.
    first_replication : int
        Number of the first of them: a matching depends on its own number only.

    Returns
    -------
    AssignmentSample

    Raises
    ------
    ConvergenceError
        For a result that is not converged; carries it.
    InvalidInputError
        For a mass that is not whole where the method needs it, and for arguments that break the above.

    Notes
    -----
    Dependent rounding starts from `AssignmentResult.rounded_coupling`, with what is outside as one more column and one
    more row. Cells that are not whole make a bipartite graph; along a cycle, or a path that can be made no longer,
    every other cell goes up by the same amount and the rest down, with the two possible amounts drawn so that each cell
    keeps its expectation, until all are whole. Therefore E[counts] is the coupling; each cell, and each sum, is its
    expectation rounded down or up, so that whole sums are kept; and cells of one row, or of one column, are negatively
    correlated. Sums that are not whole, as under `Free` and `Relaxed`, are rounded down or up.

    Draws are addressed by names, in whose order the walk goes, so that the order of rows and columns is of no
    consequence.

    References
    ----------
    Gandhi, Khuller, Parthasarathy & Srinivasan (2006), "Dependent rounding and its applications to approximation
    algorithms", Journal of the ACM 53, section 2.

    Examples
    --------
    >>> from choicekit.assignment import solve_assignment
    >>> result = solve_assignment([[1.0, 0.0], [0.0, 0.0]], [2.0, 1.0], [1.0, 2.0], temperature=1.0)
    >>> sample = sample_assignment(result, seed=1, replications=100)
    >>> sample.counts.sum(axis=2).tolist()[0], sample.counts.sum(axis=1).tolist()[0]
    ([2, 1], [1, 2])
    >>> result.coupling.round(2).tolist(), sample.counts.mean(axis=0).round(2).tolist()
    ([[0.8, 1.2], [0.2, 0.8]], [[0.74, 1.26], [0.26, 0.74]])
    """
    if method not in get_args(SamplingMethod):
        raise InvalidInputError(f"method must be one of {', '.join(get_args(SamplingMethod))}, found {method!r}")
    count, seed = check_replications(replications), check_seed(seed)
    if isinstance(first_replication, bool) or not isinstance(first_replication, int) or first_replication < 0:
        raise InvalidInputError(f"first_replication must be a whole number of at least 0, found {first_replication!r}")
    if not result.converged:
        raise ConvergenceError(f"only a converged coupling is sampled, found {result.status!r}: solve it first", result)
    draw = _dependent if method == "dependent" else _independent
    table = _Table.of(result, method)
    numbers = range(first_replication, first_replication + count)
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="choicekit") as pool:
        drawn = np.stack(list(pool.map(lambda number: draw(table, seed, number), numbers)))
    back = np.ix_(np.argsort(table.rows), np.argsort(table.columns))
    counts = np.stack([each[:-1, :-1][back] for each in drawn])
    return AssignmentSample(
        counts=counts,
        row_outside=drawn[:, :-1, -1][:, np.argsort(table.rows)],
        column_outside=_left(result.problem.columns, counts.sum(axis=1)),
        method=method,
        seed=seed,
        first_replication=first_replication,
        problem=result.problem,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Table:
    """A coupling in the order of its names, with what is outside as a last column and a last row.

    Attributes
    ----------
    mass : ndarray (n + 1, m + 1)
    rows, columns : ndarray
        Places in the problem.
    words : ndarray (n,) of uint64
        Of the rows.
    whole : ndarray (n + m + 2,) of int64
        1 for the rows, and then the columns, whose sum is whole.
    """

    mass: FloatArray
    rows: IntArray
    columns: IntArray
    words: UIntArray
    whole: IntArray

    @classmethod
    def of(cls, result: AssignmentResult, method: str) -> _Table:
        problem, coupling = result.problem, result.rounded_coupling
        sides = (problem.rows, problem.row_names, "row"), (problem.columns, problem.column_names, "column")
        _check_whole(*sides[0], method)
        if method == "dependent":
            _check_whole(*sides[1], method)
        elif not isinstance(problem.rows, _WithMass):
            raise InvalidInputError(
                f"independent draws need rows whose masses are whole numbers, found {type(problem.rows).__name__} "
                "rows, whose sums are what comes out: take method='dependent'"
            )
        n, m = problem.shape
        words = [_words(names, size, what) for (_, names, what), size in zip(sides, (n, m), strict=True)]
        rows, columns = (np.argsort(each, kind="stable") for each in words)
        mass = np.zeros((n + 1, m + 1))
        mass[:n, :m] = coupling[np.ix_(rows, columns)]
        mass[:n, m] = _outside(problem.rows, coupling.sum(axis=1))[rows]
        mass[n, :m] = _outside(problem.columns, coupling.sum(axis=0))[columns]
        flags = [isinstance(condition, _WithMass) for condition, _, _ in sides]
        whole = np.r_[np.full(n, flags[0]), False, np.full(m, flags[1]), False].astype(np.int64)
        return cls(mass=mass, rows=rows, columns=columns, words=words[0][rows], whole=whole)


_WithMass = Fixed | AtMost | WithOutsideOption
_Leaving = AtMost | WithOutsideOption


def _dependent(table: _Table, seed: int, replication: int) -> IntArray:
    # masses are whole but for rounding, and a cell just below a whole number is that number
    floors = np.floor(table.mass + _WHOLE)
    parts = np.maximum(table.mass - floors, 0.0)
    key = np.uint64(stream_key(seed, Stage.MATCHING, replication // 2))
    round_dependently(parts, table.whole, key, replication % 2)
    counts = (floors + parts).astype(np.int64)
    for axis, flags in ((1, table.whole[: len(counts)]), (0, table.whole[len(counts) :])):
        wanted, found = table.mass.sum(axis=axis), counts.sum(axis=axis)
        if (np.abs(wanted - found)[flags == 1] > 0.5).any():  # the walk keeps sums: this would be a fault of ours
            raise ConvergenceError("rounding did not keep whole sums; please report this", table.mass)
    return counts


def _independent(table: _Table, seed: int, replication: int) -> IntArray:
    counts = np.zeros(table.mass.shape, dtype=np.int64)
    key = stream_key(seed, Stage.MATCHING, replication // 2)
    for row, mass in enumerate(table.mass[:-1]):
        units = round(float(mass.sum()))
        if units:
            place = np.arange(units, dtype=np.uint64)
            drawn = philox_uniforms(table.words[row : row + 1], place, key, (replication % 2,))[0][0]
            below = np.cumsum(mass)
            chosen = np.searchsorted(below / below[-1], drawn, side="right")
            counts[row] = np.bincount(chosen, minlength=mass.size)
    return counts


def _left(columns: MarginalCondition, sums: IntArray) -> IntArray:
    """Return the room left in columns; where independent draws exceed it, there is none."""
    if not isinstance(columns, _Leaving):
        return np.zeros_like(sums)
    return np.asarray(np.maximum(np.round(np.asarray(columns.mass)).astype(np.int64) - sums, 0))


def _outside(condition: MarginalCondition, sums: FloatArray) -> FloatArray:
    if not isinstance(condition, _Leaving):
        return np.zeros_like(sums)
    return np.maximum(np.asarray(condition.mass) - sums, 0.0)


def _check_whole(condition: MarginalCondition, names: object, what: str, method: str) -> None:
    if not isinstance(condition, _WithMass):
        return
    mass = np.asarray(condition.mass)
    wrong = np.flatnonzero(np.abs(mass - np.round(mass)) > _WHOLE)
    if wrong.size:
        place = int(wrong[0])
        which = repr(_named(names, np.array([place]))[0])
        more = "" if wrong.size == 1 else f" and {wrong.size - 1} more"
        raise InvalidInputError(
            f"{method} sampling needs {what} masses that are whole numbers, found {mass[place]:g} for {what} {which}"
            f"{more}: solve with numbers of agents and places as masses"
        )


def _words(names: object, size: int, what: str) -> UIntArray:
    return identifier_words(np.arange(size) if names is None else list(names), what)  # type: ignore[call-overload]


def _named(names: object, places: IntArray) -> list[object]:
    return [int(place) if names is None else names[place] for place in places]  # type: ignore[index]
