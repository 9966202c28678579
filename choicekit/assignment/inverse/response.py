"""How a fitted coupling answers to the coefficients: derivatives of the masses of all outcomes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.assignment.conditions import MarginalCondition, Relaxed, WithOutsideOption
from choicekit.assignment.derivatives import CouplingDerivatives, coupling_derivatives
from choicekit.assignment.inverse.model import MatchingModel
from choicekit.assignment.inverse.observations import Observations
from choicekit.assignment.result import AssignmentResult
from choicekit.assignment.solve import solve_problem
from choicekit.errors import ConvergenceError

__all__ = ["Response", "SideResponse", "respond"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class SideResponse:
    """How one side answers.

    Attributes
    ----------
    change : ndarray (K, n)
        Derivatives of the potentials by the coefficients.
    singles, log_singles : ndarray (n,)
        0 where there are none.
    weight : float
        What the entropy of singles weighs, 1 where there are none.
    curvature, slope : ndarray (n,)
        Minus the derivative of the sums asked for by the potential, and the derivative of that; 0 where potentials do
        not answer.
    """

    change: FloatArray
    singles: FloatArray
    log_singles: FloatArray
    weight: float
    curvature: FloatArray
    slope: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Response:
    """A solved assignment with the derivatives of its outcomes; outcomes are in the order of `Observations.outcomes`.

    Attributes
    ----------
    model : MatchingModel
    coefficients : ndarray (K,)
    result : AssignmentResult
    masses, log_masses : ndarray (n m + n + m,)
        Of each outcome; logarithms are 0 where there is no mass.
    changes : ndarray (K, n m + n + m)
        Derivatives of the logarithms by the coefficients.
    row, column : SideResponse
    derivatives : CouplingDerivatives
    """

    model: MatchingModel
    coefficients: FloatArray
    result: AssignmentResult
    masses: FloatArray
    log_masses: FloatArray
    changes: FloatArray
    row: SideResponse
    column: SideResponse
    derivatives: CouplingDerivatives

    @property
    def n_pairs(self) -> int:
        """Number of pairs, which come first among the outcomes."""
        return self.result.coupling.size

    def on_potentials(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the derivative of sum weights * log masses by the potentials of rows and of columns."""
        n, m = self.result.coupling.shape
        pairs, row_singles, column_singles = np.split(weights, [n * m, n * m + n])
        pairs = pairs.reshape(n, m)
        return (
            pairs.sum(axis=1) + row_singles / self.row.weight,
            pairs.sum(axis=0) + column_singles / self.column.weight,
        )

    def solve(self, row: FloatArray, column: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the potentials that change sums, less the sums asked for, by so much."""
        return self.derivatives.solve(row, column)

    def through_masses(self, row: FloatArray, column: FloatArray, pairs: FloatArray) -> FloatArray:
        """Return what one more of each outcome does through the masses that are sampled with it.

        Parameters
        ----------
        row, column : ndarray (n,), (m,)
            What one more unit of mass does.
        pairs : ndarray (n m,)
            What a larger logarithm of the reference of a pair does: under the product reference masses are in it.
        """
        rows, columns, model = self.result.problem.rows.mass, self.result.problem.columns.mass, self.model
        if model.reference == "product" and rows is not None and columns is not None:
            table = pairs.reshape(rows.size, columns.size)
            row = row + np.divide(table.sum(axis=1), rows, out=np.zeros(rows.size), where=rows > 0)
            column = column + np.divide(table.sum(axis=0), columns, out=np.zeros(columns.size), where=columns > 0)
        return self.lifted(row * model.row_mass_is_sampled, column * model.column_mass_is_sampled)

    def lifted(self, row: FloatArray, column: FloatArray) -> FloatArray:
        """Return the sum of both sides' numbers for each outcome: for singles that of their own side."""
        return np.concatenate([(row[:, None] + column).reshape(-1), row, column])


def respond(
    model: MatchingModel,
    observations: Observations,
    coefficients: FloatArray,
    *,
    tolerance: float,
    start: FloatArray | None = None,
) -> Response:
    """Solve the assignment at some coefficients and differentiate it.

    Parameters
    ----------
    model : MatchingModel
    observations : Observations
        Of which the masses may be.
    coefficients : ndarray (K,)
    tolerance : float
        Of the sums.
    start : ndarray (m,), optional
        Potentials of the columns to start from.

    Raises
    ------
    ConvergenceError
        Where the assignment cannot be solved.
    """
    problem = model.problem(observations, coefficients)
    result = solve_problem(problem, tolerance=tolerance, on_failure="return", start=start)
    if result.status not in ("converged", "precision"):
        raise ConvergenceError(f"an assignment could not be solved on the way: {result!r}", result=result)
    derivatives = coupling_derivatives(result)
    moved = [derivatives.jvp(utility=function) for function in model.basis]
    row = _side(problem.rows, result.row_potential, result.row_outside, np.array([change[1] for change in moved]))
    column = _side(
        problem.columns, result.column_potential, result.column_outside, np.array([change[2] for change in moved])
    )
    pairs = model.basis + row.change[:, :, None] + column.change[:, None, :]
    n_coefficients = len(model.basis)
    return Response(
        model=model,
        coefficients=coefficients,
        result=result,
        masses=np.concatenate([result.coupling.reshape(-1), row.singles, column.singles]),
        log_masses=np.concatenate([_log_coupling(result).reshape(-1), row.log_singles, column.log_singles]),
        changes=np.concatenate(
            [pairs.reshape(n_coefficients, -1), row.change / row.weight, column.change / column.weight], axis=1
        ),
        row=row,
        column=column,
        derivatives=derivatives,
    )


def _log_coupling(result: AssignmentResult) -> FloatArray:
    row_log, column_log = result.problem.log_references()
    row, column = result.row_potential + row_log, result.column_potential + column_log
    table = result.problem.utility + row[:, None] + column
    return np.where(np.isfinite(table), table, 0.0)


def _side(condition: MarginalCondition, potential: FloatArray, outside: FloatArray, change: FloatArray) -> SideResponse:
    nothing, held = np.zeros(potential.size), np.isfinite(potential)
    curvature = np.where(held, condition.curvature(np.where(held, potential, 0.0), 1.0), 0.0)
    if isinstance(condition, Relaxed):
        slope = -curvature / condition.strength
        return SideResponse(
            change=change, singles=nothing, log_singles=nothing, weight=1.0, curvature=curvature, slope=slope
        )
    if isinstance(condition, WithOutsideOption):
        weight = condition.entropy_weight
        log_singles = np.where(held, potential, 0.0) / weight
        return SideResponse(
            change=change, singles=outside, log_singles=log_singles, weight=weight, curvature=curvature,
            slope=curvature / weight,
        )  # fmt: skip
    return SideResponse(
        change=change, singles=nothing, log_singles=nothing, weight=1.0, curvature=nothing, slope=nothing
    )
