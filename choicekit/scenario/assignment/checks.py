"""What must hold for the result of an assignment study to be trusted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.assignment.result import AssignmentResult
from choicekit.assignment.study import AssignmentOutcome
from choicekit.scenario.result import Check

__all__ = ["checks_of"]

FloatArray = npt.NDArray[np.float64]

GAP_PER_TOLERANCE = 1e3
"""Largest gap that is right by default, in units of the tolerance: errors of sums weigh as much as potentials are."""


EXACT = 1e-6
"""How far an estimate from the whole assignment may be from the coefficient behind it."""


def checks_of(outcome: AssignmentOutcome, specification: Any) -> Iterator[Check]:
    """Yield the checks of an assignment and of what was asked about it.

    Parameters
    ----------
    outcome : AssignmentOutcome
    specification : AssignmentBlock
        Its limits.
    """
    result = outcome.result
    for side, error in (("row", result.row_error), ("column", result.column_error)):
        yield Check(
            name=f"{side}_error",
            title=f"sums of {side}s are what their condition asks for",
            measure="L1 distance over total mass",
            value=error,
            limit=result.tolerance,
            relation="<=",
        )
    limits = specification.checks
    yield Check(
        name="duality_gap",
        title="no assignment is much better",
        measure="duality gap per unit of mass, over the size of utilities",
        value=_relative_gap(result),
        limit=GAP_PER_TOLERANCE * result.tolerance if limits.gap is None else limits.gap,
        relation="<=",
    )
    others = _others(outcome)
    if others:
        yield Check(
            name="others_converged",
            title="policies and the temperature path are solved, too",
            measure="largest error of sums under any of them, L1 over total mass",
            value=max(max(other.row_error, other.column_error) for other in others),
            limit=max(other.tolerance for other in others),
            relation="<=",
        )
    yield from _cross_check(outcome)
    if outcome.fit is not None:
        yield from _fit_checks(outcome, limits.recovery)


def _relative_gap(result: AssignmentResult) -> float:
    """Return the gap per unit of mass, over the largest utility or the temperature, whichever is larger."""
    utility = result.problem.utility
    size = max(float(np.abs(utility[utility > -np.inf]).max(initial=0.0)), result.problem.temperature)
    mass = float(result.coupling.sum())
    return abs(result.gap) / (mass * size) if mass > 0 and size > 0 else abs(result.gap)


def _others(outcome: AssignmentOutcome) -> list[AssignmentResult]:
    found: list[AssignmentResult] = []
    if outcome.comparison is not None:
        found += [policy.result for policy in outcome.comparison.policies.values()]
    if outcome.path is not None:
        found += list(outcome.path.results)
    return found


def _cross_check(outcome: AssignmentOutcome) -> Iterator[Check]:
    """Yield a check for each thing compared with another package; nothing where there was nothing to compare."""
    found = outcome.cross_check
    if found is None or found.passed is None:
        return
    compared = {"coupling": found.coupling_difference, "objective": found.objective_difference}
    if outcome.result.problem.temperature == 0 and outcome.result.unique is not True:
        del compared["coupling"]  # of several best assignments each package finds one
    for what, value in compared.items():
        yield Check(
            name=f"cross_check_{what}",
            title=f"{found.library.upper()} finds the same {what}",
            measure="largest difference of a pair over total mass" if what == "coupling" else "relative difference",
            value=value,
            limit=found.threshold,
            relation="<=",
        )


def _fit_checks(outcome: AssignmentOutcome, recovery: float) -> Iterator[Check]:
    fit, settings = outcome.fit, outcome.study.fit
    if fit is None or settings is None:
        return
    yield Check(
        name="fit_converged",
        title="the estimates are at their optimum",
        measure="1 if the fit converged, else 0",
        value=float(fit.converged),
        limit=1.0,
        relation=">=",
    )
    if settings.true_coefficients is None:
        return
    if settings.draws is None:  # nothing was left to chance
        yield Check(
            name="fit_recovers",
            title="the estimates are the true coefficients",
            measure="largest distance, over the largest coefficient or 1",
            value=_distance(fit.coefficients, settings.true_coefficients),
            limit=EXACT,
            relation="<=",
        )
        return
    yield Check(
        name="fit_recovers",
        title="the estimates agree with the true coefficients",
        measure="p-value of the coefficient furthest off, times their number",
        value=_agreement(fit.coefficients, fit.standard_errors, settings.true_coefficients),
        limit=recovery,
        relation=">=",
        unit="p-value",
    )


def _distance(found: FloatArray, true: FloatArray) -> float:
    return float(np.abs(found - true).max() / max(1.0, float(np.abs(true).max())))


def _agreement(found: FloatArray, errors: FloatArray, true: FloatArray) -> float:
    """Return the probability of estimates at least as far from the true coefficients (Bonferroni, at most 1)."""
    from scipy.special import erfc

    away = np.abs(found - true)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(away == 0, 0.0, away / errors)
    p = float(len(z) * erfc(np.max(z) / np.sqrt(2.0)))
    return min(1.0, p) if p == p else p
