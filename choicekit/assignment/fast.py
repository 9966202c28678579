"""The fast solver of assignments with entropy: from warm to cold, by sweeps where few are needed, else by Newton steps.

At each temperature a table of weights is made, and sweeps are done on it (Sinkhorn). Their errors fall by a constant
ratio, known after a few; where it would take many more, Newton steps take their place, each followed by a sweep.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from choicekit.assignment.newton import newton_step
from choicekit.assignment.semi_dual import Point, WeightTable
from choicekit.assignment.sweeps import Potentials, ReducedProblem, Trace
from choicekit.assignment.tables import RowThreads

__all__ = ["solve_fast"]

FloatArray = npt.NDArray[np.float64]

_FACTOR = 6.0  # between the temperatures of two stages
_WARM = 200.0  # range of utility over temperature at which the first stage starts
_SERVED = 0.3  # largest error of a column then, so that even small ones have found their place
_LOOSE = 1e-3  # error at which a stage before the last is done
_PROBES = 3  # sweeps after which their number is foretold
_MANY = 6  # sweeps that cost more than Newton steps
_NEAREST = 1.05  # two temperatures between which none is tried
_MOST = 2_000
_PATIENCE, _HARDLY = 25, 0.9  # iterations without a smaller error after which there is no more to be had


def solve_fast(
    problem: ReducedProblem,
    *,
    tolerance: float,
    max_iterations: int | None,
    trace: Trace,
    start: FloatArray | None = None,
) -> Potentials:
    """Return potentials whose coupling meets the conditions to `tolerance`.

    Parameters
    ----------
    problem : ReducedProblem
    tolerance : float
    max_iterations : int, optional
        Of sweeps and Newton steps together.
    trace : Trace
    start : ndarray (m,), optional
        Potentials of the columns to start from.
    """
    if problem.rows.difficulty < problem.columns.difficulty:
        return _solve_turned(problem, tolerance, max_iterations, trace, start)
    most = _MOST if max_iterations is None else max_iterations
    n, m = problem.utility.shape
    out = np.empty((n, m))
    with RowThreads(n, m) as over_rows:
        point = _cooled(problem, tolerance, most, trace, start, out, over_rows)

        def finish(rows: slice) -> None:  # weights become the coupling
            out[rows] *= point.row_factors[rows, None]
            out[rows] *= point.column_factors

        over_rows(finish)
    newton = any("Newton" in phase for phase in trace.phases)
    return Potentials(
        row=point.f,
        column=point.g,
        method="temperature scaling and Newton steps" if newton else "scaling",
        n_iterations=len(trace.iterations),
        coupling=out,
    )


def _cooled(
    problem: ReducedProblem,
    tolerance: float,
    most: int,
    trace: Trace,
    start: FloatArray | None,
    out: FloatArray,
    over_rows: RowThreads,
) -> Point:
    """Solve from warm to cold; where a step between two temperatures proves too large, take one between them first."""
    waiting = [problem.temperature] if start is not None else _temperatures(problem)
    g, arrived_at = np.zeros(out.shape[1]) if start is None else start, np.inf
    while True:
        t = waiting[-1]
        last = t == problem.temperature
        table = WeightTable(problem, t, out, over_rows)
        point = _solve_at(table, g, 0.5 * tolerance if last else _LOOSE, most - len(trace.iterations), trace, last)
        arrived = point.error <= (tolerance if last else 2 * _LOOSE) and (last or point.worst <= _SERVED)
        spent = len(trace.iterations) >= most or not np.isfinite(point.error)
        if not arrived and not spent and arrived_at > _NEAREST * t and arrived_at < np.inf:
            waiting.append(float(np.sqrt(t * arrived_at)))
            continue
        if last or spent:
            return point
        g, arrived_at = point.g, t
        waiting.pop()


def _solve_turned(
    problem: ReducedProblem, tolerance: float, max_iterations: int | None, trace: Trace, start: FloatArray | None
) -> Potentials:
    """Solve a problem whose columns are better eliminated than its rows."""
    turned = problem.turned()
    if start is not None:  # potentials of the columns: those of the rows that go with them
        n, m = problem.utility.shape
        table = np.empty((n, m))
        with RowThreads(n, m) as over_rows:
            start = WeightTable(problem, problem.temperature, table, over_rows).at(start).f
        del table
    found = solve_fast(turned, tolerance=tolerance, max_iterations=max_iterations, trace=trace, start=start)
    trace.row_errors, trace.column_errors = trace.column_errors, trace.row_errors
    return Potentials(row=found.column, column=found.row, method=found.method, n_iterations=found.n_iterations)


def _temperatures(problem: ReducedProblem) -> list[float]:
    finite = problem.utility if np.isfinite(problem.utility.min()) else problem.utility[np.isfinite(problem.utility)]
    spread, found = float(finite.max() - finite.min()), [problem.temperature]
    while found[-1] * _WARM < spread:
        found.append(found[-1] * _FACTOR)
    return found


def _solve_at(table: WeightTable, g: FloatArray, tolerance: float, most: int, trace: Trace, last: bool) -> Point:
    point, newton = table.at(g), False
    before, errors = point, []
    for _ in range(max(most, 1)):
        errors.append(point.error)
        phase = f"{'Newton' if newton else 'scaling'} at T = {table.temperature:.3g}"
        trace.add(phase, table.row_error(before, point), point.error)
        arrived = point.error <= tolerance and (last or point.worst <= _SERVED)
        if arrived or not np.isfinite(point.error) or _stalled(errors):
            break
        if not newton and len(errors) > _PROBES:
            newton = _remaining(errors, tolerance) > _MANY
        middle = newton_step(table, point) if newton else point
        before, point = point, table.at(table.swept(middle))
    return point


def _stalled(errors: list[float]) -> bool:
    """Whether the last errors are no smaller than those before them: rounding allows no more."""
    return len(errors) > _PATIENCE and min(errors[-_PATIENCE:]) > _HARDLY * min(errors[:-_PATIENCE])


def _remaining(errors: list[float], tolerance: float) -> float:
    """Return how many more sweeps the tolerance will take, by the ratio of the last two errors."""
    ratio = errors[-1] / errors[-2]
    return float(np.log(tolerance / errors[-1]) / np.log(ratio)) if 0 < ratio < 1 else np.inf
