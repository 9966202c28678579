"""The objective of an assignment and its dual."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from choicekit.assignment.problem import AssignmentProblem

__all__ = ["dual_value", "primal_value", "wanted_sums"]

FloatArray = npt.NDArray[np.float64]

_ROWS = 64  # worked on at once, so that no second table is made


def primal_value(problem: AssignmentProblem, coupling: FloatArray) -> float:
    """Return <P, U> + T H(P) less the penalties of the conditions.

    Parameters
    ----------
    problem : AssignmentProblem
    coupling : ndarray (n, m)
        One that meets the conditions.

    Notes
    -----
    H(P) = -sum P (log(P / R) - 1), with R = 1 (counting) or the product of the masses; or -sum P^2 / 2 for the sparse
    rule. 0 log 0 is 0, and a coupling that is not finite has nan.
    """
    from scipy.special import xlogy

    if not np.isfinite(coupling.sum()):
        return float("nan")
    temperature, (row_log, column_log) = problem.temperature, problem.log_references()
    total = 0.0
    for start in range(0, len(coupling), _ROWS):
        rows = slice(start, start + _ROWS)
        p, u = coupling[rows], problem.utility[rows]
        held = p > 0
        total += float(np.sum(np.where(held, p, 0.0) * np.where(held, u, 0.0)))
        if temperature > 0 and problem.sparse:
            total -= temperature * 0.5 * float(np.sum(p * p))
        elif temperature > 0:
            relative = np.where(held, row_log[rows, None] + column_log, 0.0)
            total -= temperature * float(np.sum(xlogy(p, p) - p * relative - p))
    sums = coupling.sum(axis=1), coupling.sum(axis=0)
    return total - problem.rows.penalty(sums[0], temperature) - problem.columns.penalty(sums[1], temperature)


def dual_value(
    problem: AssignmentProblem, row_potential: FloatArray, column_potential: FloatArray, total_mass: float
) -> float:
    """Return T sum(P) + F*(-f) + G*(-g) for P = R exp((U + f + g) / T), of the given total mass.

    For the sparse rule the first term is T sum(P^2) / 2, and `total_mass` stands for sum(P^2) / 2.
    """
    temperature = problem.temperature
    if problem.total_mass is not None:  # both free: the potentials add up to the multiplier of the total
        return temperature * total_mass - problem.total_mass * float(row_potential[0] + column_potential[0])
    return (
        temperature * total_mass
        + problem.rows.conjugate(row_potential, temperature)
        + problem.columns.conjugate(column_potential, temperature)
    )


def wanted_sums(
    problem: AssignmentProblem, coupling: FloatArray, row_potential: FloatArray, column_potential: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the sums by row and by column that the conditions ask for at these potentials."""
    temperature = problem.temperature
    return (
        problem.rows.wanted(coupling.sum(axis=1), row_potential, temperature),
        problem.columns.wanted(coupling.sum(axis=0), column_potential, temperature),
    )
