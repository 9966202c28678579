"""The same problem given to another package: POT, for whatever that can express."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from textwrap import shorten
from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.assignment.conditions import (
    AtMost,
    Fixed,
    Free,
    MarginalCondition,
    Relaxed,
    WithOutsideOption,
    is_finite_number,
)
from choicekit.assignment.objective import primal_value
from choicekit.assignment.problem import AssignmentProblem
from choicekit.assignment.result import AssignmentResult
from choicekit.assignment.support import usable_pairs
from choicekit.errors import InvalidInputError
from choicekit.suggestions import suggest

__all__ = ["CrossCheck", "cross_check", "why_inexpressible"]

FloatArray = npt.NDArray[np.float64]

_LIBRARIES = ("pot",)
_CELLS = 5e8  # that POT may go over, which takes it about a minute
_STOP = 1e-13
_SOLVED = 1e-2  # POT has solved a problem where its error is at most this share of the threshold


@dataclass(frozen=True, kw_only=True, eq=False)
class CrossCheck:
    """How near another package's answer is.

    Attributes
    ----------
    library : str
    version : str
        Of the package; empty where it is not installed.
    method : str
        The function that was called; empty where none was.
    coupling_difference : float
        The largest absolute difference of a cell, over the mass of the coupling; nan where nothing was solved.
    objective_difference : float
        Over mass times max(T, largest utility); nan where nothing was solved.
    threshold : float
        That both are held to.
    passed : bool or None
        None where it cannot be said: the package cannot express the problem, or did not solve it.
    reason : str
        Why, in words; empty where the check passed without anything to remark.
    """

    library: str
    version: str
    method: str
    coupling_difference: float
    objective_difference: float
    threshold: float
    passed: bool | None
    reason: str


def cross_check(result: AssignmentResult, library: str = "pot", *, threshold: float = 1e-6) -> CrossCheck:
    """Solve a result's problem with another package, and compare the couplings and objectives.

    Parameters
    ----------
    result : AssignmentResult
    library : {"pot"}
    threshold : float
        Largest difference of a cell over the mass of the coupling, and of the objective over its natural size.

    Returns
    -------
    CrossCheck
        With ``passed=None`` and the reason where POT cannot express the problem, did not solve it, or is not installed.

    Raises
    ------
    InvalidInputError
        For an unknown library or a threshold that is no finite number above 0.

    Notes
    -----
    POT starts from nothing: it is not told our answer. It can express, with U + T log R as utility where entropy is
    relative to R:

    - two `Fixed` sides: ``ot.sinkhorn``;
    - `Fixed`, `Relaxed` and `Free` with each other, but for `Fixed` with `Fixed` and `Free` with `Free`:
      ``ot.unbalanced.sinkhorn_unbalanced``, whose penalty has the strength of the side, infinite for `Fixed` and 0 for
      `Free`;
    - `WithOutsideOption` on one side with `Fixed` or `Free` on the other: to stay single is one more place of the
      other side, of utility 0, which holds the mass that is left (`Fixed`) or any (`Free`);
    - everything at temperature 0, but for two `Free` sides: ``ot.emd``, with a place of utility 0 for what is left.

    It has no capacities and no singles on both sides at a temperature above 0, and is not asked for the sparse rule.
    Places without mass are left out. POT stops after as many iterations as take it about a minute; where it ends
    at an error above a hundredth of the threshold, a difference says nothing and `passed` is None.

    References
    ----------
    Flamary et al. (2021), "POT: Python Optimal Transport", Journal of Machine Learning Research 22. Chizat, Peyre,
    Schmitzer & Vialard (2018), "Scaling algorithms for unbalanced optimal transport problems", Mathematics of
    Computation 87.

    Examples
    --------
    >>> from choicekit.assignment import solve_assignment
    >>> result = solve_assignment([[0.0, -1.0], [-1.0, 0.0]], [0.5, 0.5], [0.5, 0.5], temperature=1.0)
    >>> cross_check(result).passed
    True
    """
    _check(library, threshold)
    posed = _pose(result.problem)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            import ot
        except ImportError:
            return _undecided(library, threshold, "POT is not installed: pip install pot")
        if isinstance(posed, str):
            reason = f"POT cannot express this problem: {posed}"
            return _undecided(library, threshold, reason, version=ot.__version__)
        try:
            answer = posed.solve(ot)
        except Exception as error:  # whatever POT does, it is not our answer that failed
            reason = f"POT failed: {_first_line(error)}"
            return _undecided(library, threshold, reason, version=ot.__version__, method=posed.method)
    coupling = np.zeros(result.problem.shape)
    coupling[np.ix_(posed.rows, posed.columns)] = answer.table[: posed.rows.size, : posed.columns.size]
    differences = _differences(result, coupling)
    passed, reason = _verdict(result, coupling, answer, differences, threshold)
    # of arithmetic it warns of infinite costs times 0, too, which is nothing to remark where all is well
    told = [warning.message for warning in caught if not (passed and issubclass(warning.category, RuntimeWarning))]
    remarks = list(dict.fromkeys(f"POT says: {_first_line(message)}" for message in told))
    return CrossCheck(
        library=library,
        version=ot.__version__,
        method=posed.method,
        coupling_difference=differences[0],
        objective_difference=differences[1],
        threshold=threshold,
        passed=passed,
        reason="; ".join([reason, *remarks[:3]] if reason else remarks[:3]),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Answer:
    """What POT returned, in units of mass, and the L1 error of its sums over total mass."""

    table: FloatArray
    error: float


@dataclass(frozen=True, kw_only=True, eq=False)
class _Posed:
    """A problem in POT's words; the last row and column may be a place for what is left over.

    Attributes
    ----------
    method : str
    cost : ndarray
        Minus the utility, infinite where a pair is forbidden.
    row_mass, column_mass : ndarray
    rows, columns : ndarray of int
        Places of the problem that are handed over.
    temperature : float
    strengths : tuple of float
        Of both penalties; infinite for sums that must be met, 0 for those that may be anything.
    """

    method: str
    cost: FloatArray
    row_mass: FloatArray
    column_mass: FloatArray
    rows: npt.NDArray[np.intp]
    columns: npt.NDArray[np.intp]
    temperature: float
    strengths: tuple[float, float] = (np.inf, np.inf)

    def solve(self, ot: Any) -> _Answer:
        """Return POT's answer."""
        if self.method == "ot.emd":
            return self._exact(ot)
        control = {"numItermax": int(np.clip(_CELLS / self.cost.size, 100, 100_000)), "stopThr": _STOP, "log": True}
        if self.method == "ot.sinkhorn":
            total = self.row_mass.sum()
            a, b = self.row_mass / total, self.column_mass / total
            table, _ = ot.sinkhorn(a, b, self.cost, self.temperature, method="sinkhorn_log", **control)
            return self._answer(table * total, (None, None))
        table, log = ot.unbalanced.sinkhorn_unbalanced(
            self.row_mass,
            self.column_mass,
            self.cost,
            self.temperature,
            self.strengths,
            reg_type="kl",
            c=np.ones_like(self.cost),
            **control,
        )
        return self._answer(table, (log["logu"], log["logv"]))

    def _exact(self, ot: Any) -> _Answer:
        total, allowed = self.row_mass.sum(), np.isfinite(self.cost)
        # no cycle of pairs gains as much as one forbidden pair costs
        span = np.ptp(self.cost[allowed]) if allowed.any() else 0.0
        barred = np.where(allowed, self.cost, self.cost[allowed].max() + sum(self.cost.shape) * (span + 1.0))
        table = ot.emd(self.row_mass / total, self.column_mass / total, barred, numItermax=10_000_000) * total
        missing = float(table[~allowed].sum())
        return _Answer(table=table, error=self._answer(table, (None, None)).error + missing / total)

    def _answer(self, table: FloatArray, potentials: tuple[FloatArray | None, FloatArray | None]) -> _Answer:
        error, total = 0.0, float(np.sum(table))
        for axis, mass, strength, potential in (
            (1, self.row_mass, self.strengths[0], potentials[0]),
            (0, self.column_mass, self.strengths[1], potentials[1]),
        ):
            if strength > 0:
                fall = 0.0 if potential is None else np.asarray(potential) * (self.temperature / strength)
                error = max(error, float(np.abs(table.sum(axis=axis) - mass * np.exp(-fall)).sum()) / total)
        return _Answer(table=table, error=error)


def _pose(problem: AssignmentProblem) -> _Posed | str:
    """Return the problem in POT's words, or why it has none."""
    reason = why_inexpressible(problem)
    if reason:
        return reason
    if problem.temperature == 0:
        return _pose_hard(problem)
    rows, columns = _held(problem.rows, problem.shape[0]), _held(problem.columns, problem.shape[1])
    row_log, column_log = problem.log_references()
    relative = problem.temperature * (row_log[rows, None] + column_log[columns])
    usable = usable_pairs(problem)
    # what no coupling can use is forbidden: on the way to no mass there POT would not come to an end
    utility = problem.utility if usable is None else np.where(usable, problem.utility, -np.inf)
    utility = utility[np.ix_(rows, columns)] + relative
    row_mass, column_mass = _masses(problem.rows, rows), _masses(problem.columns, columns)
    strengths = _strength(problem.rows), _strength(problem.columns)
    if isinstance(problem.rows, WithOutsideOption):
        utility = np.pad(utility, ((0, 0), (0, 1)))
        column_mass = np.append(column_mass, row_mass.sum() - column_mass.sum() if strengths[1] else 1.0)
    if isinstance(problem.columns, WithOutsideOption):
        utility = np.pad(utility, ((0, 1), (0, 0)))
        row_mass = np.append(row_mass, column_mass.sum() - row_mass.sum() if strengths[0] else 1.0)
    return _Posed(
        method="ot.sinkhorn" if min(strengths) == np.inf else "ot.unbalanced.sinkhorn_unbalanced",
        cost=-utility,
        row_mass=row_mass,
        column_mass=column_mass,
        rows=rows,
        columns=columns,
        temperature=problem.temperature,
        strengths=strengths,
    )


def why_inexpressible(problem: AssignmentProblem) -> str:
    """Return why POT has no words for a problem; nothing where it has.

    Examples
    --------
    >>> free = AssignmentProblem(utility=[[1.0, 0.0]], rows=Free(), columns=Free(), temperature=1.0)
    >>> why_inexpressible(free)
    'it has no total mass for two Free sides; the answer is a softmax over all cells'
    """
    sides: tuple[MarginalCondition, ...] = problem.rows, problem.columns
    if problem.temperature == 0:
        free = all(isinstance(side, Free) for side in sides)
        return "it has no total mass for two Free sides; the answer is the best cell" if free else ""
    outside = sum(isinstance(side, WithOutsideOption) for side in sides)
    if problem.sparse:
        return "it is not asked for half the squared norm as the rule"
    if any(isinstance(side, AtMost) for side in sides):
        return "it has no capacities (AtMost) at a temperature above 0"
    if outside == 2:
        return "it has no outside options on both sides, where the entropy of singles weighs half"
    if outside and any(isinstance(side, Relaxed) for side in sides):
        return "it has no outside option against Relaxed"
    if all(isinstance(side, Free) for side in sides):
        return "it has no total mass for two Free sides; the answer is a softmax over all cells"
    return ""


def _pose_hard(problem: AssignmentProblem) -> _Posed:
    """At temperature 0 what is left over goes to a place of utility 0, so that everything is met."""
    rows, columns = _held(problem.rows, problem.shape[0]), _held(problem.columns, problem.shape[1])
    utility = problem.utility[np.ix_(rows, columns)]
    row_mass, column_mass = _masses(problem.rows, rows), _masses(problem.columns, columns)
    if isinstance(problem.rows, Free):
        row_mass = np.full(rows.size, column_mass.sum())
    if isinstance(problem.columns, Free):
        column_mass = np.full(columns.size, row_mass.sum())
    loose = not isinstance(problem.rows, Fixed), not isinstance(problem.columns, Fixed)
    left = max(float(column_mass.sum()), 0.0), max(float(row_mass.sum()), 0.0)
    if all(loose):
        utility = np.pad(utility, ((0, 1), (0, 1)))
        row_mass, column_mass = np.append(row_mass, left[0]), np.append(column_mass, left[1])
    elif loose[0]:
        utility = np.pad(utility, ((0, 0), (0, 1)))
        column_mass = np.append(column_mass, max(left[1] - left[0], 0.0))
    elif loose[1]:
        utility = np.pad(utility, ((0, 1), (0, 0)))
        row_mass = np.append(row_mass, max(left[0] - left[1], 0.0))
    return _Posed(
        method="ot.emd",
        cost=-utility,
        row_mass=row_mass,
        column_mass=column_mass,
        rows=rows,
        columns=columns,
        temperature=0.0,
    )


def _held(condition: MarginalCondition, size: int) -> npt.NDArray[np.intp]:
    return np.arange(size) if condition.mass is None else np.flatnonzero(condition.mass > 0)


def _masses(condition: MarginalCondition, places: npt.NDArray[np.intp]) -> FloatArray:
    return np.ones(places.size) if condition.mass is None else condition.mass[places]


def _strength(condition: MarginalCondition) -> float:
    if isinstance(condition, Relaxed):
        return condition.strength
    return 0.0 if isinstance(condition, Free) else np.inf


def _differences(result: AssignmentResult, coupling: FloatArray) -> tuple[float, float]:
    """Return how far POT's coupling and its objective are from ours, relative to mass and to utility times mass."""
    problem = result.problem
    total = float(result.coupling.sum()) or 1.0
    largest = np.abs(problem.utility[np.isfinite(problem.utility)]).max(initial=0.0)
    size = total * (max(problem.temperature, float(largest)) or 1.0)
    with np.errstate(invalid="ignore", over="ignore"):
        apart = float(np.max(np.abs(coupling - result.coupling))) / total
        return apart, abs(primal_value(problem, coupling) - result.primal) / size


def _verdict(
    result: AssignmentResult, coupling: FloatArray, answer: _Answer, differences: tuple[float, float], threshold: float
) -> tuple[bool | None, str]:
    problem = result.problem
    several = problem.temperature == 0 and result.unique is not True
    decisive = differences[1:] if several and differences[0] > threshold else differences
    remark = "there may be several best assignments: only the objective was compared" if decisive != differences else ""
    if max(decisive) <= threshold and answer.error <= threshold:
        return True, remark
    if not answer.error <= _SOLVED * threshold:
        return None, f"POT stopped at a marginal error of {answer.error:.1e}, so that a difference says nothing"
    row, column = np.unravel_index(int(np.argmax(np.abs(coupling - result.coupling))), coupling.shape)
    ours = "" if result.converged else f"; ours ended as {result.status!r}"
    return False, (
        f"POT's coupling differs by {differences[0]:.1e}, most in row {problem.row_name(int(row))}, column "
        f"{problem.column_name(int(column))}, and its objective by {differences[1]:.1e}{ours}"
    )


def _undecided(library: str, threshold: float, reason: str, *, version: str = "", method: str = "") -> CrossCheck:
    return CrossCheck(
        library=library,
        version=version,
        method=method,
        coupling_difference=np.nan,
        objective_difference=np.nan,
        threshold=threshold,
        passed=None,
        reason=reason,
    )


def _first_line(message: object) -> str:
    lines = str(message).strip().splitlines()
    return shorten(lines[0], 120, placeholder=" ...") if lines else type(message).__name__


def _check(library: object, threshold: float) -> None:
    if library not in _LIBRARIES:
        hint = suggest(str(library), _LIBRARIES) or "there is 'pot'"
        raise InvalidInputError(f"unknown library {library!r} for a cross-check, {hint}")
    if not (is_finite_number(threshold) and threshold > 0):
        raise InvalidInputError(f"the threshold of a cross-check must be a finite number above 0, found {threshold!r}")
