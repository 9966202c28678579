"""Many small assignments at once, so that what one costs beside its arithmetic is paid once for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

import numpy as np
import numpy.typing as npt

from choicekit.assignment.conditions import AtMost, Fixed, MarginalCondition, Relaxed, WithOutsideOption
from choicekit.assignment.problem import AssignmentProblem, Reference
from choicekit.assignment.result import AssignmentResult, SolverHistory
from choicekit.assignment.solve import check_control, solve_problem
from choicekit.errors import ConvergenceError, InvalidInputError, ShapeError
from choicekit.rules import RegularisedRule
from choicekit.rules.softmax_kernels import fill_values
from choicekit.rules.utilities import as_floats

__all__ = ["solve_assignments"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]

_MOST = 150  # iterations; what is left then is solved one by one
_SMALL = 10_000  # cells of a problem up to which many are better solved together
_CELLS = 250_000  # worked on at once
_SWEEPS = 4  # between Newton steps that did not help
_RISE = 0.5  # of the slope a step set out with, at most, may be left as a rise where it ends
_SHORTER = 0.25  # what is left of a step that was too long
_RIDGE = 0.3  # times the error, added to the diagonal relatively: far from the solution steps are kept in bounds
_LONGEST = 8.0  # step of a potential, in units of temperature
_SETTLED = 1e-12  # added to the diagonal, relatively, so that potentials known up to a constant have one


def solve_assignments(
    utilities: npt.ArrayLike,
    rows: MarginalCondition | Sequence[MarginalCondition] | npt.ArrayLike,
    columns: MarginalCondition | Sequence[MarginalCondition] | npt.ArrayLike,
    *,
    temperature: npt.ArrayLike,
    rule: RegularisedRule | None = None,
    reference: Reference = "counting",
    total_mass: float | None = None,
    scale_masses: bool = False,
    tolerance: float = 1e-9,
    max_iterations: int | None = None,
    on_failure: Literal["raise", "return"] = "raise",
) -> tuple[AssignmentResult, ...]:
    """Return the couplings of many assignments of one shape, as `solve_assignment` finds them one by one.

    Parameters
    ----------
    utilities : array_like (B, n, m)
        U of each pair in each problem; minus infinity forbids it.
    rows, columns : MarginalCondition, sequence of B of them, or array_like (n,) or (B, n)
        One condition for all problems, or one each; masses mean `Fixed`.
    temperature : float or array_like (B,)
        T >= 0, one for all or one each.
    rule, reference, total_mass, scale_masses, tolerance, max_iterations, on_failure
        As for `solve_assignment`.

    Returns
    -------
    tuple of AssignmentResult
        In the order given.

    Raises
    ------
    InvalidInputError, ShapeError, InfeasibleMassError, ConvergenceError
        As `solve_assignment`; the message says which problem.

    Notes
    -----
    Small problems with entropy, T > 0 and masses on both sides are swept together, with Newton steps on the semi-dual
    (the potentials of the shorter side, the longer one eliminated) where they bring the error down; a problem that
    has reached its tolerance drops out. All others, and what is left after 150 iterations, are solved one by one. So
    every answer is within the tolerance, however it was found; `method` tells.

    References
    ----------
    Cuturi (2013), "Sinkhorn distances", NeurIPS, section 4 on many problems at once. Brauer, Clason, Lorenz & Wirth
    (2017), "A Sinkhorn-Newton method for entropic optimal transport", arXiv 1710.06635.

    Examples
    --------
    >>> first, second = solve_assignments(np.zeros((2, 2, 2)), [[1.0, 1.0], [1.5, 0.5]], [1.0, 1.0], temperature=1.0)
    >>> second.coupling.round(6)
    array([[0.75, 0.75],
           [0.25, 0.25]])
    """
    check_control(tolerance, max_iterations, on_failure)
    tables = _tables(utilities)
    sides = _each(rows, len(tables), "rows"), _each(columns, len(tables), "columns")
    temperatures = _temperatures(temperature, len(tables))
    problems = []
    for place, table in enumerate(tables):
        with _naming(place):
            problem = AssignmentProblem(
                utility=table,
                rows=sides[0][place],  # type: ignore[arg-type]
                columns=sides[1][place],  # type: ignore[arg-type]
                temperature=temperatures[place],
                rule=rule,
                reference=reference,
                total_mass=total_mass,
                scale_masses=scale_masses,
            )
        problems.append(problem)
    found: dict[int, AssignmentResult] = {}
    for places in _alike(problems):
        found.update(_solved_together(problems, places, tolerance, min(max_iterations or _MOST, _MOST)))
    for place in range(len(problems)):
        if place not in found:
            with _naming(place):
                found[place] = solve_problem(
                    problems[place], tolerance=tolerance, max_iterations=max_iterations, on_failure=on_failure
                )
    return tuple(found[place] for place in range(len(problems)))


@contextmanager
def _naming(place: int) -> Iterator[None]:
    """Say which problem it is about."""
    try:
        yield
    except ConvergenceError as error:
        raise ConvergenceError(f"problem {place} of the batch: {error}", result=error.result) from error
    except InvalidInputError as error:
        raise type(error)(f"problem {place} of the batch: {error}") from error


def _tables(utilities: npt.ArrayLike) -> FloatArray:
    found = np.ascontiguousarray(as_floats(utilities, "utilities"))
    if found.ndim != 3:
        raise ShapeError(
            f"utilities must be one table a problem, (B, n, m), found shape {found.shape}: for one problem there is "
            "solve_assignment"
        )
    return found


def _each(
    given: MarginalCondition | Sequence[MarginalCondition] | npt.ArrayLike, n_problems: int, side: str
) -> Sequence[MarginalCondition | npt.ArrayLike]:
    """Return the condition, or the masses, of each problem."""
    if isinstance(given, MarginalCondition):
        return [given] * n_problems
    if isinstance(given, list | tuple) and any(isinstance(one, MarginalCondition) for one in given):
        each: Sequence[MarginalCondition | npt.ArrayLike] = given
    else:
        masses = np.asarray(given)
        if masses.ndim == 1:
            return [Fixed(masses)] * n_problems
        each = list(masses) if masses.ndim == 2 else [masses]
    if len(each) != n_problems:
        raise ShapeError(
            f"{side} must be one condition for all problems or one each, found {len(each)} for {n_problems} problems"
        )
    return each


def _temperatures(temperature: npt.ArrayLike, n_problems: int) -> FloatArray:
    found = as_floats(temperature, "temperature")
    if found.ndim > 1 or (found.ndim == 1 and found.size != n_problems):
        raise ShapeError(f"temperature must be one number or one a problem, ({n_problems},), found shape {found.shape}")
    return np.broadcast_to(found, (n_problems,))


def _alike(problems: Sequence[AssignmentProblem]) -> Iterator[IntArray]:
    """Yield the places of problems that can be solved together."""

    def kind(place: int) -> str:
        return f"{problems[place].rows.name} {problems[place].columns.name}"

    serveable = sorted((place for place, problem in enumerate(problems) if _serves(problem)), key=kind)
    for _, places in groupby(serveable, key=kind):
        together = np.array(list(places))
        size = max(1, _CELLS // problems[together[0]].utility.size)
        yield from (together[start : start + size] for start in range(0, together.size, size))


def _serves(problem: AssignmentProblem) -> bool:
    if problem.temperature == 0 or problem.sparse or problem.utility.size > _SMALL:
        return False
    for condition in (problem.rows, problem.columns):
        if type(condition) not in (Fixed, AtMost, Relaxed, WithOutsideOption) or not np.all(condition.mass):
            return False
    return bool(np.all(np.isfinite(problem.utility)))


class _RelaxedEach(Relaxed):
    """`Relaxed` with a strength for each place."""

    def __init__(self, mass: FloatArray, strength: FloatArray) -> None:
        object.__setattr__(self, "mass", mass)
        object.__setattr__(self, "strength", strength)

    def restricted(self, places: BoolArray | IntArray) -> _RelaxedEach:
        strength = np.asarray(self.strength)
        return _RelaxedEach(self.mass[places], strength[places])


@dataclass(frozen=True, kw_only=True, eq=False)
class _Batch:
    """Problems side by side, in units of their temperatures, with at least as many rows as columns.

    Attributes
    ----------
    places : ndarray (B,) of int
        Where in the batch that was begun with they are.
    table : ndarray (B, n, m)
        U / T with the logarithms of what entropy is relative to; `turned` (B, m, n) holds its transposes.
    rows, columns : MarginalCondition
        Of all problems, place after place.
    limit : ndarray (B,) or None
        Mass that errors are relative to; None for that of the coupling.
    """

    places: IntArray
    table: FloatArray
    turned: FloatArray
    rows: MarginalCondition
    columns: MarginalCondition
    limit: FloatArray | None

    def only(self, kept: BoolArray) -> _Batch:
        """Return some of the problems."""
        if kept.all():
            return self
        n, m = self.table.shape[1:]
        return _Batch(
            places=self.places[kept],
            table=self.table[kept],
            turned=self.turned[kept],
            rows=self.rows.restricted(np.repeat(kept, n)),
            columns=self.columns.restricted(np.repeat(kept, m)),
            limit=None if self.limit is None else self.limit[kept],
        )

    def relative(self, errors: FloatArray, sums: FloatArray) -> FloatArray:
        """Return the L1 norm of errors over total mass, (B,)."""
        total = sums.sum(axis=1) if self.limit is None else self.limit
        return np.asarray(np.abs(errors).sum(axis=1) / total)

    def row_error(self, sums: FloatArray, x: FloatArray) -> FloatArray:
        """Return the errors of rows, L1 over total mass."""
        return self.relative(sums - _at_places(self.rows.wanted, sums, x), sums)

    def column_error(self, sums: FloatArray, y: FloatArray) -> FloatArray:
        """Return the errors of columns, L1 over total mass."""
        return self.relative(sums - _at_places(self.columns.wanted, sums, y), sums)

    def coupling(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Return the couplings (B, n, m)."""
        return np.asarray(np.exp(self.table + x[:, :, None] + y[:, None, :]))

    def newton_step(
        self, x: FloatArray, y: FloatArray, row_log_sums: FloatArray, sums: FloatArray, error: FloatArray
    ) -> FloatArray:
        """Return column potentials after a Newton step on the semi-dual, rows being what they should be at y."""
        p, columns = self.coupling(x, y), self.columns
        moving = np.ones(y.shape, dtype=bool)
        if columns.bounded:
            moving = (y < 0) | (sums > _at_places(columns.wanted, sums, y))
        answer = _at_places(self.rows.response, row_log_sums) / np.exp(row_log_sums + x)
        hessian = -((np.swapaxes(p, 1, 2) * answer[:, None, :]) @ p) * (moving[:, :, None] & moving[:, None, :])
        diagonal = (sums + _at_places(columns.curvature, y)) * (1.0 + _SETTLED + _RIDGE * np.minimum(error, 1.0))[
            :, None
        ]
        here = np.arange(y.shape[1])
        hessian[:, here, here] += np.where(moving & (diagonal > 0), diagonal, 1.0)
        gradient = np.where(moving, _at_places(columns.wanted, sums, y) - sums, 0.0)
        step = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
        longest = np.abs(step).max(axis=1, keepdims=True)
        moved = y + step * np.minimum(1.0, _LONGEST / np.maximum(longest, _LONGEST))
        return np.asarray(np.minimum(moved, 0.0) if columns.bounded else moved)


def _at_places(method: Callable[..., FloatArray], *arguments: FloatArray) -> FloatArray:
    """Ask a condition of all places for something at T = 1, one row of the arguments a problem."""
    found = method(*(argument.reshape(-1) for argument in arguments), 1.0)
    return found.reshape(arguments[0].shape)


def _log_sums(tables: FloatArray) -> FloatArray:
    """Return log sum exp of each row of each table; nan where one is not in order."""
    rows = tables.reshape(-1, tables.shape[-1])
    found = np.empty(len(rows))
    fill_values(rows, np.ones(1), found)
    return found.reshape(tables.shape[:-1])


@dataclass(frozen=True, kw_only=True, eq=False)
class _Record:
    """Where problems got to: arrays that are filled in as they drop out.

    Attributes
    ----------
    x, y : ndarray (B, n), (B, m)
        Potentials of rows and columns, in units of temperature.
    n_iterations : ndarray (B,) of int
        0 for problems that were not solved.
    errors, newton : ndarray (k, B)
        The column error at each iteration, and whether a Newton step led there.
    """

    x: FloatArray
    y: FloatArray
    n_iterations: npt.NDArray[np.int64]
    errors: FloatArray
    newton: BoolArray


def _swept(batch: _Batch, tolerance: float, most: int) -> _Record:
    n_problems, n, m = batch.table.shape
    record = _Record(
        x=np.zeros((n_problems, n)),
        y=np.zeros((n_problems, m)),
        n_iterations=np.zeros(n_problems, dtype=np.int64),
        errors=np.zeros((most, n_problems)),
        newton=np.zeros((most, n_problems), dtype=bool),
    )
    base, slope = np.zeros((n_problems, m)), np.zeros((n_problems, m))
    tried = np.zeros(n_problems, dtype=bool)
    for iteration in range(most):
        at = batch.places
        y = record.y[at]
        row_log_sums = _log_sums(batch.table + y[:, None, :])
        x = _at_places(batch.rows.potential, row_log_sums)
        column_log_sums = _log_sums(batch.turned + x[:, None, :])
        sums = np.exp(column_log_sums + y)
        gradient = sums - _at_places(batch.columns.wanted, sums, y)
        error = batch.relative(gradient, sums)
        record.errors[iteration, at], record.newton[iteration, at] = error, tried[at]
        done = error <= tolerance / 2
        record.x[at[done]], record.n_iterations[at[done]] = x[done], iteration + 1
        # a step along which the semi-dual, which is convex, has come to rise is too long
        step = y - base[at]
        rise, fall = (gradient * step).sum(axis=1), -(slope[at] * step).sum(axis=1)
        lost = tried[at] & ~done & ~(rise <= _RISE * fall)
        kept = ~done & (lost | np.isfinite(error))
        newton = kept & ~lost & (iteration >= _SWEEPS)
        following = np.where(
            lost[:, None], base[at] + _SHORTER * step, _at_places(batch.columns.potential, column_log_sums)
        )
        if newton.any():
            following[newton] = batch.only(newton).newton_step(*(a[newton] for a in (x, y, row_log_sums, sums, error)))
        base[at[newton]], slope[at[newton]], tried[at] = y[newton], gradient[newton], newton | lost
        record.y[at[kept]] = following[kept]
        if not kept.any():
            break
        batch = batch.only(kept)
    return record


def _solved_together(
    problems: Sequence[AssignmentProblem], places: IntArray, tolerance: float, most: int
) -> dict[int, AssignmentResult]:
    """Return the results of those of the problems at `places` that reached the tolerance."""
    together = [problems[place] for place in places]
    with np.errstate(all="ignore"):  # a problem that leaves the finite numbers is solved alone
        batch, wide = _side_by_side(together)
        record = _swept(batch, tolerance, most)
        coupling = batch.coupling(record.x, record.y)
        row_error = batch.row_error(coupling.sum(axis=2), record.x)
        column_error = batch.column_error(coupling.sum(axis=1), record.y)
        solved = (record.n_iterations > 0) & (np.maximum(row_error, column_error) <= tolerance)
    if wide:
        coupling = np.swapaxes(coupling, 1, 2)
    found = {}
    for one in np.flatnonzero(solved).tolist():
        found[int(places[one])] = _result(
            together[one], record, one, coupling[one].copy(), (row_error[one], column_error[one]), wide, tolerance
        )
    return found


def _side_by_side(problems: Sequence[AssignmentProblem]) -> tuple[_Batch, bool]:
    """Return the problems as one batch, and whether their sides have changed places for that."""
    temperature = np.array([problem.temperature for problem in problems])
    table = np.stack([problem.utility for problem in problems]) / temperature[:, None, None]
    if problems[0].reference == "product":
        row_log, column_log = (np.stack(logs) for logs in zip(*(p.log_references() for p in problems), strict=True))
        table += row_log[:, :, None] + column_log[:, None, :]
    rows = _joined([problem.rows for problem in problems], temperature)
    columns = _joined([problem.columns for problem in problems], temperature)
    masses = [np.asarray(side.mass).reshape(len(problems), -1) for side in (rows, columns) if side.limiting]
    limit = np.min([mass.sum(axis=1) for mass in masses], axis=0) if masses else None
    turned, wide = np.ascontiguousarray(np.swapaxes(table, 1, 2)), table.shape[1] < table.shape[2]
    if wide:
        table, turned, rows, columns = turned, table, columns, rows
    return (
        _Batch(places=np.arange(len(problems)), table=table, turned=turned, rows=rows, columns=columns, limit=limit),
        wide,
    )


def _joined(conditions: Sequence[MarginalCondition], temperature: FloatArray) -> MarginalCondition:
    """Return one condition for the places of all, which are of one kind, in units of temperature."""
    mass, first = np.concatenate([condition.mass for condition in conditions]), conditions[0]
    if isinstance(first, Relaxed):
        strength = np.array([condition.strength for condition in conditions if isinstance(condition, Relaxed)])
        return _RelaxedEach(mass, np.repeat(strength / temperature, first.mass.size))
    return replace(first, mass=mass)  # type: ignore[type-var]


def _result(
    problem: AssignmentProblem,
    record: _Record,
    one: int,
    coupling: FloatArray,
    errors: tuple[float, float],
    wide: bool,
    tolerance: float,
) -> AssignmentResult:
    k, t = int(record.n_iterations[one]), problem.temperature
    newton, swept = record.newton[:k, one], record.errors[:k, one].copy()
    sides = [(record.x[one] * t, float(errors[0]), np.zeros(k)), (record.y[one] * t, float(errors[1]), swept)]
    (row, row_error, row_errors), (column, column_error, column_errors) = sides[::-1] if wide else sides
    return AssignmentResult(
        coupling=coupling,
        row_potential=row,
        column_potential=column,
        row_error=row_error,
        column_error=column_error,
        converged=True,
        status="converged",
        method="batched scaling and newton" if newton.any() else "batched scaling",
        n_iterations=k,
        history=SolverHistory(
            iteration=np.arange(1, k + 1),
            phase=tuple("newton" if step else "scaling" for step in newton),
            row_error=row_errors,
            column_error=column_errors,
        ),
        tolerance=tolerance,
        problem=problem,
    )
