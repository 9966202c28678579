"""Assignments at temperature 0: an exact optimal vertex, with prices that prove it.

Without temperature an assignment is a linear program. Capacities and outside options make one more row and
column, the outside, whose utility is 0 and whose potential stays 0; then every side is fixed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from choicekit.assignment.conditions import AtMost, Free, MarginalCondition, WithOutsideOption
from choicekit.assignment.objective import wanted_sums
from choicekit.assignment.problem import AssignmentProblem
from choicekit.assignment.result import AssignmentResult, SolverHistory
from choicekit.errors import ConvergenceError, InfeasibleMassError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["solve_vertex"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_EPSILON = float(np.finfo(np.float64).eps)
_LP_TOLERANCE = 1e-10  # the smallest that HiGHS takes
_REFINEMENTS = 4  # each gains as many digits as the linear program gives
_FAR = 1e9  # reduced utilities this far below 0, in units of what is still wrong, are out of the question
_INFEASIBLE = (
    "masses must be such that the allowed pairs can carry them, found that no coupling does: allow more pairs, or let "
    "a side be AtMost, Relaxed or WithOutsideOption"
)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Vertex:
    """A coupling with its potentials, how it was found, and whether it is the only one."""

    coupling: FloatArray
    row: FloatArray
    column: FloatArray
    unique: bool | None
    method: str
    n_iterations: int


@dataclass(frozen=True, kw_only=True, eq=False)
class _Network:
    """Places that hold anything, with the outside as the last row and the last column.

    Attributes
    ----------
    table : ndarray (n + 1, m + 1)
        Utilities less the best of each row or column, over 2 ** exponent; minus infinity where forbidden.
    rows, columns : ndarray (n,), (m,)
        Masses.
    row_best, column_best : ndarray (n,), (m,)
        What was taken off, over 2 ** exponent; 0 where it is not fixed that a place takes somebody.
    exponent : int
    """

    table: FloatArray
    rows: FloatArray
    columns: FloatArray
    row_best: FloatArray
    column_best: FloatArray
    exponent: int


@dataclass(frozen=True, kw_only=True, eq=False)
class _Flow:
    """What goes where in a network, and potentials of its places."""

    mass: FloatArray
    row: FloatArray
    column: FloatArray
    method: str
    n_iterations: int


def solve_vertex(problem: AssignmentProblem, usable: BoolArray | None, *, tolerance: float) -> AssignmentResult:
    """Return an optimal coupling at temperature 0, with prices as potentials.

    Parameters
    ----------
    problem : AssignmentProblem
        At temperature 0.
    usable : ndarray (n, m) of bool, optional
        Which allowed pairs some feasible coupling uses, where that is known; others stay empty.
    tolerance : float
        Of the errors of the sums; they are those of rounding.

    Returns
    -------
    AssignmentResult
        Potentials have U + f + g <= 0 for all allowed pairs, with equality where the coupling has mass; they are at
        most 0 for capacities and outside options, and 0 where there is room or somebody stays single.
        `unique` is whether no other coupling is as good; None where rounding hides it.

    Raises
    ------
    InfeasibleMassError
        Where no coupling meets the conditions.

    Notes
    -----
    With a free side every place takes its best pair. Where all masses are the same it is an assignment of one to one
    (`scipy.optimize.linear_sum_assignment`), elsewhere a linear program, solved again for what rounding has left until
    potentials prove the vertex optimal. The potentials are shortest paths in the residual network. The optimum is the
    only one if no cycle of pairs without reduced cost leads away from it.

    References
    ----------
    Ahuja, Magnanti & Orlin (1993), "Network flows", theorems 9.1 and 9.3. Gleixner, Steffy & Wolter (2016), "Iterative
    refinement for linear programming", INFORMS Journal on Computing 28, algorithm 1.

    Examples
    --------
    >>> problem = AssignmentProblem(utility=[[3.0, 1.0], [2.0, 1.0]], rows=[1, 1], columns=[1, 1], temperature=0.0)
    >>> solve_vertex(problem, None, tolerance=1e-9).coupling
    array([[1., 0.],
           [0., 1.]])
    """
    if isinstance(problem.rows, Free) or isinstance(problem.columns, Free):
        return _account(problem, _best_pairs(problem), tolerance)
    return _account(problem, _matched(problem, usable), tolerance)


def _bounded(condition: MarginalCondition) -> bool:
    return isinstance(condition, AtMost | WithOutsideOption)


# --- a free side ----------------------------------------------------------------------------------------------------


def _best_pairs(problem: AssignmentProblem) -> _Vertex:
    n, m = problem.shape
    utility = problem.utility
    if isinstance(problem.columns, Free) and not isinstance(problem.rows, Free):
        coupling, f, unique = _best_of_rows(utility, problem.rows)
        g = np.zeros(m)
    elif not isinstance(problem.columns, Free):
        coupling, g, unique = _best_of_rows(utility.T, problem.columns)
        coupling, f = np.ascontiguousarray(coupling.T), np.zeros(n)
    else:
        best = float(utility.max())
        if not np.isfinite(best):
            raise InfeasibleMassError("some pair must be allowed, found minus infinity everywhere")
        coupling = np.zeros((n, m))
        coupling.reshape(-1)[utility.argmax()] = problem.total_mass
        f, g, unique = np.full(n, 0.0 - best), np.zeros(m), bool(np.count_nonzero(utility == best) == 1)
    return _Vertex(coupling=coupling, row=f, column=g, unique=unique, method="best pair", n_iterations=1)


def _best_of_rows(utility: FloatArray, condition: MarginalCondition) -> tuple[FloatArray, FloatArray, bool]:
    """Return the coupling in which each row takes its best pair, its potentials, and whether there is no other."""
    mass = np.asarray(condition.mass)
    held, best = mass > 0, utility.max(axis=1)
    if not _bounded(condition) and not np.all(np.isfinite(best[held])):
        place = np.flatnonzero(held & ~np.isfinite(best))[0]
        raise InfeasibleMassError(f"every place with fixed mass must have an allowed pair, found none at place {place}")
    worth = np.maximum(best, 0.0) if _bounded(condition) else best
    tied = np.count_nonzero(utility == best[:, None], axis=1) > 1
    if _bounded(condition):
        tied = np.where(best == 0, True, tied & (best > 0))
    coupling = np.zeros(utility.shape)
    taken = np.flatnonzero(held & ((best > 0) | (not _bounded(condition))))
    coupling[taken, utility.argmax(axis=1)[taken]] = mass[taken]
    return coupling, np.where(held, 0.0 - worth, -np.inf), not bool(np.any(tied & held))


# --- two sides with masses ------------------------------------------------------------------------------------------


def _matched(problem: AssignmentProblem, usable: BoolArray | None) -> _Vertex:
    network = _network(problem)
    held_rows, held_columns = (np.asarray(side.mass) > 0 for side in (problem.rows, problem.columns))
    held = np.ix_(held_rows, held_columns)
    flow = _one_to_one(network)
    if flow is None:
        flow = _linear_program(network, None if usable is None else usable[held])
    coupling = np.zeros(problem.shape)
    coupling[held] = flow.mass[:-1, :-1]
    row, column = np.full(held_rows.size, -np.inf), np.full(held_columns.size, -np.inf)
    row[held_rows] = np.ldexp(flow.row[:-1] - network.row_best, network.exponent) + 0.0  # no -0
    column[held_columns] = np.ldexp(flow.column[:-1] - network.column_best, network.exponent) + 0.0
    return _Vertex(
        coupling=coupling,
        row=row,
        column=column,
        unique=_only_one(network, flow),
        method=flow.method,
        n_iterations=flow.n_iterations,
    )


def _network(problem: AssignmentProblem) -> _Network:
    rows, columns = np.asarray(problem.rows.mass), np.asarray(problem.columns.mass)
    utility = problem.utility[np.ix_(rows > 0, columns > 0)]
    exponent = int(np.frexp(np.abs(utility[np.isfinite(utility)]).max(initial=0.0))[1])
    utility = np.ldexp(utility, -exponent)  # a power of 2, so that no digit changes
    best = np.zeros(utility.shape[0]), np.zeros(utility.shape[1])
    for side, condition in enumerate((problem.rows, problem.columns)):
        if not _bounded(condition):
            most = utility.max(axis=1 - side)
            best[side][:] = np.where(np.isfinite(most), most, 0.0)
            utility = utility - np.expand_dims(best[side], 1 - side)
    table = np.full((utility.shape[0] + 1, utility.shape[1] + 1), -np.inf)
    table[:-1, :-1] = utility
    table[:-1, -1] = 0.0 if _bounded(problem.rows) else -np.inf
    table[-1, :-1] = 0.0 if _bounded(problem.columns) else -np.inf
    table[-1, -1] = 0.0
    return _Network(
        table=table,
        rows=rows[rows > 0],
        columns=columns[columns > 0],
        row_best=best[0],
        column_best=best[1],
        exponent=exponent,
    )


def _one_to_one(network: _Network) -> _Flow | None:
    """Return an optimum where all masses are the same, None where they are not."""
    from scipy.optimize import linear_sum_assignment

    masses = np.concatenate((network.rows, network.columns))
    if np.ptp(masses) > 4 * _EPSILON * masses[0]:
        return None
    utility = network.table[:-1, :-1]
    both = np.isfinite(network.table[0, -1]) and np.isfinite(network.table[-1, 0])
    try:
        rows, columns = linear_sum_assignment(np.maximum(utility, 0.0) if both else utility, maximize=True)
    except ValueError:  # the linear program says so
        return None
    if both:
        rows, columns = rows[utility[rows, columns] > 0], columns[utility[rows, columns] > 0]
    mass = np.zeros(network.table.shape)
    mass[rows, columns] = network.rows[rows]
    mass[:-1, -1] = np.where(mass[:-1].any(axis=1), 0.0, network.rows)
    mass[-1, :-1] = np.where(mass[:, :-1].any(axis=0), 0.0, network.columns)
    potentials = _shortest_paths(network.table, mass, np.zeros(len(network.columns) + 1))
    if potentials is None:
        return None
    return _Flow(mass=mass, row=potentials[0], column=potentials[1], method="linear_sum_assignment", n_iterations=1)


def _linear_program(network: _Network, usable: BoolArray | None) -> _Flow:
    table, n_iterations = network.table, 0
    f, g, unit = np.zeros(table.shape[0]), np.zeros(table.shape[1]), 1.0
    open_cells = np.isfinite(table)
    open_cells[-1, -1] = False
    if usable is not None:
        open_cells[:-1, :-1] &= usable
    for _ in range(_REFINEMENTS):
        cells = np.nonzero(open_cells)
        reduced = np.maximum((table[cells] + f[cells[0]] + g[cells[1]]) / unit, -_FAR)
        mass, change, iterations = _program(network, cells, reduced)
        n_iterations += iterations
        f[:-1] += unit * change[: f.size - 1]
        g[:-1] += unit * change[f.size - 1 :]
        potentials = _shortest_paths(table, mass, -g)
        if potentials is not None:
            f, g = potentials
            break
        left = table[cells] + f[cells[0]] + g[cells[1]]
        unit = max(float(left.max()), -float(left[mass[cells] > 0].min()), float(np.finfo(float).tiny))
    return _Flow(mass=mass, row=f, column=g, method="linear program (HiGHS)", n_iterations=n_iterations)


def _program(
    network: _Network, cells: tuple[npt.NDArray[np.intp], ...], utility: FloatArray
) -> tuple[FloatArray, FloatArray, int]:
    """Return a best flow over some cells, potentials of rows and columns, and how many steps they took."""
    from scipy.optimize import linprog
    from scipy.sparse import csc_array

    n, m = network.rows.size, network.columns.size
    (rows, columns), cell = cells, np.arange(utility.size)
    if cell.size == 0:
        raise InfeasibleMassError(_INFEASIBLE)
    in_row, in_column = rows < n, columns < m
    places = np.concatenate((rows[in_row], n + columns[in_column]))
    sums = csc_array(
        (np.ones(places.size), (places, np.concatenate((cell[in_row], cell[in_column])))), shape=(n + m, cell.size)
    )
    masses = np.concatenate((network.rows, network.columns))
    exponent = int(np.frexp(masses.max())[1])
    for presolve in (False, True):  # faster without, and ends in a basis; older versions sometimes need it
        answer = linprog(  # type: ignore[call-overload]  # the stubs know no sparse tables
            -utility,
            A_eq=sums,
            b_eq=np.ldexp(masses, -exponent),
            method="highs-ds",
            options={
                "presolve": presolve,
                "primal_feasibility_tolerance": _LP_TOLERANCE,
                "dual_feasibility_tolerance": _LP_TOLERANCE,
            },
        )
        if answer.x is not None:
            break
    if answer.status == 2:
        raise InfeasibleMassError(_INFEASIBLE)
    if answer.x is None:
        raise ConvergenceError(f"the linear program of the assignment stopped without an answer: {answer.message}")
    mass = np.zeros(network.table.shape)
    mass[cells] = np.ldexp(answer.x, exponent)
    most = np.minimum(np.append(network.rows, np.inf)[:, None], np.append(network.columns, np.inf))
    mass[mass <= 1e-14 * np.where(np.isfinite(most), most, 0.0)] = 0.0  # what rounding leaves of an empty cell
    return np.minimum(mass, most), answer.eqlin.marginals, int(answer.nit)


def _shortest_paths(table: FloatArray, mass: FloatArray, start: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """Return potentials with table + f + g <= 0, and = 0 where there is mass, or None where there are none.

    With h = -g they are shortest paths: f_i = min_j h_j - table_ij, and h_j <= f_i + table_ij where there is mass. Each
    round every column takes its best predecessor, and h is summed up along the tree they make (Howard's policy
    iteration). A tree that bites its own tail is a cycle that would improve the mass.
    """
    carries = mass > 0
    carries[-1, -1] = True  # the outside is one place
    rows, columns = np.nonzero(carries)
    utility = table[rows, columns]
    h, parent, length = start.copy(), np.arange(start.size), np.zeros(start.size)
    for _ in range(start.size + 2):
        through = h - table
        via = through.argmin(axis=1)
        f = through[np.arange(via.size), via]
        offers = f[rows] + utility
        lowest = np.full(h.size, np.inf)
        np.minimum.at(lowest, columns, offers)
        rounding = 32 * _EPSILON * max(np.abs(h).max(), np.abs(f).max(), np.abs(utility).max())
        if not np.any(lowest < h - rounding):
            f, g = f - f[-1], f[-1] - h
            f[mass[:, -1] > 0], g[mass[-1] > 0] = 0.0, 0.0
            return f, g
        better = np.flatnonzero((offers == lowest[columns]) & (lowest[columns] < h[columns] - rounding))
        parent[columns[better]] = via[rows[better]]
        length[columns[better]] = (utility - table[rows, via[rows]])[better]
        root, far = parent, length
        for _ in range(start.size.bit_length()):
            root, far = root[root], far + far[root]
        if np.any(parent[root] != root):
            return None
        h = start[root] + far
    return None


def _only_one(network: _Network, flow: _Flow) -> bool | None:
    """Return whether no other flow is as good: whether no cycle of cells without reduced cost leads out of this one."""
    f, g, table = flow.row, flow.column, network.table
    cost, size = -(table + f[:, None] + g), max(np.abs(f).max(), np.abs(g).max()) + np.abs(table)
    carries = flow.mass > 0
    carries[-1, -1] = True
    allowed = np.isfinite(table) & ~carries
    if _leads_away(carries, allowed & (cost <= 64 * _EPSILON * size)):
        return False
    return None if _leads_away(carries, allowed & (cost <= 1e-10 * size)) else True


def _leads_away(carries: BoolArray, tied: BoolArray) -> bool:
    """Return whether mass can move along a cycle: out through a tied cell, back through cells that carry mass."""
    from scipy.sparse.csgraph import connected_components

    held, ties = np.nonzero(carries), np.nonzero(tied)
    trees, _ = connected_components(_graph(carries.shape, held), directed=False)
    if held[0].size > sum(carries.shape) - trees:  # a cycle of cells that all carry mass
        return True
    edges = _graph(carries.shape, held, ties) + _graph(carries.shape, held).T
    _, part = connected_components(edges, connection="strong")
    return bool(np.any(part[ties[0]] == part[carries.shape[0] + ties[1]]))


def _graph(shape: tuple[int, ...], *cells: tuple[npt.NDArray[np.intp], ...]) -> csr_array:
    """Return edges from rows to columns, which follow the rows as nodes."""
    from scipy.sparse import coo_array

    tails, heads = np.concatenate([rows for rows, _ in cells]), np.concatenate([columns for _, columns in cells])
    nodes = sum(shape)
    return coo_array((np.ones(tails.size), (tails, shape[0] + heads)), shape=(nodes, nodes)).tocsr()


# --- the account ----------------------------------------------------------------------------------------------------


def _account(problem: AssignmentProblem, vertex: _Vertex, tolerance: float) -> AssignmentResult:
    errors = _errors(problem, vertex)
    converged = max(errors) <= tolerance and bool(np.all(np.isfinite(vertex.coupling)))
    return AssignmentResult(
        coupling=vertex.coupling,
        row_potential=vertex.row,
        column_potential=vertex.column,
        row_error=errors[0],
        column_error=errors[1],
        converged=converged,
        status="converged" if converged else "precision",
        method=vertex.method,
        n_iterations=vertex.n_iterations,
        history=SolverHistory(
            iteration=np.array([vertex.n_iterations], dtype=np.int64),
            phase=(vertex.method,),
            row_error=np.array(errors[:1]),
            column_error=np.array(errors[1:]),
        ),
        tolerance=tolerance,
        problem=problem,
        unique=vertex.unique,
    )


def _errors(problem: AssignmentProblem, vertex: _Vertex) -> tuple[float, float]:
    sums = vertex.coupling.sum(axis=1), vertex.coupling.sum(axis=0)
    if problem.total_mass is not None:
        error = abs(float(sums[0].sum()) - problem.total_mass) / problem.total_mass
        return error, error
    wanted = wanted_sums(problem, vertex.coupling, vertex.row, vertex.column)
    total = min(float(side.mass.sum()) for side in (problem.rows, problem.columns) if side.mass is not None)
    return float(np.abs(sums[0] - wanted[0]).sum() / total), float(np.abs(sums[1] - wanted[1]).sum() / total)
