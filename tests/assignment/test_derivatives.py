"""Derivatives of couplings: against central differences for every pair of conditions, and against each other."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from choicekit.assignment import (
    AssignmentProblem,
    AssignmentResult,
    AtMost,
    Fixed,
    Free,
    Relaxed,
    WithOutsideOption,
    solve_problem,
)
from choicekit.assignment.derivatives import CouplingDerivatives, coupling_derivatives
from choicekit.errors import InvalidInputError, ShapeError
from choicekit.rules import Sparsemax

STEP = 1e-4
DIFFERENCE = 1e-7  # truncation of a central difference at this step; couplings are solved to 1e-13

CONDITIONS: dict[str, Any] = {
    "fixed": lambda mass: Fixed(mass),
    "at_most": lambda mass: AtMost(mass * np.resize([0.5, 6.0, 0.9], mass.size)),
    "relaxed": lambda mass: Relaxed(mass, 0.7),
    "free": lambda mass: Free(),
    "outside": lambda mass: WithOutsideOption(1.5 * mass),
}
CASES = [
    (*sides, reference)
    for *sides, reference in product(CONDITIONS, CONDITIONS, ("counting", "product"))
    if reference == "counting" or "free" not in sides  # the product needs masses on both sides
]
ROW_MASS, COLUMN_MASS = np.array([0.4, 1.1, 0.7, 0.3]), np.array([0.6, 0.35, 0.75, 0.5, 0.3])


def problem_of(rows: str, columns: str, *, wide: bool = True, seed: int = 1, **more: Any) -> AssignmentProblem:
    utility = np.random.default_rng(seed).normal(size=(4, 5))
    conditions = CONDITIONS[rows](ROW_MASS), CONDITIONS[columns](COLUMN_MASS)
    if not wide:
        utility = np.ascontiguousarray(utility.T)
        conditions = CONDITIONS[rows](COLUMN_MASS), CONDITIONS[columns](ROW_MASS)
    return AssignmentProblem(utility=utility, rows=conditions[0], columns=conditions[1], temperature=0.8, **more)


def solved(problem: AssignmentProblem, tolerance: float = 1e-13) -> AssignmentResult:
    return solve_problem(problem, tolerance=tolerance)


def directions(problem: AssignmentProblem, seed: int = 2) -> dict[str, np.ndarray]:
    """One in which everything changes that can; totals of fixed sides by the same amount."""
    random = np.random.default_rng(seed)
    found = {"utility": random.normal(size=problem.shape)}
    for name, condition in (("row_mass", problem.rows), ("column_mass", problem.columns)):
        if condition.mass is not None:
            found[name] = 0.3 * random.normal(size=condition.mass.size) * (condition.mass > 0)
    if isinstance(problem.rows, Fixed) and isinstance(problem.columns, Fixed):
        excess = found["row_mass"].sum() - found["column_mass"].sum()
        found["column_mass"] = found["column_mass"] + excess * problem.columns.mass / problem.columns.mass.sum()
    return found


def moved(problem: AssignmentProblem, direction: dict[str, np.ndarray], step: float) -> AssignmentProblem:
    changes: dict[str, Any] = {"utility": problem.utility + step * direction.get("utility", 0.0)}
    for side, name in (("rows", "row_mass"), ("columns", "column_mass")):
        if name in direction:
            condition = getattr(problem, side)
            changes[side] = replace(condition, mass=condition.mass + step * direction[name])
    return replace(problem, **changes)


def differences(problem: AssignmentProblem, direction: dict[str, np.ndarray]) -> np.ndarray:
    up, down = (solved(moved(problem, direction, step)).coupling for step in (STEP, -STEP))
    return (up - down) / (2 * STEP)


def assert_vjp_agrees(derivatives: CouplingDerivatives, direction: dict[str, np.ndarray]) -> None:
    cotangent = np.random.default_rng(5).normal(size=derivatives.result.coupling.shape)
    gradients = derivatives.vjp(cotangent)
    by_gradient = sum(np.vdot(getattr(gradients, name), value) for name, value in direction.items())
    by_direction = np.vdot(cotangent, derivatives.jvp(**direction).coupling)
    assert by_gradient == pytest.approx(by_direction, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("wide", [True, False], ids=["wide", "tall"])
@pytest.mark.parametrize(("rows", "columns", "reference"), CASES)
def test_derivatives_are_central_differences(rows: str, columns: str, reference: Any, wide: bool) -> None:
    problem = problem_of(rows, columns, wide=wide, reference=reference)
    derivatives, direction = coupling_derivatives(solved(problem)), directions(problem)
    found = derivatives.jvp(**direction).coupling
    np.testing.assert_allclose(found, differences(problem, direction), rtol=0, atol=DIFFERENCE)
    assert np.abs(found).max() > 0.01
    assert_vjp_agrees(derivatives, direction)


@pytest.mark.parametrize(("rows", "columns"), [("relaxed", "at_most"), ("outside", "outside"), ("fixed", "relaxed")])
def test_potentials_change_by_their_central_differences(rows: str, columns: str) -> None:
    problem = problem_of(rows, columns)
    direction = directions(problem)
    found = coupling_derivatives(solved(problem)).jvp(**direction)
    up, down = (solved(moved(problem, direction, step)) for step in (STEP, -STEP))
    for name in ("row_potential", "column_potential"):
        expected = (getattr(up, name) - getattr(down, name)) / (2 * STEP)
        np.testing.assert_allclose(getattr(found, name), expected, rtol=0, atol=20 * DIFFERENCE)


def test_potentials_of_two_fixed_sides_change_up_to_a_constant() -> None:
    problem = problem_of("fixed", "fixed")
    direction = directions(problem)
    found = coupling_derivatives(solved(problem)).jvp(**direction)
    up, down = (solved(moved(problem, direction, step)) for step in (STEP, -STEP))
    sums = [(r.row_potential[:, None] + r.column_potential) for r in (up, down)]
    np.testing.assert_allclose(
        found.row_potential[:, None] + found.column_potential, (sums[0] - sums[1]) / (2 * STEP), rtol=0,
        atol=20 * DIFFERENCE,
    )  # fmt: skip


def test_each_argument_adds_its_own_part() -> None:
    problem = problem_of("relaxed", "outside", reference="product")
    derivatives, direction = coupling_derivatives(solved(problem)), directions(problem)
    parts = (
        derivatives.by_utility(direction["utility"]),
        derivatives.by_row_mass(direction["row_mass"]),
        derivatives.by_column_mass(direction["column_mass"]),
    )
    for part, name in zip(parts, direction, strict=True):
        np.testing.assert_allclose(part, differences(problem, {name: direction[name]}), rtol=0, atol=DIFFERENCE)
    np.testing.assert_allclose(sum(parts), derivatives.jvp(**direction).coupling, rtol=0, atol=1e-14)


@pytest.mark.parametrize(("rows", "columns"), [("fixed", "fixed"), ("fixed", "at_most"), ("relaxed", "outside")])
def test_forbidden_pairs_and_empty_places_stay_at_zero(rows: str, columns: str) -> None:
    full = problem_of(rows, columns)
    utility = full.utility.copy()
    utility[0, 1] = utility[2, 0] = -np.inf
    sides = {}
    for name, place in (("rows", 3), ("columns", 2)):
        condition = getattr(full, name)
        mass = condition.mass.copy()
        mass[place] = 0.0
        sides[name] = replace(condition, mass=mass)
    problem = replace(full, utility=utility, scale_masses=True, **sides)
    derivatives, direction = coupling_derivatives(solved(problem)), directions(problem)
    found = derivatives.jvp(**direction).coupling
    np.testing.assert_allclose(found, differences(problem, direction), rtol=0, atol=DIFFERENCE)
    assert np.all(found[problem.utility == -np.inf] == 0)
    assert not found[3].any()
    assert not found[:, 2].any()
    assert_vjp_agrees(derivatives, direction)


def test_parts_that_share_no_pair_have_totals_of_their_own() -> None:
    utility = np.full((4, 4), -np.inf)
    utility[:2, :2] = [[0.3, -0.2], [0.1, 0.9]]
    utility[2:, 2:] = [[0.0, 0.4], [0.5, -0.3]]
    masses = np.array([0.3, 0.2, 0.4, 0.1])
    problem = AssignmentProblem(utility=utility, rows=Fixed(masses), columns=Fixed(masses), temperature=0.5)
    derivatives = coupling_derivatives(solved(problem))
    direction = {
        "utility": np.where(np.isfinite(utility), np.arange(16.0).reshape(4, 4) % 5, 0.0),
        "row_mass": np.array([0.1, 0.1, -0.3, 0.1]),
        "column_mass": np.array([0.0, 0.2, 0.0, -0.2]),
    }
    found = derivatives.jvp(**direction).coupling
    np.testing.assert_allclose(found, differences(problem, direction), rtol=0, atol=DIFFERENCE)
    assert_vjp_agrees(derivatives, direction)
    with pytest.raises(InvalidInputError, match=r"same total in the part of row 0 and column 0, found 0\.1 in rows"):
        derivatives.jvp(row_mass=[0.1, 0.0, -0.1, 0.0])


def test_a_capacity_with_room_left_changes_nothing() -> None:
    problem = problem_of("fixed", "at_most")
    result = solved(problem)
    slack = result.column_potential == 0
    assert 0 < slack.sum() < slack.size
    derivatives = coupling_derivatives(result)
    assert not derivatives.by_column_mass(slack.astype(float)).any()
    assert derivatives.by_column_mass((~slack).astype(float)).any()
    assert not derivatives.column_kinks.any()
    assert not derivatives.vjp(problem.utility).column_mass[slack].any()


def test_a_capacity_that_is_just_reached_is_a_kink() -> None:
    result = solved(AssignmentProblem(utility=np.zeros((1, 2)), rows=[1.0], columns=AtMost([0.5, 0.7]),
                                      temperature=1.0))  # fmt: skip
    derivatives = coupling_derivatives(result)
    assert derivatives.column_kinks.tolist() == [True, False]
    assert not derivatives.row_kinks.any()


def test_gradients_in_the_masses_of_two_fixed_sides_are_the_shortest() -> None:
    gradients = coupling_derivatives(solved(problem_of("fixed", "fixed"))).vjp(np.arange(20.0).reshape(4, 5))
    assert gradients.row_mass.sum() - gradients.column_mass.sum() == pytest.approx(0.0, abs=1e-12)


def test_two_free_sides_are_a_softmax_over_all_cells() -> None:
    problem = problem_of("free", "free", total_mass=3.0)
    result = solved(problem)
    direction, p = np.arange(20.0).reshape(4, 5), result.coupling
    expected = p / 0.8 * (direction - np.vdot(p, direction) / 3.0)
    np.testing.assert_allclose(coupling_derivatives(result).by_utility(direction), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("temperature", [1.0, 0.1, 0.03])
def test_sums_stay_fixed_at_every_temperature(temperature: float) -> None:
    utility = np.random.default_rng(3).uniform(size=(6, 6))
    masses = np.full(6, 1 / 6)
    problem = AssignmentProblem(utility=utility, rows=masses, columns=masses, temperature=temperature)
    derivatives = coupling_derivatives(solve_problem(problem, on_failure="return"))
    found = derivatives.by_utility(np.random.default_rng(4).normal(size=(6, 6)))
    np.testing.assert_allclose(found.sum(axis=0), 0.0, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.sum(axis=1), 0.0, rtol=0, atol=1e-9)


def test_an_all_but_hard_coupling_falls_apart_into_pairs() -> None:
    problem = AssignmentProblem(utility=[[0.0, -50.0], [-50.0, 0.0]], rows=[0.5, 0.5], columns=[0.5, 0.5],
                                temperature=1.0)  # fmt: skip
    derivatives = coupling_derivatives(solved(problem))
    assert np.abs(derivatives.by_utility([[1.0, 0.0], [0.0, 0.0]])).max() < 1e-20
    with pytest.raises(InvalidInputError, match="in the part of row 0"):
        derivatives.by_row_mass([0.1, -0.1])


def test_what_cannot_be_differentiated_is_refused() -> None:
    result = solved(problem_of("fixed", "fixed"))
    sparse = replace(result, problem=replace(result.problem, rule=Sparsemax()))
    hard = replace(result, problem=replace(result.problem, temperature=0.0))
    unsolved = replace(result, status="max_iterations", converged=False)
    for wrong, message in ((sparse, "the sparse rule"), (hard, "temperature 0"), (unsolved, "status is 'max_iter")):
        with pytest.raises(InvalidInputError, match=message):
            coupling_derivatives(wrong)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"utility": np.zeros((4, 4))}, r"utility must have the shape \(4, 5\)"),
        ({"row_mass": np.full(4, np.nan)}, "row_mass must be finite"),
        ({"row_mass": np.ones(4)}, "change by the same total, found 4 in rows and 0 in columns"),
    ],
)
def test_directions_that_lead_nowhere_are_refused(given: dict[str, Any], message: str) -> None:
    derivatives = coupling_derivatives(solved(problem_of("fixed", "fixed")))
    with pytest.raises((InvalidInputError, ShapeError), match=message):
        derivatives.jvp(**given)


def test_a_mass_that_is_not_there_has_no_direction() -> None:
    with pytest.raises(InvalidInputError, match="column_mass must be 0 on a side that is Free"):
        coupling_derivatives(solved(problem_of("fixed", "free"))).by_column_mass(np.ones(5))
    problem = replace(problem_of("relaxed", "relaxed"), rows=Relaxed([0.0, 1.0, 1.0, 1.0], 0.7))
    with pytest.raises(InvalidInputError, match="row_mass must be 0 where there is no mass"):
        coupling_derivatives(solved(problem)).by_row_mass([1.0, 0.0, 0.0, 0.0])
