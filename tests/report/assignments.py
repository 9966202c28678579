"""Results of small assignment studies, and their reports, for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np

from choicekit.assignment.comparison import compare_assignments
from choicekit.assignment.conditions import AtMost, Fixed, WithOutsideOption
from choicekit.assignment.cross_check import CrossCheck
from choicekit.assignment.path import assignment_path, neutral_coupling
from choicekit.assignment.policies import AssignmentPolicy, MassMove, NewPlace, UtilityShift
from choicekit.assignment.problem import AssignmentProblem
from choicekit.assignment.solve import solve_problem
from choicekit.assignment.study import AssignmentOutcome, AssignmentStudy, FitSettings
from choicekit.report.content import Report
from choicekit.report.kinds import build_report
from choicekit.scenario.result import Check, Provenance, StudyResult
from tests.report.studies import HELD, HOSTILE

AGREES = CrossCheck(
    library="pot",
    version="0.9.5",
    method="ot.sinkhorn",
    coupling_difference=2.5e-10,
    objective_difference=1e-12,
    threshold=1e-6,
    passed=True,
    reason="",
)
INEXPRESSIBLE = CrossCheck(
    library="pot",
    version="0.9.5",
    method="",
    coupling_difference=float("nan"),
    objective_difference=float("nan"),
    threshold=1e-6,
    passed=None,
    reason="POT cannot express outside options",
)
GUESTS, PASTRIES = ("Alice", "Hatter", "Hare", "Dormouse"), ("scone", "tart", "eclair", "muffin")


def tea_party(**changes: Any) -> AssignmentProblem:
    """Guests and pastries."""
    given: dict[str, Any] = {
        "utility": np.array([[0.0, 2, 3, 1], [1, 1, 2, 0], [2, 0, 2, 1], [1, 1, 1, 1]]),
        "rows": np.array([2.0, 3, 3, 2]),
        "columns": np.array([4.0, 3, 2, 1]),
        "temperature": 1.0,
        "row_names": GUESTS,
        "column_names": PASTRIES,
    }
    return AssignmentProblem(**(given | changes))


def marriages(**changes: Any) -> AssignmentProblem:
    """Six types a side, by age and schooling, who may stay single."""
    age, college = np.repeat([25.0, 35, 45], 2), np.tile([0.0, 1], 3)
    same = college[:, None] == college
    given: dict[str, Any] = {
        "utility": -1.5 + 1.6 * same - 0.12 * np.abs(age[:, None] - age),
        "rows": WithOutsideOption(np.array([60.0, 40, 50, 35, 45, 20])),
        "columns": WithOutsideOption(np.array([70.0, 25, 55, 30, 45, 25])),
        "temperature": 2.0,
        "row_names": tuple(f"w{a:g}-{'college' if c else 'basic'}" for a, c in zip(age, college, strict=True)),
        "column_names": tuple(f"m{a:g}-{'college' if c else 'basic'}" for a, c in zip(age, college, strict=True)),
    }
    return AssignmentProblem(**(given | changes))


def outcome_of(
    problem: AssignmentProblem,
    *,
    policies: Mapping[str, AssignmentPolicy] | None = None,
    temperatures: tuple[float, ...] = (),
    cross_check: CrossCheck | None = None,
    fit: Any = None,
    settings: FitSettings | None = None,
    **solver: Any,
) -> AssignmentOutcome:
    """Solve a problem and what is asked about it."""
    result = solve_problem(problem, on_failure="return", **solver)
    study = AssignmentStudy(problem=problem, policies=policies or {}, temperatures=temperatures, fit=settings)
    compared = compare_assignments(problem, policies, baseline=result, on_failure="return") if policies else None
    return AssignmentOutcome(
        study=study,
        result=result,
        comparison=compared,
        path=assignment_path(problem, temperatures, on_failure="return") if temperatures else None,
        cross_check=cross_check,
        fit=fit,
        neutral=neutral_coupling(result.coupling),
    )


@cache
def tea_outcome() -> AssignmentOutcome:
    """The tea party with everything that can be asked about it but a fit."""
    policies = {
        "sweeter-scones": AssignmentPolicy(
            description="Jam makes scones worth more.", utility_shifts=[UtilityShift(amount=1.0, column="scone")]
        ),
        "jam-for-the-hatter": AssignmentPolicy(utility_shifts=[UtilityShift(amount=2.0, row="Hatter", column="scone")]),
        "another-guest": AssignmentPolicy(
            new_rows=[NewPlace(name="Cat", utility=np.array([0.0, 2, 3, 1]), mass=2.0)], column_mass={"eclair": 4.0}
        ),
        "nothing": AssignmentPolicy(),
        "warmer": AssignmentPolicy(temperature=2.0),
    }
    return outcome_of(
        tea_party(), policies=policies, temperatures=(100.0, 10.0, 3.0, 1.0, 0.5, 0.2, 0.1), cross_check=AGREES
    )


@cache
def marriage_outcome() -> AssignmentOutcome:
    """The marriage market with a policy and a fit made by hand."""
    policies = {
        "more-college": AssignmentPolicy(
            move_row_mass=[MassMove(amount=20.0, source="w25-basic", target="w25-college")]
        )
    }
    truth = np.array([-0.75, 0.8, 0.6])
    names = ("marrying", "same_school", "age_gap")
    settings = FitSettings(basis=np.zeros((3, 6, 6)), names=names, true_coefficients=truth, draws=50_000, seed=5)
    return outcome_of(
        marriages(),
        policies=policies,
        cross_check=INEXPRESSIBLE,
        fit=fitted(names, truth + np.array([0.01, -0.03, 0.002]), np.array([0.012, 0.011, 0.009])),
        settings=settings,
    )


def fitted(names: Sequence[str], coefficients: Any, errors: Any, coupling: Any = 0.0) -> Any:
    """A fit as `fit_assignment` returns it, with the numbers given."""
    ends = np.stack([coefficients - 1.959964 * errors, coefficients + 1.959964 * errors], axis=1)
    return SimpleNamespace(
        names=tuple(names),
        method="likelihood",
        result=SimpleNamespace(coupling=coupling),
        coefficients=np.asarray(coefficients),
        standard_errors=np.asarray(errors),
        intervals=lambda level=0.95: ends,
        converged=True,
        penalty=0.0,
        cross_validation=None,
        log_likelihood=-1234.5,
        neutral_log_likelihood=-1500.25,
        likelihood_ratio=SimpleNamespace(statistic=531.5, degrees=len(names), p_value=1e-12),
    )


def large_problem(n: int = 200, m: int = 300) -> AssignmentProblem:
    """Traits on a line, with capacities."""
    x, y = np.linspace(0, 1, n), np.linspace(0, 1, m)
    return AssignmentProblem(
        utility=-np.abs(x[:, None] - y),
        rows=Fixed(np.full(n, 1 / n)),
        columns=AtMost(np.linspace(0.5, 2, m) / m),
        temperature=0.05,
        row_names=tuple(f"r{place:03d}" for place in range(n)),
        column_names=tuple(f"c{place:03d}" for place in range(m)),
    )


@cache
def hostile_report() -> Report:
    """Every text a user can write is meant to do harm."""
    n = len(HOSTILE)
    utility = np.arange(n * n, dtype=np.float64).reshape(n, n) % 5
    problem = AssignmentProblem(
        utility=utility,
        rows=Fixed(np.ones(n)),
        columns=Fixed(np.ones(n)),
        temperature=1.0,
        row_names=HOSTILE,
        column_names=HOSTILE,
    )
    shift = UtilityShift(amount=1.0, row=HOSTILE[0], column=HOSTILE[1])
    policies = {name: AssignmentPolicy(description=name, utility_shifts=[shift]) for name in HOSTILE[:3]}
    settings = FitSettings(basis=np.zeros((n, n, n)), names=HOSTILE, draws=10, seed=1)
    check = CrossCheck(**(vars(INEXPRESSIBLE) | {"reason": HOSTILE[0], "version": HOSTILE[0], "method": HOSTILE[0]}))
    outcome = outcome_of(
        problem,
        policies=policies,
        temperatures=(2.0, 1.0),
        cross_check=check,
        fit=fitted(HOSTILE, np.linspace(-1, 1, n), np.full(n, 0.1)),
        settings=settings,
    )
    return assignment_report(
        outcome,
        title=HOSTILE[0],
        description="<img src=x onerror=alert(2)>",
        warnings=("<b>bold</b> warning",),
        scenario={"labels": dict.fromkeys(("rows", "columns", "mass", "utility"), HOSTILE[0])},
    )


def assignment_result(outcome: AssignmentOutcome, *, checks: Sequence[Check] = (HELD,), **changes: Any) -> StudyResult:
    """Wrap an outcome as a finished study."""
    scenario = {
        "choicekit": 1,
        "kind": "assignment",
        "name": "tea-party",
        "seed": 1,
        "labels": {"rows": "guests", "columns": "pastries", "mass": "helpings", "utility": "points"},
    } | changes.pop("scenario", {})
    given: dict[str, Any] = {
        "kind": "assignment",
        "name": "tea-party",
        "title": "A tea party",
        "description": "",
        "seed": 1,
        "warnings": (),
        "provenance": Provenance(
            versions={"choicekit": "0.1.0"},
            inputs=(),
            draw_scheme=1,
            command="choicekit run scenarios/tea_party.yaml",
            circumstances={"started": "2024-01-01", "workers": 1},
        ),
    } | changes
    return StudyResult(outcome=outcome, checks=tuple(checks), scenario=scenario, **given)


def assignment_report(outcome: AssignmentOutcome, **changes: Any) -> Report:
    """Build the report of an outcome."""
    return build_report(assignment_result(outcome, **changes))
