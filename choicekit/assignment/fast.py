"""The fast solver of assignments with entropy: from warm to cold, by sweeps where few are needed, else by Newton steps.

At each temperature a table of weights is made, and sweeps are done on it (Sinkhorn). Their errors fall by a constant
ratio, known after a few; where it would take many more, Newton steps take their place, each followed by a sweep.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from choicekit.assignment.conditions import Fixed
from choicekit.assignment.newton import along_planes, newton_step
from choicekit.assignment.semi_dual import Point, WeightTable
from choicekit.assignment.sweeps import Potentials, ReducedProblem, Trace
from choicekit.assignment.tables import RowThreads

__all__ = ["MOST_ITERATIONS", "solve_fast"]

FloatArray = npt.NDArray[np.float64]

_FACTOR = 6.0  # between the temperatures of two stages
_WARM = 200.0  # range of utility over temperature at which the first stage starts
_SERVED = 0.3  # largest error of a column then, so that even small ones have found their place
_LOOSE = 1e-3  # error at which a stage before the last is done
_FAR = 1e3  # between the first temperature and the last, from which on it is smaller, as what is left is hard to mend
_PROBES = 3  # sweeps after which their number is foretold
_MANY = 6  # sweeps that cost more than Newton steps
_NEAREST = 1.05  # two temperatures between which none is tried
MOST_ITERATIONS = 2_000
_ULPS = 32.0  # of utility over temperature, to which errors can be told
_TELLING = 32e3  # ulps of the range of utility by which a temperature must be above 0 to be told from it
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
    most = MOST_ITERATIONS if max_iterations is None else max_iterations
    n, m = problem.utility.shape
    out = np.empty((n, m))
    asked, spread = problem.temperature, _spread(problem)
    problem = replace(problem, temperature=max(asked, _TELLING * np.finfo(float).eps * spread))
    with RowThreads(n, m) as over_rows, np.errstate(over="ignore", invalid="ignore", under="ignore"):
        point = _cooled(problem, spread, tolerance, most, trace, start, out, over_rows)

        def finish(rows: slice) -> None:  # weights become the coupling
            with np.errstate(over="ignore", invalid="ignore"):  # threads have states of their own
                out[rows] *= point.row_factors[rows, None]
                out[rows] *= point.column_factors

        over_rows(finish)
    newton = any("Newton" in phase for phase in trace.phases)
    row, reached = point.f, problem.temperature
    if reached > asked:  # no pair may be worth more than its price, or the dual would bound nothing
        row = row - reached * np.log(max(1.0, float(out.max())))
    return Potentials(
        row=row,
        column=point.g,
        temperature=reached,
        method="temperature scaling and Newton steps" if newton else "scaling",
        n_iterations=len(trace.iterations),
        coupling=out,
    )


def _cooled(
    problem: ReducedProblem,
    spread: float,
    tolerance: float,
    most: int,
    trace: Trace,
    start: FloatArray | None,
    out: FloatArray,
    over_rows: RowThreads,
) -> Point:
    """Solve from warm to cold; where a step between two temperatures proves too large, take one between them first."""
    waiting = [problem.temperature] if start is not None else _temperatures(problem.temperature, spread)
    least = _LOOSE * min(1.0, _FAR * waiting[0] / waiting[-1])
    g, arrived_at = np.zeros(out.shape[1]) if start is None else start, np.inf
    while True:
        t = waiting[-1]
        last = t == problem.temperature
        loose = max(least, _ULPS * np.finfo(float).eps * spread / t)
        table = WeightTable(problem, t, out, over_rows)
        point = _solve_at(table, g, 0.5 * tolerance if last else loose, most - len(trace.iterations), trace, last)
        arrived = point.error <= (tolerance if last else 2 * loose) and (last or point.worst <= _SERVED)
        spent = len(trace.iterations) >= most or not np.isfinite(point.error)
        if not arrived and not spent and arrived_at > _NEAREST * t and arrived_at < np.inf:
            waiting.append(float(np.sqrt(t * arrived_at)))
            continue
        if last:
            return point
        if spent:  # what there is, at the temperature that was asked for
            return WeightTable(problem, problem.temperature, out, over_rows).at(point.g)
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
    turned_back = None if found.coupling is None else found.coupling.T
    return replace(found, row=found.column, column=found.row, coupling=turned_back)


def _spread(problem: ReducedProblem) -> float:
    """Return how far utilities lie apart; that of not being matched, 0, counts where it may happen."""
    finite = problem.utility if np.isfinite(problem.utility.min()) else problem.utility[np.isfinite(problem.utility)]
    high, low = float(finite.max()), float(finite.min())
    if not (isinstance(problem.rows, Fixed) and isinstance(problem.columns, Fixed)):
        high, low = max(high, 0.0), min(low, 0.0)
    return high - low


def _temperatures(coldest: float, spread: float) -> list[float]:
    found = [coldest]
    while found[-1] * _WARM < spread:
        found.append(found[-1] * _FACTOR)
    return found


def _solve_at(table: WeightTable, g: FloatArray, tolerance: float, most: int, trace: Trace, last: bool) -> Point:
    point, newton = table.at(g), False
    before, best, errors = point, point, []
    for _ in range(max(most, 1)):
        errors.append(point.error)
        best = point if point.error < best.error else best
        phase = f"{'Newton' if newton else 'scaling'} at T = {table.temperature:.3g}"
        trace.add(phase, table.row_error(before, point), point.error)
        arrived = point.error <= tolerance and (last or point.worst <= _SERVED)
        if arrived or not np.isfinite(point.error):
            return point
        if _stalled(errors):
            break
        if not newton and len(errors) > _PROBES:
            newton = _remaining(errors, tolerance) > _MANY
        middle = newton_step(table, point) if newton else point
        before, point = point, table.at(table.swept(middle))
        if newton and point.error > _HARDLY * before.error:
            point = along_planes(table, middle, point)
    return table.at(best.g)


def _stalled(errors: list[float]) -> bool:
    """Whether the last errors are no smaller than those before them: rounding allows no more."""
    return len(errors) > _PATIENCE and min(errors[-_PATIENCE:]) > _HARDLY * min(errors[:-_PATIENCE])


def _remaining(errors: list[float], tolerance: float) -> float:
    """Return how many more sweeps the tolerance will take, by the ratio of the last two errors."""
    ratio = errors[-1] / errors[-2]
    return float(np.log(tolerance / errors[-1]) / np.log(ratio)) if 0 < ratio < 1 else np.inf
