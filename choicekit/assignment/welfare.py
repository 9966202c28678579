"""What an assignment is worth, and to whom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.assignment.conditions import Fixed, MarginalCondition, Relaxed, WithOutsideOption
from choicekit.assignment.problem import AssignmentProblem
from choicekit.assignment.result import AssignmentResult

__all__ = ["AssignmentWelfare", "assignment_welfare"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class AssignmentWelfare:
    """Expected welfare of an assignment, in all and by type.

    Attributes
    ----------
    total : float
        In units of utility times mass: the objective less what only the masses decide.
    rows, columns : ndarray (n,), (m,)
        What one more unit of a type's mass adds to the total, in units of utility; nan where a type has no mass, and
        throughout where its side is `Free`.
    row_price, column_price : ndarray (n,), (m,)
        Minus the potentials, in units of utility; infinite where a type has no mass.
    normalisation : str
        How the constant between both sides was chosen, in words; empty where there is none to choose.
    """

    total: float
    rows: FloatArray
    columns: FloatArray
    row_price: FloatArray
    column_price: FloatArray
    normalisation: str


def assignment_welfare(result: AssignmentResult) -> AssignmentWelfare:
    """Return what an assignment is worth, in all and to each type.

    Parameters
    ----------
    result : AssignmentResult

    Returns
    -------
    AssignmentWelfare

    Notes
    -----
    The objective <P, U> + T H(P) less penalties holds the taste shocks of those who choose, as its entropy, and counts
    them for the pairs and not for the people: it is higher by T H(mass) for splitting one type into two of the same
    kind. So the total is

        primal - T_row H(row_mass) - T_column H(column_mass),   H(a) = -sum a (log a - 1),

    with T_row + T_column = T the temperatures of both sides' tastes: T/2 each where both sides are `Fixed` or both
    `WithOutsideOption` (Choo-Siow), otherwise T on the `WithOutsideOption` side, or else on the `Fixed` side. This is
    the expected welfare of everyone together: twice the masses are worth twice as much, and it differs from the
    objective by a number that only the masses and the temperature decide. With neither (`AtMost`, `Relaxed` and `Free`
    among themselves), with the product reference (whose entropy is relative to the masses already) and for the sparse
    rule nothing is taken off, and the total is the objective.

    By type it is the derivative of the total with respect to the type's mass, by the envelope theorem

        -f + T_row log(mass)      for Fixed, AtMost and WithOutsideOption,
        strength (exp(-f / strength) - 1) + T_row log(mass)      for Relaxed,

    and with the product reference T times the sum over the mass more. That makes it the inclusive value of a softmax by
    row, -T_row log(share of singles) with outside options, and the price of a place with a capacity; the total is the
    sum of mass times welfare over both sides where nothing but the masses scales the problem. With two `Fixed` sides,
    a constant may be moved from one side to the other: it is chosen so that the columns' welfare, weighted by their
    masses, is 0 on average, and the rows carry the whole; likewise their prices.

    References
    ----------
    Galichon & Salanie (2022), "Cupid's invisible hand: social surplus and identification in matching models", Review of
    Economic Studies 89, theorem 1 and section 3. Choo & Siow (2006), "Who marries whom and why", Journal of Political
    Economy 114, section II.

    Examples
    --------
    >>> from choicekit.assignment import Free, solve_assignment
    >>> result = solve_assignment([[0.0, 0.0], [1.0, 1.0]], [2.0, 4.0], Free(), temperature=1.0)
    >>> assignment_welfare(result).rows.round(6)  # inclusive values: log 2 more than the utility
    array([0.693147, 1.693147])
    """
    problem = result.problem
    row_taste, column_taste = _tastes(problem)
    total = result.primal - row_taste * _entropy(problem.rows) - column_taste * _entropy(problem.columns)
    rows = _marginal(problem.rows, result.row_potential, row_taste) + _relative(problem, problem.rows, result.row_sums)
    columns = _marginal(problem.columns, result.column_potential, column_taste) + _relative(
        problem, problem.columns, result.column_sums
    )
    row_price, column_price = -result.row_potential, -result.column_potential
    normalisation = ""
    if isinstance(problem.rows, Fixed) and isinstance(problem.columns, Fixed):
        constant = _mean(columns, problem.columns.mass)
        rows, columns = rows + constant, columns - constant
        constant = _mean(column_price, problem.columns.mass)
        row_price, column_price = row_price + constant, column_price - constant
        normalisation = "columns are worth 0 on average, weighted by mass: rows carry the whole"
    return AssignmentWelfare(
        total=total,
        rows=rows,
        columns=columns,
        row_price=row_price,
        column_price=column_price,
        normalisation=normalisation,
    )


def _tastes(problem: AssignmentProblem) -> tuple[float, float]:
    """Return the temperatures of the taste shocks on either side, as far as there are any."""
    if problem.sparse or problem.reference == "product":
        return 0.0, 0.0
    for kind in (WithOutsideOption, Fixed):
        sides = isinstance(problem.rows, kind), isinstance(problem.columns, kind)
        if any(sides):
            share = problem.temperature / sum(sides)
            return share * sides[0], share * sides[1]
    return 0.0, 0.0


def _entropy(condition: MarginalCondition) -> float:
    from scipy.special import entr

    return 0.0 if condition.mass is None else float(np.sum(entr(condition.mass) + condition.mass))


def _marginal(condition: MarginalCondition, potential: FloatArray, taste: float) -> FloatArray:
    """Return the derivative of the total with respect to masses with the coupling's reference held."""
    worth = np.full(potential.size, np.nan)
    if condition.mass is None:
        return worth
    held = condition.mass > 0
    f = potential[held]
    with np.errstate(over="ignore"):
        own = condition.strength * np.expm1(-f / condition.strength) if isinstance(condition, Relaxed) else -f
    worth[held] = own + taste * np.log(condition.mass[held])
    return worth


def _relative(problem: AssignmentProblem, condition: MarginalCondition, sums: FloatArray) -> FloatArray | float:
    """Return the derivative by the masses as a reference."""
    if problem.reference == "counting" or problem.sparse or condition.mass is None:
        return 0.0
    with np.errstate(invalid="ignore"):
        return problem.temperature * np.divide(sums, condition.mass)


def _mean(values: FloatArray, mass: FloatArray) -> float:
    held = mass > 0
    return float(values[held] @ mass[held] / mass[held].sum())
