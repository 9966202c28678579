"""Scaling in the logarithmic domain: the readable solver that serves every pair of conditions.

A sweep sets the potentials of the columns to what their condition asks for with the rows held, then those of the rows
with the columns held (Sinkhorn; for other conditions than fixed masses Chizat et al. 2018). Faster solvers are held to
this one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from choicekit.assignment.conditions import MarginalCondition

__all__ = ["Potentials", "ReducedProblem", "Trace", "solve_by_sweeps"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class ReducedProblem:
    """A problem without places that hold nothing, at a temperature above 0, as solvers work on it.

    Attributes
    ----------
    utility : ndarray (n, m)
        Every row and column has an allowed pair.
    rows, columns : MarginalCondition
    temperature : float
    row_log, column_log : ndarray
        Logarithms of what entropy is relative to.
    """

    utility: FloatArray
    rows: MarginalCondition
    columns: MarginalCondition
    temperature: float
    row_log: FloatArray
    column_log: FloatArray

    def turned(self) -> ReducedProblem:
        """Return the problem with rows and columns in one another's place; utilities are not copied."""
        return ReducedProblem(
            utility=self.utility.T,
            rows=self.columns,
            columns=self.rows,
            temperature=self.temperature,
            row_log=self.column_log,
            column_log=self.row_log,
        )

    def total(self, sums: FloatArray) -> float:
        """Return the mass that errors are relative to: the least a side limits it to, or what there is."""
        masses = [c.mass for c in (self.rows, self.columns) if c.mass is not None and c.limiting]
        return float(min((np.sum(mass) for mass in masses), default=np.sum(sums)))


@dataclass(kw_only=True, eq=False)
class Trace:
    """What a solver writes down as it goes; the only thing here that changes.

    Attributes
    ----------
    tell : callable, optional
        Called with the iteration and the larger error after each.
    """

    iterations: list[int] = field(default_factory=list)
    phases: list[str] = field(default_factory=list)
    row_errors: list[float] = field(default_factory=list)
    column_errors: list[float] = field(default_factory=list)
    tell: Callable[[int, float], None] | None = None

    def add(self, phase: str, row_error: float, column_error: float) -> None:
        """Write down the errors after one more iteration."""
        self.iterations.append(len(self.iterations) + 1)
        self.phases.append(phase)
        self.row_errors.append(row_error)
        self.column_errors.append(column_error)
        if self.tell is not None:
            self.tell(self.iterations[-1], max(row_error, column_error))


@dataclass(frozen=True, kw_only=True, eq=False)
class Potentials:
    """What a solver returns: potentials in units of utility, and how it got there.

    Attributes
    ----------
    row, column : ndarray
    method : str
    n_iterations : int
    coupling : ndarray (n, m), optional
        The coupling itself, where the solver has it.
    temperature : float, optional
        Of the coupling, where it is above that of the problem: the lowest at which floating point can tell cells apart.
    """

    row: FloatArray
    column: FloatArray
    method: str
    n_iterations: int
    coupling: FloatArray | None = None
    temperature: float | None = None


def solve_by_sweeps(
    problem: ReducedProblem, *, tolerance: float, max_iterations: int, trace: Trace, start: FloatArray | None = None
) -> Potentials:
    """Sweep until both errors are at most `tolerance`, or `max_iterations` times.

    Parameters
    ----------
    problem : ReducedProblem
    tolerance : float
        Of errors, L1 over total mass.
    max_iterations : int
    trace : Trace
    start : ndarray (m,), optional
        Potentials of the columns to start from.
    """
    t, scaled = problem.temperature, problem.utility / problem.temperature
    scaled = scaled + problem.row_log[:, None] + problem.column_log
    g = np.zeros(scaled.shape[1]) if start is None else start
    f = problem.rows.potential(_log_sums(scaled + g / t), t)
    for iteration in range(1, max_iterations + 1):
        column_log_sums = _log_sums((scaled + (f / t)[:, None]).T)
        with np.errstate(over="ignore", invalid="ignore"):
            sums = np.exp(column_log_sums + g / t)
            column_error = np.abs(sums - problem.columns.wanted(sums, g, t)).sum() / problem.total(sums)
        trace.add("scaling", 0.0, float(column_error))
        if column_error <= tolerance or not np.isfinite(column_error):
            return Potentials(row=f, column=g, method="scaling", n_iterations=iteration)
        g = problem.columns.potential(column_log_sums, t)
        f = problem.rows.potential(_log_sums(scaled + g / t), t)
    return Potentials(row=f, column=g, method="scaling", n_iterations=max_iterations)


def _log_sums(table: FloatArray) -> FloatArray:
    """Return log sum exp of each row, minus infinity where all of it is."""
    top = np.max(table, axis=1)
    shift = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(shift + np.log(np.exp(table - shift[:, None]).sum(axis=1)))
