"""Assignments with a free side, which are solved at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from choicekit.assignment.conditions import Free
from choicekit.assignment.sweeps import Potentials, ReducedProblem
from choicekit.rules import Softmax

__all__ = ["solve_at_once"]

FloatArray = npt.NDArray[np.float64]


def solve_at_once(problem: ReducedProblem, total_mass: float | None) -> Potentials:
    """Return the potentials of a problem with a free side: those of a softmax by row, by column or over all cells.

    Parameters
    ----------
    problem : ReducedProblem
        With `Free` rows or columns.
    total_mass : float or None
        Of the coupling, where both are free.
    """
    n, m = problem.utility.shape
    rule, t = Softmax(problem.temperature), problem.temperature
    if total_mass is not None:
        lift = t * np.log(total_mass) - float(rule.value(problem.utility.reshape(-1)))
        return Potentials(row=np.full(n, lift), column=np.zeros(m), method="softmax over all cells", n_iterations=1)
    if isinstance(problem.columns, Free):
        f = problem.rows.potential(rule.value(problem.utility) / t, t)
        return Potentials(row=f, column=np.zeros(m), method="softmax by row", n_iterations=1)
    g = problem.columns.potential(rule.value(np.ascontiguousarray(problem.utility.T)) / t, t)
    return Potentials(row=np.zeros(n), column=g, method="softmax by column", n_iterations=1)
