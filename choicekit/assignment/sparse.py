"""Assignments regularised by half the squared norm, whose couplings leave cells empty.

With the potentials of the columns held, every row is a sparsemax. So the potentials of the rows are functions of
those of the columns, and what is left is a convex function of the latter, quadratic in pieces (the semi-dual).
Newton's method minimises it, from a high temperature down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.assignment.conditions import AtMost, Free, MarginalCondition
from choicekit.assignment.sweeps import Potentials, ReducedProblem, Trace
from choicekit.rules import Sparsemax

__all__ = ["solve_sparse"]

FloatArray = npt.NDArray[np.float64]

_ITERATIONS = 2000
_COOLING = 4.0  # by which the temperature falls from stage to stage
_LOOSE = 1e-5  # error at which a stage is left; looser ones send the next far away
_TRIALS = 40  # of a line search


@dataclass(frozen=True, kw_only=True, eq=False)
class _Point:
    """Potentials, T times their coupling, and how far its column sums are above those asked for."""

    row: FloatArray
    column: FloatArray
    flow: FloatArray
    excess: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class _Stage:
    """A problem at one temperature, with utilities that earlier potentials have been added to.

    So further potentials are small, and rounding with them.

    Attributes
    ----------
    table : ndarray (n, m)
    rows, columns : ndarray (n,), (m,)
        Masses times T.
    row_ceiling, column_ceiling : ndarray (n,), (m,)
        What further potentials must not exceed: infinity where sums are fixed.
    """

    table: FloatArray
    rows: FloatArray
    columns: FloatArray
    row_ceiling: FloatArray
    column_ceiling: FloatArray

    def at(self, column: FloatArray) -> _Point:
        """Return the point with these potentials of the columns, and those that they ask for of the rows."""
        values = self.table + column
        row = _rise(values, self.rows, self.row_ceiling)
        flow = np.maximum(values + row[:, None], 0.0)
        return _Point(row=row, column=column, flow=flow, excess=flow.sum(axis=0) - self.columns)

    def swept(self, point: _Point) -> _Point:
        """Return the point with the potentials of the columns set to what those of the rows ask for."""
        return self.at(_rise((self.table + point.row[:, None]).T, self.columns, self.column_ceiling))

    def errors(self, point: _Point) -> tuple[float, float]:
        """Return the errors of the sums of rows and columns."""
        total = min(self.rows.sum(), self.columns.sum())
        excess = point.flow.sum(axis=1) - self.rows
        row_wrong = np.where(point.row < self.row_ceiling, excess, np.maximum(excess, 0.0))
        column_wrong = np.where(point.column < self.column_ceiling, point.excess, np.maximum(point.excess, 0.0))
        return float(np.abs(row_wrong).sum() / total), float(np.abs(column_wrong).sum() / total)


def solve_sparse(
    problem: ReducedProblem,
    *,
    tolerance: float,
    max_iterations: int | None,
    trace: Trace,
    total_mass: float | None = None,
) -> Potentials:
    """Return potentials whose coupling max(0, U + f + g) / T meets the conditions to `tolerance`.

    Parameters
    ----------
    problem : ReducedProblem
        With sides that are `Fixed`, `AtMost` or `Free`.
    tolerance : float
        Of errors, L1 over total mass.
    max_iterations : int or None
        Of Newton's method; default 2000.
    trace : Trace
    total_mass : float, optional
        Of the coupling, where both sides are free.

    Returns
    -------
    Potentials
        With the coupling itself in `coupling`: at low temperatures it is more exact than what potentials give.

    Notes
    -----
    With a free side it is a sparsemax by row, by column or over all cells: mass m at temperature T is m times the
    sparsemax at temperature m T. Otherwise potentials of the rows that fit those of the columns are put into the dual,

        sum(max(0, U + f + g)^2) / (2 T) - <f, row masses> - <g, column masses>,

    whose Hessian by g is then that of the bipartite graph of the cells in use, a row at a time: (diag(column counts)
    - S' diag(1 / row counts) S) / T. Newton's direction with a small multiple of the identity added, a search along it
    for where the slope has gone, and a sweep of exact updates make an iteration. Capacities keep potentials at most 0:
    those at 0 that would rise stay. Stages cool by a factor of 4.

    References
    ----------
    Blondel, Seguy & Rolet (2018), "Smooth and sparse optimal transport", AISTATS, equations 7 and 10. Lorenz, Manns &
    Meyer (2021), "Quadratically regularized optimal transport", Applied Mathematics & Optimization 83, section 3.

    Examples
    --------
    >>> half = AtMost([0.5, 0.5])
    >>> problem = ReducedProblem(
    ...     utility=np.array([[1.0, 0.75], [0.75, 1.0]]),
    ...     rows=half,
    ...     columns=half,
    ...     temperature=1.0,
    ...     row_log=np.zeros(2),
    ...     column_log=np.zeros(2),
    ... )
    >>> solve_sparse(problem, tolerance=1e-12, max_iterations=None, trace=Trace()).coupling
    array([[0.375, 0.125],
           [0.125, 0.375]])
    """
    if total_mass is not None:
        return _over_all_cells(problem, total_mass)
    if isinstance(problem.columns, Free):
        return _by_row(problem)
    if isinstance(problem.rows, Free):
        return _turned(_by_row(_turned_problem(problem)), "sparsemax by column")
    if isinstance(problem.columns, AtMost) and not isinstance(problem.rows, AtMost):  # ceilings are easier on rows
        found = _by_stages(_turned_problem(problem), tolerance, max_iterations or _ITERATIONS, trace)
        return _turned(found, found.method)
    return _by_stages(problem, tolerance, max_iterations or _ITERATIONS, trace)


def _turned_problem(problem: ReducedProblem) -> ReducedProblem:
    return ReducedProblem(
        utility=np.ascontiguousarray(problem.utility.T),
        rows=problem.columns,
        columns=problem.rows,
        temperature=problem.temperature,
        row_log=problem.column_log,
        column_log=problem.row_log,
    )


def _turned(found: Potentials, method: str) -> Potentials:
    return Potentials(
        row=found.column,
        column=found.row,
        method=method,
        n_iterations=found.n_iterations,
        coupling=None if found.coupling is None else np.ascontiguousarray(found.coupling.T),
    )


# --- a free side ----------------------------------------------------------------------------------------------------


def _over_all_cells(problem: ReducedProblem, total_mass: float) -> Potentials:
    (n, m), t = problem.utility.shape, problem.temperature
    values = problem.utility.reshape(1, -1)
    lift = _rise(values, np.array([total_mass * t]), np.array([np.inf]))
    return Potentials(
        row=np.full(n, lift[0]),
        column=np.zeros(m),
        method="sparsemax over all cells",
        n_iterations=1,
        coupling=np.maximum(problem.utility + lift, 0.0) / t,
    )


def _by_row(problem: ReducedProblem) -> Potentials:
    t, mass = problem.temperature, np.asarray(problem.rows.mass)
    row = _rise(problem.utility, mass * t, _ceiling(problem.rows, np.zeros(mass.size)))
    table = problem.utility + row[:, None]
    rest = _rise(table, mass * t, _ceiling(problem.rows, row))  # what rounding has left
    return Potentials(
        row=row + rest,
        column=np.zeros(problem.utility.shape[1]),
        method="sparsemax by row",
        n_iterations=1,
        coupling=np.maximum(table + rest[:, None], 0.0) / t,
    )


def _ceiling(condition: MarginalCondition, potential: FloatArray) -> FloatArray:
    """Return by how much potentials may still rise."""
    return 0.0 - potential if isinstance(condition, AtMost) else np.full(potential.size, np.inf)


def _rise(values: FloatArray, amount: FloatArray, ceiling: FloatArray) -> FloatArray:
    """Return by how much each row must rise for what is above 0 to add up to the amount, but at most to the ceiling."""
    top = values.max(axis=1)
    held = np.isfinite(top)
    if not held.all():  # a capacity that nobody may use
        rise = np.where(np.isfinite(ceiling), ceiling, 0.0)
        rise[held] = _rise(values[held], amount[held], ceiling[held])
        return rise
    share = Sparsemax(amount).probabilities(values).max(axis=1)
    return np.asarray(np.minimum(amount * share - top, ceiling))


# --- two sides with masses ------------------------------------------------------------------------------------------


def _by_stages(problem: ReducedProblem, tolerance: float, max_iterations: int, trace: Trace) -> Potentials:
    n, m = problem.utility.shape
    f, g, table = np.zeros(n), np.zeros(m), problem.utility
    rows, columns = np.asarray(problem.rows.mass), np.asarray(problem.columns.mass)
    for t in _temperatures(problem):
        stage = _Stage(
            table=table,
            rows=rows * t,
            columns=columns * t,
            row_ceiling=_ceiling(problem.rows, f),
            column_ceiling=_ceiling(problem.columns, g),
        )
        enough = tolerance / 2 if t == problem.temperature else max(_LOOSE, tolerance)
        point = _settled(stage, enough, max_iterations, trace, f"Newton at T = {t:.3g}")
        f, g = f + point.row, g + point.column
        table = table + point.row[:, None] + point.column
    return Potentials(
        row=f,
        column=g,
        method="sparse Newton",
        n_iterations=len(trace.iterations),
        coupling=point.flow / problem.temperature,
    )


def _temperatures(problem: ReducedProblem) -> list[float]:
    """Return temperatures from one at which nearly all cells are used down to the problem's, that one twice."""
    allowed, least = np.isfinite(problem.utility), problem.temperature
    finite = problem.utility[allowed]
    first = (finite.max() / 2 - finite.min() / 2) / (np.asarray(problem.rows.mass).max() / 2)
    temperatures = [least, least]
    while temperatures[-1] * _COOLING < first:
        temperatures.append(temperatures[-1] * _COOLING)
    return temperatures[::-1]


def _settled(stage: _Stage, tolerance: float, max_iterations: int, trace: Trace, phase: str) -> _Point:
    """Iterate until both errors are at most the tolerance, or the iterations of all stages are used up."""
    point = stage.swept(stage.at(np.zeros(stage.columns.size)))
    while True:
        errors = stage.errors(point)
        if not max(errors) > tolerance or len(trace.iterations) >= max_iterations:
            return point
        trace.add(phase, *errors)
        point = stage.swept(_searched(stage, point, _direction(stage, point, max(errors))))


def _direction(stage: _Stage, point: _Point, error: float) -> FloatArray:
    """Return Newton's direction for the potentials of the columns."""
    used = (point.flow > 0).astype(np.float64)
    counts = used.sum(axis=1)
    bound = (point.row < stage.row_ceiling) & (counts > 0)
    hessian = -(used.T * np.divide(1.0, counts, out=np.zeros(counts.size), where=bound)) @ used
    hessian[np.diag_indices(len(hessian))] += used.sum(axis=0) + min(0.1, error)
    return _within_ceilings(hessian, point, point.column >= stage.column_ceiling)


def _within_ceilings(hessian: FloatArray, point: _Point, full: npt.NDArray[np.bool_]) -> FloatArray:
    """Return the direction in which no potential at its ceiling rises."""
    from scipy.linalg import solve

    moves, direction = ~(full & (point.excess <= 0)), np.zeros(full.size)
    while moves.any():
        direction[:] = 0.0
        direction[moves] = solve(hessian[np.ix_(moves, moves)], -point.excess[moves], assume_a="pos")
        rising = full & (direction > 0)
        if not rising.any():
            break
        moves &= ~rising
    return np.where(moves, direction, 0.0)


def _searched(stage: _Stage, point: _Point, direction: FloatArray) -> _Point:
    """Return a point along the direction where the slope is a third of what it was or less, or a ceiling is reached."""
    rising = (direction > 0) & np.isfinite(stage.column_ceiling)
    room = (stage.column_ceiling - point.column)[rising] / direction[rising]
    most = float(room.min(initial=np.inf))
    first, low, high, step = abs(float(point.excess @ direction)), 0.0, np.inf, min(1.0, most)
    for _ in range(_TRIALS):
        found = stage.at(np.minimum(point.column + step * direction, stage.column_ceiling))
        slope = float(found.excess @ direction)
        if abs(slope) <= 0.3 * first or (slope < 0 and step >= most):
            break
        low, high = (step, high) if slope < 0 else (low, step)
        step = min(4.0 * step, most) if high == np.inf else 0.5 * (low + high)
    return found
