"""The path of an assignment from soft to hard: one problem at several temperatures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from choicekit.assignment.problem import AssignmentProblem
from choicekit.assignment.result import AssignmentResult
from choicekit.assignment.solve import OnFailure, solve_problem
from choicekit.errors import InvalidInputError
from choicekit.execution.passes import Progress, silent

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AssignmentPath", "assignment_path", "neutral_coupling"]

FloatArray = npt.NDArray[np.float64]

_NEAR = 10.0  # ratio of two temperatures up to which the potentials of one are a start for the other


@dataclass(frozen=True, kw_only=True, eq=False)
class AssignmentPath:
    """Assignments at falling temperatures.

    Attributes
    ----------
    temperatures : ndarray (k,)
        Falling.
    results : tuple of AssignmentResult
    primal, utility, entropy : ndarray (k,)
        The objective, <P, U> and H(P), all at the rounded coupling.
    distance_to_neutral : ndarray (k,)
        Half the L1 distance of the coupling from that of chance with the same sums, over its mass: 0 to 1.
    """

    temperatures: FloatArray
    results: tuple[AssignmentResult, ...]
    primal: FloatArray
    utility: FloatArray
    entropy: FloatArray
    distance_to_neutral: FloatArray

    def to_frame(self) -> pd.DataFrame:
        """Return a row a temperature."""
        import pandas as pd

        return pd.DataFrame(
            {
                "temperature": self.temperatures,
                "primal": self.primal,
                "utility": self.utility,
                "entropy": self.entropy,
                "distance_to_neutral": self.distance_to_neutral,
                "mass": [float(result.row_sums.sum()) for result in self.results],
                "gap": [result.gap for result in self.results],
                "n_iterations": [result.n_iterations for result in self.results],
                "converged": [result.converged for result in self.results],
            }
        )

    def __repr__(self) -> str:
        n, m = self.results[0].problem.shape
        return f"AssignmentPath({n} x {m}, {self.temperatures.size} temperatures)"


def neutral_coupling(coupling: FloatArray) -> FloatArray | None:
    """Return the coupling of chance with the same sums, or None for one without mass.

    Parameters
    ----------
    coupling : ndarray (n, m)

    Notes
    -----
    Row sum times column sum over the total: with two fixed sides that of their masses, the neutral model of ecology;
    with outside options and capacities that of those who are in the coupling.

    Examples
    --------
    >>> neutral_coupling(np.array([[2.0, 0.0], [1.0, 1.0]]))
    array([[1.5, 0.5],
           [1.5, 0.5]])
    """
    total = float(coupling.sum())
    if not total > 0:
        return None
    return np.outer(coupling.sum(axis=1) / total, coupling.sum(axis=0))


def assignment_path(
    problem: AssignmentProblem,
    temperatures: Sequence[float],
    *,
    tolerance: float = 1e-9,
    max_iterations: int | None = None,
    on_failure: OnFailure = "raise",
    progress: Progress = silent,
) -> AssignmentPath:
    """Solve a problem at several temperatures, from the softest to the hardest.

    Parameters
    ----------
    problem : AssignmentProblem
        Its own temperature is not used.
    temperatures : sequence of float
        In any order, at least 0; 0 is the best assignment there is. Each is solved once.
    tolerance, max_iterations, on_failure
        As `solve_assignment`.
    progress : callable, optional
        Told after each temperature.

    Returns
    -------
    AssignmentPath

    Raises
    ------
    InvalidInputError
        For no temperatures, or such as are no finite numbers of at least 0.
    ConvergenceError
        Short of the tolerance, unless ``on_failure="return"``.

    Notes
    -----
    Each starts from the potentials of the one before, where that is at most ten times as soft: in units of utility they
    tend to those at temperature 0. Where that leads nowhere it starts from nothing.
    As the temperature falls, <P, U> never falls where masses are fixed, and the coupling leaves chance.

    Examples
    --------
    >>> problem = AssignmentProblem(utility=[[0.0, -1.0], [-1.0, 0.0]], rows=[0.5, 0.5], columns=[0.5, 0.5],
    ...                             temperature=1.0)
    >>> assignment_path(problem, [0.1, 1.0, 1e6]).distance_to_neutral.round(3)
    array([0.   , 0.231, 0.5  ])
    """
    problems = [replace(problem, temperature=t) for t in _falling(temperatures)]
    results: list[AssignmentResult] = []
    for changed in problems:
        results.append(_after(results, changed, tolerance, max_iterations, on_failure))
        progress("temperatures", len(results), len(problems))
    return AssignmentPath(
        temperatures=np.array([found.problem.temperature for found in results]),
        results=tuple(results),
        primal=np.array([found.primal for found in results]),
        utility=np.array([_expected_utility(found) for found in results]),
        entropy=np.array([_entropy(found) for found in results]),
        distance_to_neutral=np.array([_distance_to_neutral(found.coupling) for found in results]),
    )


def _after(
    results: list[AssignmentResult],
    problem: AssignmentProblem,
    tolerance: float,
    max_iterations: int | None,
    on_failure: OnFailure,
) -> AssignmentResult:
    """Solve from the potentials of the one before; from nothing where they are too far away, or lead nowhere."""
    before = results[-1] if results else None
    near = before is not None and before.converged and before.problem.temperature <= _NEAR * problem.temperature
    if near and before is not None and problem.temperature > 0:
        found = solve_problem(
            problem,
            tolerance=tolerance,
            max_iterations=max_iterations,
            on_failure="return",
            start=before.column_potential,
        )
        if found.converged:
            return found
    return solve_problem(problem, tolerance=tolerance, max_iterations=max_iterations, on_failure=on_failure)


def _falling(temperatures: Sequence[float]) -> list[float]:
    try:
        found = np.array(temperatures, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"temperatures must be numbers, found {temperatures!r}") from error
    if found.ndim != 1 or found.size == 0:
        raise InvalidInputError(f"temperatures must be a list of at least one, found {temperatures!r}")
    wrong = found[~(np.isfinite(found) & (found >= 0))]
    if wrong.size:
        raise InvalidInputError(f"temperatures must be finite numbers of at least 0, found {wrong[0]}")
    return [float(t) for t in np.unique(found)[::-1]]


def _expected_utility(result: AssignmentResult) -> float:
    coupling = result.rounded_coupling
    held = coupling > 0
    return float(coupling[held] @ result.problem.utility[held])


def _entropy(result: AssignmentResult) -> float:
    """Return H(P), relative to the problem's reference, or minus half the squared norm."""
    from scipy.special import entr

    coupling, problem = result.rounded_coupling, result.problem
    if problem.sparse:
        return -0.5 * float(np.sum(coupling * coupling))
    row_log, column_log = problem.log_references()
    held = coupling > 0
    p, relative = coupling[held], (row_log[:, None] + column_log)[held]
    return float(np.sum(entr(p) + p + p * relative))


def _distance_to_neutral(coupling: FloatArray) -> float:
    neutral = neutral_coupling(coupling)
    if neutral is None:
        return float("nan")
    return 0.5 * float(np.abs(coupling - neutral).sum() / coupling.sum())
