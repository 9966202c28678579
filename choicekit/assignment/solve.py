"""Solving an assignment: the right method for the problem, and an honest account of what it reached."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from choicekit.assignment.closed_forms import solve_at_once
from choicekit.assignment.conditions import Free, MarginalCondition, is_finite_number
from choicekit.assignment.fast import MOST_ITERATIONS, solve_fast
from choicekit.assignment.problem import AssignmentProblem, Reference
from choicekit.assignment.result import AssignmentResult, SolverHistory, Status
from choicekit.assignment.sparse import solve_sparse
from choicekit.assignment.support import usable_pairs
from choicekit.assignment.sweeps import Potentials, ReducedProblem, Trace
from choicekit.assignment.tables import coupling_of
from choicekit.assignment.vertex import solve_vertex
from choicekit.errors import ConvergenceError, InvalidInputError, ShapeError
from choicekit.rules import RegularisedRule
from choicekit.rules.utilities import as_floats

__all__ = ["check_control", "solve_assignment", "solve_problem"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
OnFailure = Literal["raise", "return"]

_ROUNDING = 32.0  # by how many ulps of U / T errors may stay above what is asked for


def solve_assignment(
    utility: npt.ArrayLike,
    rows: MarginalCondition | npt.ArrayLike,
    columns: MarginalCondition | npt.ArrayLike,
    *,
    temperature: float,
    rule: RegularisedRule | None = None,
    reference: Reference = "counting",
    total_mass: float | None = None,
    scale_masses: bool = False,
    tolerance: float = 1e-9,
    max_iterations: int | None = None,
    on_failure: OnFailure = "raise",
) -> AssignmentResult:
    """Return the coupling that maximises <P, U> + T H(P) under a condition on the sums of either side.

    Parameters
    ----------
    utility : array_like (n, m)
        U of each pair; minus infinity forbids it. Only U / T is identified by a coupling.
    rows, columns : MarginalCondition or array_like
        `Fixed`, `AtMost`, `Relaxed`, `Free` or `WithOutsideOption`; an array of masses means `Fixed`. Masses may be 0.
    temperature : float
        T >= 0 in units of utility; at T = 0 an exact optimal vertex, where ties are not shared as a choice rule shares
        them, but reported by ``unique=False``.
    rule : RegularisedRule, optional
        `Softmax` (default; Shannon entropy) or `Sparsemax` (half the squared norm), with their temperature left at 1.
    reference : {"counting", "product"}
        What entropy is relative to: nothing, or the product of both sides' masses.
    total_mass : float, optional
        Of the coupling, where both sides are `Free`; default 1.
    scale_masses : bool
        Whether two fixed sides of unequal totals are scaled to that of the rows instead of being refused.
    tolerance : float
        Largest L1 error of the sums on either side, over total mass.
    max_iterations : int, optional
        Default: as many as the method is known to need.
    on_failure : {"raise", "return"}
        What happens short of the tolerance.

    Returns
    -------
    AssignmentResult

    Raises
    ------
    InvalidInputError, ShapeError, InfeasibleMassError
        For what cannot be solved; the message says where and what to do.
    ConvergenceError
        Short of the tolerance, with the result so far, unless ``on_failure="return"``.

    Notes
    -----
    H(P) = -sum P (log(P / R) - 1) with R = 1 (counting) or the product of the masses. The maximum has the form
    P = R exp((U + f + g) / T) with potentials f and g; with both sides fixed they are known up to a constant. With
    fixed rows and free columns it is a softmax by row.

    References
    ----------
    Cuturi (2013), "Sinkhorn distances", NeurIPS. Chizat, Peyre, Schmitzer & Vialard (2018), "Scaling algorithms for
    unbalanced optimal transport problems", Mathematics of Computation 87. Peyre & Cuturi (2019), "Computational optimal
    transport", chapter 4.

    Examples
    --------
    >>> result = solve_assignment([[0.0, -1.0], [-1.0, 0.0]], [0.5, 0.5], [0.5, 0.5], temperature=1.0)
    >>> result.coupling.round(8)
    array([[0.36552929, 0.13447071],
           [0.13447071, 0.36552929]])
    """
    problem = AssignmentProblem(
        utility=utility,  # type: ignore[arg-type]
        rows=rows,  # type: ignore[arg-type]
        columns=columns,  # type: ignore[arg-type]
        temperature=temperature,
        rule=rule,
        reference=reference,
        total_mass=total_mass,
        scale_masses=scale_masses,
    )
    return solve_problem(problem, tolerance=tolerance, max_iterations=max_iterations, on_failure=on_failure)


def solve_problem(
    problem: AssignmentProblem,
    *,
    tolerance: float = 1e-9,
    max_iterations: int | None = None,
    on_failure: OnFailure = "raise",
    start: FloatArray | None = None,
) -> AssignmentResult:
    """Solve an assignment that has been put together already; see `solve_assignment`.

    Parameters
    ----------
    problem : AssignmentProblem
    tolerance, max_iterations, on_failure
        As there.
    start : ndarray (m,), optional
        Potentials of the columns to start from, such as those of a similar problem.
    """
    check_control(tolerance, max_iterations, on_failure)
    usable = usable_pairs(problem)
    if problem.temperature == 0:
        return replace(solve_vertex(problem, usable, tolerance=tolerance), unusable_pairs=_unusable(problem, usable))
    places, trace = _places_held(problem, usable), Trace()
    reduced = _reduced(problem, usable, places)
    first = None if start is None else _check_start(start, problem)[places.columns]
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # what goes out of range ends as "not_finite"
        if problem.sparse:
            most = problem.total_mass
            found = solve_sparse(
                reduced, tolerance=tolerance, max_iterations=max_iterations, trace=trace, total_mass=most
            )
        elif isinstance(problem.rows, Free) or isinstance(problem.columns, Free):
            found = solve_at_once(reduced, problem.total_mass)
        else:
            found = solve_fast(reduced, tolerance=tolerance, max_iterations=max_iterations, trace=trace, start=first)
        result = _account(problem, reduced, found, trace, places, tolerance, max_iterations)
    result = replace(result, unusable_pairs=_unusable(problem, usable))
    if not result.converged and on_failure == "raise":
        raise ConvergenceError(_failure(result), result=result)
    return result


def _check_start(start: FloatArray, problem: AssignmentProblem) -> FloatArray:
    found = as_floats(start, "start")
    if found.shape != (problem.shape[1],):
        raise ShapeError(f"start must have one potential a column, ({problem.shape[1]},), found shape {found.shape}")
    return found


def check_control(tolerance: float, max_iterations: int | None, on_failure: str) -> None:
    """Refuse a tolerance, a number of iterations or a way of failing that make no sense.

    Raises
    ------
    InvalidInputError
    """
    if not (is_finite_number(tolerance) and tolerance > 0):
        raise InvalidInputError(f"tolerance must be a finite number above 0, found {tolerance!r}")
    if max_iterations is not None and (
        not is_finite_number(max_iterations) or max_iterations != int(max_iterations) or max_iterations < 1
    ):
        raise InvalidInputError(f"max_iterations must be a whole number of at least 1, found {max_iterations!r}")
    if on_failure not in ("raise", "return"):
        raise InvalidInputError(f"on_failure must be 'raise' or 'return', found {on_failure!r}")


@dataclass(frozen=True, kw_only=True, eq=False)
class _Places:
    """Which rows and columns hold anything and have a pair to hold it in."""

    rows: BoolArray
    columns: BoolArray

    @property
    def all(self) -> bool:
        return bool(self.rows.all() and self.columns.all())


def _places_held(problem: AssignmentProblem, usable: BoolArray | None) -> _Places:
    return _Places(
        rows=_held(problem.rows, usable, problem.shape, 1), columns=_held(problem.columns, usable, problem.shape, 0)
    )


def _held(condition: MarginalCondition, usable: BoolArray | None, shape: tuple[int, int], across: int) -> BoolArray:
    if condition.mass is None:
        return np.ones(shape[1 - across], dtype=bool)
    held = condition.mass > 0
    return held if usable is None else held & usable.any(axis=across)


def _unusable(problem: AssignmentProblem, usable: BoolArray | None) -> tuple[tuple[int, int], ...]:
    """Return the pairs of places with mass that are allowed and still in no feasible coupling."""
    if usable is None:
        return ()
    rows, columns = _held(problem.rows, None, problem.shape, 1), _held(problem.columns, None, problem.shape, 0)
    empty = (problem.utility > -np.inf) & ~usable & rows[:, None] & columns
    return tuple((int(row), int(column)) for row, column in np.argwhere(empty))


def _reduced(problem: AssignmentProblem, usable: BoolArray | None, places: _Places) -> ReducedProblem:
    """Leave out places that hold nothing, and forbid what no coupling can use."""
    utility, (row_log, column_log) = problem.utility, problem.log_references()
    rows, columns = problem.rows, problem.columns
    if not places.all:
        held = np.ix_(places.rows, places.columns)
        utility, usable = np.ascontiguousarray(utility[held]), None if usable is None else usable[held]
        row_log, column_log = row_log[places.rows], column_log[places.columns]
        rows, columns = rows.restricted(places.rows), columns.restricted(places.columns)
    if usable is not None and np.any((utility > -np.inf) & ~usable):
        utility = np.where(usable, utility, -np.inf)
    return ReducedProblem(
        utility=utility,
        rows=rows,
        columns=columns,
        temperature=problem.temperature,
        row_log=row_log,
        column_log=column_log,
    )


def _account(
    problem: AssignmentProblem,
    reduced: ReducedProblem,
    found: Potentials,
    trace: Trace,
    places: _Places,
    tolerance: float,
    max_iterations: int | None,
) -> AssignmentResult:
    t = problem.temperature
    if found.coupling is not None:
        coupling = found.coupling
    else:
        x, y = found.row / t + reduced.row_log, found.column / t + reduced.column_log
        coupling = coupling_of(reduced.utility, t, x, y)
    errors = _errors(reduced, coupling, found, problem.total_mass)
    status = _status(errors, reduced, found, tolerance, max_iterations)
    if not places.all:
        whole = np.zeros(problem.shape)
        whole[np.ix_(places.rows, places.columns)] = coupling
        coupling = whole
    return AssignmentResult(
        coupling=coupling,
        row_potential=_spread(found.row, places.rows, problem.rows, t),
        column_potential=_spread(found.column, places.columns, problem.columns, t),
        row_error=errors[0],
        column_error=errors[1],
        converged=status == "converged",
        status=status,
        method=found.method,
        n_iterations=found.n_iterations,
        history=SolverHistory(
            iteration=np.array(trace.iterations, dtype=np.int64),
            phase=tuple(trace.phases),
            row_error=np.array(trace.row_errors),
            column_error=np.array(trace.column_errors),
        ),
        tolerance=tolerance,
        problem=problem,
    )


def _spread(potential: FloatArray, held: BoolArray, condition: MarginalCondition, temperature: float) -> FloatArray:
    whole = condition.potential(np.full(held.size, -np.inf), temperature)  # of places that no pair can fill
    whole[held] = potential
    return whole


def _errors(
    reduced: ReducedProblem, coupling: FloatArray, found: Potentials, total_mass: float | None
) -> tuple[float, float]:
    row_sums, column_sums = coupling.sum(axis=1), coupling.sum(axis=0)
    if total_mass is not None:  # both free: only the total is given
        error = abs(float(row_sums.sum()) - total_mass) / total_mass
        return error, error
    with np.errstate(invalid="ignore"):
        wanted = (
            reduced.rows.wanted(row_sums, found.row, reduced.temperature),
            reduced.columns.wanted(column_sums, found.column, reduced.temperature),
        )
        total = reduced.total(row_sums)
        return (
            float(np.abs(row_sums - wanted[0]).sum() / total),
            float(np.abs(column_sums - wanted[1]).sum() / total),
        )


def _status(
    errors: tuple[float, float],
    reduced: ReducedProblem,
    found: Potentials,
    tolerance: float,
    max_iterations: int | None,
) -> Status:
    potentials = np.all(np.isfinite(found.row)) and np.all(np.isfinite(found.column))
    if not (potentials and np.all(np.isfinite(errors))):
        return "not_finite"
    if found.temperature is not None and found.temperature > reduced.temperature:
        return "precision"
    if max(errors) <= tolerance:
        return "converged"
    # a sum of exponentials loses a few ulps of (U + f + g) / T for each place
    finite = np.where(np.isfinite(reduced.utility), reduced.utility, 0.0)
    largest = max(float(np.abs(part).max()) for part in (finite, found.row, found.column))
    rounding = _ROUNDING * np.finfo(float).eps * largest / reduced.temperature
    if max(errors) <= rounding:
        return "precision"
    most = MOST_ITERATIONS if max_iterations is None else max_iterations
    return "stalled" if found.n_iterations < most else "max_iterations"


def _failure(result: AssignmentResult) -> str:
    reached = (
        f"the assignment did not reach its tolerance of {result.tolerance:g}: row_error {result.row_error:.2e}, "
        f"column_error {result.column_error:.2e} after {result.n_iterations} iterations of {result.method}; "
    )
    way_out = {
        "precision": "utilities over temperature are so large that floating point can do no better: raise the "
        "temperature or the tolerance, or use temperature 0",
        "max_iterations": "raise max_iterations, the tolerance or the temperature",
        "stalled": "no step makes the errors smaller: raise the temperature or the tolerance",
        "not_finite": "potentials are not finite: scale utilities down or raise the temperature",
    }
    return reached + way_out.get(result.status, "") + "; on_failure='return' gives what there is"
