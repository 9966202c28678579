"""An assignment with one side solved: what remains is a convex function of the potentials of the columns.

With potentials g of the columns given, those of the rows follow from their condition at once. What is left to minimise,
the semi-dual, has as its gradient what the columns hold less what they should, and as its Hessian times T

    diag(c) - P' diag(w / r) P + T diag(curvature)

with r and c the sums of P = R exp((U + f + g) / T), and w the response of the rows' condition (1 for fixed masses).

P is held as a table of weights times a factor for each row and column. A change of potentials changes only the factors,
so that one table serves many steps: all that is computed of it are products with vectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.assignment.kernels import fill_kept, fill_row_weights
from choicekit.assignment.sweeps import ReducedProblem
from choicekit.assignment.tables import RowThreads

__all__ = ["Point", "WeightTable"]

FloatArray = npt.NDArray[np.float64]

_LEAST = 1e-12  # weights below this share of their row's largest are left out of products with directions
_FEW = 0.15  # share of cells up to which only those kept are used
_REACH = 8.0  # how far potentials, in units of T, may move from where the table was made: what was left out stays small


@dataclass(frozen=True, kw_only=True, eq=False)
class Point:
    """The rows solved for potentials of the columns.

    Attributes
    ----------
    g, f : ndarray (m,), (n,)
        Potentials, in units of utility.
    row_factors, column_factors : ndarray
        P is the table of weights times both.
    totals : ndarray (n,)
        Sums of the weights times column factors.
    r, c : ndarray
        Sums of P.
    log_sums : ndarray (n,)
        Logarithms of what the sums of rows would be at potential 0.
    response : ndarray (n,)
        Of the rows.
    gradient : ndarray (m,)
        What columns hold less what they should.
    value : float
        Of the semi-dual.
    error : float
        L1 norm of the gradient over total mass.
    worst : float
        Largest error of a column, over its mass.
    """

    g: FloatArray
    f: FloatArray
    row_factors: FloatArray
    column_factors: FloatArray
    totals: FloatArray
    r: FloatArray
    c: FloatArray
    log_sums: FloatArray
    response: FloatArray
    gradient: FloatArray
    value: float
    error: float
    worst: float


class WeightTable:
    """The table of weights exp(U / T + y - top) of a problem at one temperature.

    Parameters
    ----------
    problem : ReducedProblem
        Its own temperature is not looked at.
    temperature : float
    out : ndarray (n, m)
        Where the weights are put.
    over_rows : RowThreads
    """

    def __init__(self, problem: ReducedProblem, temperature: float, out: FloatArray, over_rows: RowThreads) -> None:
        self.problem, self.temperature, self.weights = problem, temperature, out
        self._over_rows = over_rows
        self._top, self._total = np.empty(len(out)), np.empty(len(out))
        self._g: FloatArray | None = None
        self._kept: Any = None

    def at(self, g: FloatArray) -> Point:
        """Return the rows solved for these potentials of the columns."""
        problem, t = self.problem, self.temperature
        if self._g is None or np.max(np.abs(g - self._g)) > _REACH * t:
            self._make(g)
            factors, total = np.ones_like(g), self._total
        else:
            factors = np.exp((g - self._g) / t)
            total = self.weights @ factors
        with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
            log_sums = np.log(total) + self._top + problem.row_log
            f = problem.rows.potential(log_sums, t)
            r = np.exp(f / t + log_sums)
            row_factors = r / total
            c = factors * (row_factors @ self.weights)
            wanted = problem.columns.wanted(c, g, t)
            gradient = c - wanted
            mass = problem.columns.mass
            worst = 0.0 if mass is None else float(np.max(np.abs(gradient) / mass))
            value = t * float(r.sum()) + problem.rows.conjugate(f, t) + problem.columns.conjugate(g, t)
        return Point(
            g=g,
            f=f,
            row_factors=row_factors,
            column_factors=factors,
            totals=total,
            r=r,
            c=c,
            log_sums=log_sums,
            response=problem.rows.response(log_sums, t),
            gradient=gradient,
            value=value,
            error=float(np.abs(gradient).sum()) / problem.total(c),
            worst=worst,
        )

    def row_error(self, before: Point, point: Point) -> float:
        """Return the error of the rows once the columns have moved to `point`, before the rows follow."""
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            sums = np.exp(before.f / self.temperature + point.log_sums)
            wanted = self.problem.rows.wanted(sums, before.f, self.temperature)
            return float(np.abs(sums - wanted).sum()) / self.problem.total(point.c)

    def _make(self, g: FloatArray) -> None:
        t, y = self.temperature, g / self.temperature + self.problem.column_log

        def work(rows: slice) -> None:
            utility, weights = self.problem.utility[rows], self.weights[rows]
            if not utility.flags.c_contiguous:  # a problem turned round, without a copy of its utilities
                weights[:] = utility
                utility = weights
            fill_row_weights(utility, t, y, self._top[rows], self._total[rows], weights)

        self._over_rows(work)
        self._g, self._kept = g, None

    def swept(self, point: Point) -> FloatArray:
        """Return the potentials of the columns that their condition asks for with the rows held."""
        with np.errstate(divide="ignore"):
            log_sums = np.log(point.c) - point.g / self.temperature
        wanted = self.problem.columns.potential(log_sums, self.temperature)
        return np.where(point.c > 0, wanted, point.g)

    def products(self) -> tuple[Any, Any]:
        """Return the weights and their transpose for products: only those that count, where they are few."""
        if self._kept is None:
            kept = self._few()
            self._kept = (self.weights, self.weights.T) if kept is None else (kept, kept.T.tocsr())
        return self._kept[0], self._kept[1]

    def _few(self) -> Any:
        from scipy.sparse import csr_array

        n, m = self.weights.shape
        count, start = np.empty(n, dtype=np.int64), np.zeros(n + 1, dtype=np.int64)
        none, nothing = np.empty(0, dtype=np.int64), np.empty(0)

        def counted(rows: slice) -> None:
            fill_kept(self.weights[rows], _LEAST, count[rows], start[:-1][rows], none, nothing)

        self._over_rows(counted)
        np.cumsum(count, out=start[1:])
        if start[-1] > _FEW * n * m:
            return None
        columns, values = np.empty(start[-1], dtype=np.int64), np.empty(start[-1])

        def filled(rows: slice) -> None:
            fill_kept(self.weights[rows], _LEAST, count[rows], start[:-1][rows], columns, values)

        self._over_rows(filled)
        return csr_array((values, columns, start), shape=(n, m))
