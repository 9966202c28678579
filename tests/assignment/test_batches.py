"""Batches: the answers of problems solved one by one, in their order, whatever is beside them."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from choicekit.assignment import (
    AssignmentResult,
    AtMost,
    Fixed,
    Free,
    MarginalCondition,
    Relaxed,
    WithOutsideOption,
    solve_assignment,
)
from choicekit.assignment.batches import solve_assignments
from choicekit.errors import ConvergenceError, InfeasibleMassError, InvalidInputError, ShapeError

RANDOM = np.random.default_rng(11)
UTILITIES = RANDOM.normal(size=(6, 4, 5))
ROW_MASS, COLUMN_MASS = RANDOM.dirichlet(np.ones(4), size=6), RANDOM.dirichlet(np.ones(5), size=6)
TEMPERATURES = np.array([1.0, 0.3, 3.0, 0.1, 1.0, 0.5])

KINDS: dict[str, Any] = {
    "fixed": lambda mass, place: Fixed(mass),
    "at_most": lambda mass, place: AtMost(mass * np.resize([1.3, 4.0], mass.size)),
    "relaxed": lambda mass, place: Relaxed(mass, 0.5 + place),
    "outside": lambda mass, place: WithOutsideOption(1.2 * mass),
}


def sides(rows: str, columns: str) -> tuple[list[MarginalCondition], list[MarginalCondition]]:
    return (
        [KINDS[rows](mass, place) for place, mass in enumerate(ROW_MASS)],
        [KINDS[columns](mass, place) for place, mass in enumerate(COLUMN_MASS)],
    )


def assert_same(found: AssignmentResult, expected: AssignmentResult, tolerance: float = 1e-9) -> None:
    assert found.converged
    assert max(found.row_error, found.column_error) <= tolerance
    np.testing.assert_allclose(found.coupling, expected.coupling, rtol=0, atol=100 * tolerance)
    together = found.row_potential[:, None] + found.column_potential
    np.testing.assert_allclose(together, expected.row_potential[:, None] + expected.column_potential, atol=1e-6)


@pytest.mark.parametrize("wide", [True, False], ids=["wide", "tall"])
@pytest.mark.parametrize("reference", ["counting", "product"])
@pytest.mark.parametrize(("rows", "columns"), list(product(KINDS, KINDS)))
def test_a_batch_is_its_problems_one_by_one(rows: str, columns: str, reference: Any, wide: bool) -> None:
    utilities, (row_sides, column_sides) = UTILITIES, sides(rows, columns)
    if not wide:
        utilities, row_sides, column_sides = np.swapaxes(utilities, 1, 2), column_sides, row_sides
    found = solve_assignments(utilities, row_sides, column_sides, temperature=TEMPERATURES, reference=reference)
    assert len(found) == 6
    for place, result in enumerate(found):
        alone = solve_assignment(
            utilities[place], row_sides[place], column_sides[place], temperature=TEMPERATURES[place],
            reference=reference,
        )  # fmt: skip
        assert_same(result, alone)
        assert result.method.startswith("batched")
        assert result.problem.temperature == TEMPERATURES[place]


def test_what_a_batch_does_not_serve_is_solved_one_by_one() -> None:
    utilities = UTILITIES.copy()
    utilities[0, 0, 0] = -np.inf
    rows: list[Any] = [Fixed(mass) for mass in ROW_MASS]
    columns: list[Any] = [Fixed(mass) for mass in COLUMN_MASS]
    rows[1] = Fixed([0.5, 0.0, 0.25, 0.25])
    columns[2] = Free()
    temperatures = np.array([1.0, 1.0, 1.0, 0.0, 0.1, 1.0])
    found = solve_assignments(utilities, rows, columns, temperature=temperatures)
    assert [result.method.startswith("batched") for result in found] == [False] * 4 + [True] * 2
    for place, result in enumerate(found):
        alone = solve_assignment(utilities[place], rows[place], columns[place], temperature=temperatures[place])
        np.testing.assert_allclose(result.coupling, alone.coupling, rtol=0, atol=1e-7)
    assert found[0].coupling[0, 0] == 0


@pytest.mark.parametrize("temperature", [1.0, 0.1, 0.02])
def test_a_problem_does_not_depend_on_those_beside_it(temperature: float) -> None:
    utilities = np.random.default_rng(3).normal(size=(30, 4, 5))
    capacity = AtMost(1.5 * COLUMN_MASS[0])
    together = solve_assignments(utilities, ROW_MASS[0], capacity, temperature=temperature)
    order = np.random.default_rng(4).permutation(30)
    shuffled = solve_assignments(utilities[order], ROW_MASS[0], capacity, temperature=temperature)
    for place, result in zip(order, shuffled, strict=True):
        np.testing.assert_allclose(result.coupling, together[place].coupling, rtol=0, atol=1e-13)


@pytest.mark.parametrize("kinds", [("fixed", "fixed"), ("fixed", "at_most"), ("at_most", "at_most")])
def test_hard_problems_are_still_solved_together(kinds: tuple[str, str]) -> None:
    random = np.random.default_rng(8)
    utilities, masses = random.normal(size=(60, 6, 5)), [random.dirichlet(np.ones(size)) for size in (6, 5)]
    rows = Fixed(masses[0]) if kinds[0] == "fixed" else AtMost(masses[0])
    columns = Fixed(masses[1]) if kinds[1] == "fixed" else AtMost(1.02 * masses[1])
    found = solve_assignments(utilities, rows, columns, temperature=0.05)
    assert sum(result.method.startswith("batched") for result in found) >= 58
    for result, utility in zip(found, utilities, strict=True):
        assert not isinstance(columns, AtMost) or np.all(result.column_potential <= 0)
        alone = solve_assignment(utility, rows, columns, temperature=0.05)
        np.testing.assert_allclose(result.coupling, alone.coupling, rtol=0, atol=1e-7)


def test_the_steps_on_the_way_are_kept() -> None:
    soft, hard = (solve_assignments(UTILITIES, ROW_MASS, COLUMN_MASS, temperature=t)[0] for t in (50.0, 0.02))
    assert soft.method == "batched scaling"
    assert hard.method == "batched scaling and newton"
    for result in (soft, hard):
        history = result.history
        assert history.iteration.tolist() == list(range(1, result.n_iterations + 1))
        assert len(history.phase) == history.row_error.size == history.column_error.size == result.n_iterations
        errors = np.maximum(history.row_error, history.column_error)
        assert errors[-1] <= result.tolerance < errors[0]


def test_one_condition_serves_all_and_masses_may_be_given_in_three_ways() -> None:
    ways: list[Any] = [ROW_MASS[0], Fixed(ROW_MASS[0]), np.tile(ROW_MASS[0], (6, 1)), [Fixed(ROW_MASS[0])] * 6]
    found = [solve_assignments(UTILITIES, way, COLUMN_MASS, temperature=1.0)[5].coupling for way in ways]
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


def test_no_problems_have_no_results() -> None:
    assert solve_assignments(np.zeros((0, 2, 2)), [1.0, 1.0], [1.0, 1.0], temperature=1.0) == ()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", [1e-300, 1e-12, 1e12, 1e300])
def test_utilities_and_temperature_of_any_size(scale: float) -> None:
    plain = solve_assignments(UTILITIES, ROW_MASS, COLUMN_MASS, temperature=1.0)
    scaled = solve_assignments(UTILITIES * scale, ROW_MASS, COLUMN_MASS, temperature=scale)
    for one, other in zip(plain, scaled, strict=True):
        np.testing.assert_allclose(one.coupling, other.coupling, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"utilities": np.zeros((4, 5))}, ShapeError, r"one table a problem, \(B, n, m\), found shape \(4, 5\)"),
        ({"utilities": "none"}, InvalidInputError, "utilities must be an array of real numbers"),
        ({"utilities": UTILITIES + 0j}, InvalidInputError, "utilities must be an array of real numbers"),
        ({"rows": ROW_MASS + 0j}, InvalidInputError, "problem 0 of the batch: the mass of Fixed must be an array of"),
        ({"temperature": 1 + 1j}, InvalidInputError, "temperature must be an array of real numbers"),
        ({"rows": ROW_MASS[:3]}, ShapeError, "one each, found 3 for 6 problems"),
        ({"columns": [Free()] * 2}, ShapeError, "columns must be one condition for all problems or one each"),
        ({"temperature": np.ones(3)}, ShapeError, r"temperature must be one number or one a problem, \(6,\)"),
        ({"temperature": [1, 1, -1, 1, 1, 1]}, InvalidInputError, "problem 2 of the batch: temperature must be"),
        ({"rows": 2 * ROW_MASS}, InfeasibleMassError, "problem 0 of the batch: two fixed sides"),
        ({"tolerance": 0.0}, InvalidInputError, "tolerance must be"),
        ({"max_iterations": 0}, InvalidInputError, "max_iterations must be"),
        ({"reference": "none"}, InvalidInputError, "problem 0 of the batch: reference must be"),
    ],
)  # fmt: skip
def test_wrong_input_says_which_problem(changes: dict[str, Any], error: type[Exception], message: str) -> None:
    given: dict[str, Any] = {"utilities": UTILITIES, "rows": ROW_MASS, "columns": COLUMN_MASS, "temperature": 1.0}
    with pytest.raises(error, match=message):
        solve_assignments(**{**given, **changes})


def test_a_problem_that_does_not_converge_is_named() -> None:
    given: dict[str, Any] = {"temperature": 0.05, "max_iterations": 1}
    with pytest.raises(ConvergenceError, match="problem 0 of the batch: the assignment did not") as caught:
        solve_assignments(UTILITIES, ROW_MASS, COLUMN_MASS, **given)
    assert isinstance(caught.value.result, AssignmentResult)
    found = solve_assignments(UTILITIES, ROW_MASS, COLUMN_MASS, on_failure="return", **given)
    assert not any(result.converged for result in found)
