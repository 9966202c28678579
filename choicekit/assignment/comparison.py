"""Policies against the baseline: who is where, what places cost and who is better off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from choicekit.assignment.policies import AssignmentPolicy
from choicekit.assignment.problem import AssignmentProblem
from choicekit.assignment.result import AssignmentResult
from choicekit.assignment.solve import OnFailure, solve_problem
from choicekit.assignment.welfare import AssignmentWelfare, assignment_welfare
from choicekit.errors import InvalidInputError
from choicekit.execution.passes import Progress, silent

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AssignmentComparison", "PolicyAssignment", "SideComparison", "SideValues", "compare_assignments"]

FloatArray = npt.NDArray[np.float64]
Quantity = Literal["mass", "matched", "outside", "price", "welfare"]


@dataclass(frozen=True, kw_only=True, eq=False)
class SideValues:
    """What there is to compare, by place of one side; nan for a place that is not there.

    Attributes
    ----------
    mass : ndarray (k,)
        nan throughout for a `Free` side.
    matched : ndarray (k,)
        Sums of the coupling.
    outside : ndarray (k,)
        Singles, or room left.
    price : ndarray (k,)
        Minus the potential, in units of utility.
    welfare : ndarray (k,)
        By unit of mass, in units of utility; see `assignment_welfare`.
    """

    mass: FloatArray
    matched: FloatArray
    outside: FloatArray
    price: FloatArray
    welfare: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class SideComparison:
    """One side under a policy and in the baseline, aligned by name.

    Attributes
    ----------
    names : tuple of str
        The baseline's places, then those that the policy adds.
    baseline, policy : SideValues
        As long as `names`.
    """

    names: tuple[str, ...]
    baseline: SideValues
    policy: SideValues

    def change(self, quantity: Quantity) -> dict[str, float]:
        """Return by name how much a quantity grows; nan where it has no value before or after, or an infinite one."""
        before, after = getattr(self.baseline, quantity), getattr(self.policy, quantity)
        known = np.isfinite(before) & np.isfinite(after)
        difference = np.where(known, np.where(known, after, 0.0) - np.where(known, before, 0.0), np.nan)
        return dict(zip(self.names, difference.tolist(), strict=True))


@dataclass(frozen=True, kw_only=True, eq=False)
class PolicyAssignment:
    """The assignment under a policy, against that of the baseline.

    Attributes
    ----------
    name : str
    policy : AssignmentPolicy
    result : AssignmentResult
    rows, columns : SideComparison
    welfare_change : float
        Of everyone together, in units of utility times mass; see `assignment_welfare`.
    primal_change : float
        Of the objective: the same where masses and the temperature stay.
    """

    name: str
    policy: AssignmentPolicy
    result: AssignmentResult
    rows: SideComparison
    columns: SideComparison
    welfare_change: float
    primal_change: float

    @property
    def row_welfare_change(self) -> dict[str, float]:
        """Change of welfare by unit of mass of each row; nan where the row is new or has no mass."""
        return self.rows.change("welfare")

    @property
    def column_welfare_change(self) -> dict[str, float]:
        """Change of welfare by unit of mass of each column; nan where the column is new or has no mass."""
        return self.columns.change("welfare")

    @property
    def row_price_change(self) -> dict[str, float]:
        """Change of the price, minus the potential, of each row."""
        return self.rows.change("price")

    @property
    def column_price_change(self) -> dict[str, float]:
        """Change of the price, minus the potential, of each column."""
        return self.columns.change("price")

    @property
    def row_mass_change(self) -> dict[str, float]:
        """Change of the mass of each row."""
        return self.rows.change("mass")

    @property
    def column_mass_change(self) -> dict[str, float]:
        """Change of the mass of each column."""
        return self.columns.change("mass")

    def __repr__(self) -> str:
        return f"PolicyAssignment({self.name!r}, welfare_change={self.welfare_change:.6g}, {self.result.status})"


@dataclass(frozen=True, kw_only=True, eq=False)
class AssignmentComparison:
    """Policies compared with a baseline.

    Attributes
    ----------
    baseline : AssignmentResult
    policies : dict of str to PolicyAssignment
    """

    baseline: AssignmentResult
    policies: dict[str, PolicyAssignment]

    @cached_property
    def baseline_welfare(self) -> AssignmentWelfare:
        """What the baseline is worth, in all and to each type."""
        return assignment_welfare(self.baseline)

    def to_frame(self) -> pd.DataFrame:
        """Return a row a policy, side and place: each quantity under the policy and by how much it grows."""
        import pandas as pd

        columns: tuple[Quantity, ...] = ("mass", "matched", "outside", "price", "welfare")
        frames = []
        for name, policy in self.policies.items():
            for side, found in (("row", policy.rows), ("column", policy.columns)):
                table: dict[str, object] = {"policy": name, "side": side, "place": list(found.names)}
                for quantity in columns:
                    table[quantity] = getattr(found.policy, quantity)
                    table[f"{quantity}_change"] = list(found.change(quantity).values())
                frames.append(pd.DataFrame(table))
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()

    def __repr__(self) -> str:
        n, m = self.baseline.problem.shape
        return f"AssignmentComparison({n} x {m}, policies: {', '.join(map(repr, self.policies))})"


def compare_assignments(
    problem: AssignmentProblem,
    policies: Mapping[str, AssignmentPolicy],
    *,
    tolerance: float = 1e-9,
    max_iterations: int | None = None,
    on_failure: OnFailure = "raise",
    baseline: AssignmentResult | None = None,
    progress: Progress = silent,
) -> AssignmentComparison:
    """Compare the assignments under policies with that of the baseline.

    Parameters
    ----------
    problem : AssignmentProblem
        The baseline. Without names its places are called by their numbers, "0", "1", ...
    policies : mapping of str to AssignmentPolicy
    tolerance, max_iterations, on_failure
        As `solve_assignment`.
    baseline : AssignmentResult, optional
        The solution of `problem`, where there is one already.
    progress : callable, optional
        Told after each policy.

    Returns
    -------
    AssignmentComparison

    Raises
    ------
    InvalidInputError, ShapeError, InfeasibleMassError
        For a policy that cannot be applied; the message begins with its name. All are applied before any is solved.
    ConvergenceError
        Short of the tolerance, unless ``on_failure="return"``.

    Notes
    -----
    Every problem is solved from the same start, so that a policy that changes nothing changes no digit.

    Examples
    --------
    >>> from choicekit.assignment.policies import UtilityShift
    >>> problem = AssignmentProblem(utility=[[0.0, -1.0], [-1.0, 0.0]], rows=[0.5, 0.5], columns=[0.5, 0.5],
    ...                             temperature=1.0, row_names=("ann", "bo"), column_names=("scone", "tart"))
    >>> subsidy = AssignmentPolicy(utility_shifts=[UtilityShift(amount=0.5, row="ann")])
    >>> comparison = compare_assignments(problem, {"ann's subsidy": subsidy})
    >>> round(comparison.policies["ann's subsidy"].welfare_change, 6)
    0.25
    """
    applied = {name: _applied(name, policy, problem) for name, policy in policies.items()}
    if baseline is None:
        baseline = solve_problem(problem, tolerance=tolerance, max_iterations=max_iterations, on_failure=on_failure)
    before, found = assignment_welfare(baseline), {}
    for done, (name, changed) in enumerate(applied.items(), start=1):
        result = solve_problem(changed, tolerance=tolerance, max_iterations=max_iterations, on_failure=on_failure)
        after = assignment_welfare(result)
        found[name] = PolicyAssignment(
            name=name,
            policy=policies[name],
            result=result,
            rows=_side_comparison(*_row_values(baseline, before), *_row_values(result, after)),
            columns=_side_comparison(*_column_values(baseline, before), *_column_values(result, after)),
            welfare_change=after.total - before.total,
            primal_change=result.primal - baseline.primal,
        )
        progress("policies", done, len(applied))
    return AssignmentComparison(baseline=baseline, policies=found)


def _applied(name: str, policy: AssignmentPolicy, problem: AssignmentProblem) -> AssignmentProblem:
    try:
        return policy.apply(problem)
    except InvalidInputError as error:
        raise type(error)(f"policy {name!r}: {error}") from error


def _row_values(result: AssignmentResult, welfare: AssignmentWelfare) -> tuple[tuple[str, ...], SideValues]:
    mass = result.problem.rows.mass
    return _names(result.problem.row_names, result.row_sums.size), SideValues(
        mass=np.full(result.row_sums.size, np.nan) if mass is None else mass,
        matched=result.row_sums,
        outside=result.row_outside,
        price=welfare.row_price,
        welfare=welfare.rows,
    )


def _column_values(result: AssignmentResult, welfare: AssignmentWelfare) -> tuple[tuple[str, ...], SideValues]:
    mass = result.problem.columns.mass
    return _names(result.problem.column_names, result.column_sums.size), SideValues(
        mass=np.full(result.column_sums.size, np.nan) if mass is None else mass,
        matched=result.column_sums,
        outside=result.column_outside,
        price=welfare.column_price,
        welfare=welfare.columns,
    )


def _names(names: tuple[str, ...] | None, size: int) -> tuple[str, ...]:
    return tuple(map(str, range(size))) if names is None else names


def _side_comparison(
    old_names: tuple[str, ...], old: SideValues, names: tuple[str, ...], new: SideValues
) -> SideComparison:
    """Align both by name: policies add places, at the end, and take none away."""
    missing = np.full(len(names) - len(old_names), np.nan)
    padded = {item.name: np.append(getattr(old, item.name), missing) for item in fields(SideValues)}
    return SideComparison(names=names, baseline=SideValues(**padded), policy=new)
