"""What an assignment is worth: derivatives of the total, known cases, and what must not change it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from choicekit.assignment import AssignmentProblem, AtMost, Free, WithOutsideOption, solve_problem
from choicekit.assignment.policies import AssignmentPolicy, ScaledMass
from choicekit.assignment.welfare import AssignmentWelfare, assignment_welfare
from choicekit.rules import Softmax, Sparsemax
from tests.assignment.markets import PAIRS, market

STEP = 1e-4
DIFFERENCE = 3e-7  # truncation of central differences at this step
SOLVED = 1e-7  # of couplings solved to 1e-11, where capacities make them sensitive
PER_HEAD = [pair for pair in PAIRS if "outside" in pair or "fixed" in pair]  # what scales with the masses


def worth(problem: AssignmentProblem) -> AssignmentWelfare:
    return assignment_welfare(solve_problem(problem, tolerance=1e-11))


def with_more(problem: AssignmentProblem, row: float, column: float) -> AssignmentProblem:
    """More mass of the first row and of the second column, where their sides have any."""
    rows, columns = problem.rows.mass, problem.columns.mass
    return AssignmentPolicy(
        row_mass={} if rows is None else {"r0": rows[0] + row},
        column_mass={} if columns is None else {"c1": columns[1] + column},
    ).apply(problem)


@pytest.mark.parametrize("reference", ["counting", "product"])
@pytest.mark.parametrize(("rows", "columns"), PAIRS)
def test_welfare_by_type_is_what_one_more_unit_adds_to_the_total(rows: str, columns: str, reference: str) -> None:
    if reference == "product" and "free" in (rows, columns):
        return
    problem = market(rows, columns, reference=reference)
    found = worth(problem)
    sizes = [(STEP, STEP)] if rows == columns == "fixed" else [(STEP, 0.0), (0.0, STEP)]  # fixed totals stay equal
    for row, column in sizes:
        higher, lower = worth(with_more(problem, row, column)), worth(with_more(problem, -row, -column))
        slope = (higher.total - lower.total) / (2 * STEP)
        expected = (row > 0) * np.nan_to_num(found.rows[0]) + (column > 0) * np.nan_to_num(found.columns[1])
        assert slope == pytest.approx(expected, abs=DIFFERENCE)


@pytest.mark.parametrize(("rows", "columns"), PER_HEAD)
def test_the_total_is_mass_times_welfare_and_twice_as_high_for_twice_the_people(rows: str, columns: str) -> None:
    problem = market(rows, columns, zero=True)
    found, all_sides = worth(problem), (problem.rows.mass, problem.columns.mass)
    by_type = [
        np.nansum(mass * welfare)
        for mass, welfare in zip(all_sides, (found.rows, found.columns), strict=True)
        if mass is not None
    ]
    assert sum(by_type) == pytest.approx(found.total, abs=SOLVED)
    twice = ScaledMass(factor=2.0)
    doubled = AssignmentPolicy(
        row_mass={} if rows == "free" else dict.fromkeys(problem.row_names, twice),
        column_mass={} if columns == "free" else dict.fromkeys(problem.column_names, twice),
    ).apply(problem)
    again = worth(doubled)
    assert again.total == pytest.approx(2 * found.total, abs=SOLVED)
    np.testing.assert_allclose(again.rows, found.rows, rtol=0, atol=SOLVED)


@pytest.mark.parametrize(
    ("rows", "columns"), [("fixed", "free"), ("fixed", "at_most"), ("fixed", "relaxed"), ("outside", "free")]
)
def test_two_types_of_one_kind_are_worth_what_they_are_as_one(rows: str, columns: str) -> None:
    problem = market(rows, columns)
    first = problem.rows.mass[0]
    split = replace(
        problem,
        utility=np.vstack([problem.utility, problem.utility[:1]]),
        rows=type(problem.rows)(np.append(problem.rows.mass, 0.4 * first) - [0.4 * first, 0, 0, 0, 0]),
        row_names=(*problem.row_names, "r0 too"),
    )
    before, after = worth(problem), worth(split)
    assert after.total == pytest.approx(before.total, abs=SOLVED)
    np.testing.assert_allclose(after.rows, np.append(before.rows, before.rows[0]), rtol=0, atol=SOLVED)
    assert solve_problem(split).primal > solve_problem(problem).primal + 0.1  # which counts one kind as two


def test_with_outside_options_it_is_minus_temperature_times_the_logarithm_of_the_share_of_singles() -> None:
    result = solve_problem(market("outside", "outside"))
    found, taste = assignment_welfare(result), result.problem.temperature / 2
    np.testing.assert_allclose(found.rows, -taste * np.log(result.row_outside / result.problem.rows.mass))
    np.testing.assert_allclose(found.columns, -taste * np.log(result.column_outside / result.problem.columns.mass))
    assert found.normalisation == ""


def test_against_a_free_side_it_is_the_inclusive_value() -> None:
    problem = market("fixed", "free", forbidden=True)
    found = worth(problem)
    np.testing.assert_allclose(found.rows, Softmax(problem.temperature).value(problem.utility), rtol=1e-12)
    assert np.all(np.isnan(found.columns))
    outside = worth(replace(problem, rows=WithOutsideOption(problem.rows.mass)))
    staying = np.column_stack([problem.utility, np.zeros(4)])
    np.testing.assert_allclose(outside.rows, Softmax(problem.temperature).value(staying), rtol=1e-12)


@pytest.mark.parametrize("temperature", [0.0, 0.05, 1.0])
def test_the_price_of_capacity_is_what_one_more_place_adds_to_the_objective(temperature: float) -> None:
    utility = np.array([[3.0, 1.0, 0.0], [2.5, 1.5, -1.0]])
    problem = AssignmentProblem(
        utility=utility, rows=[1.0, 1.5], columns=AtMost([1.2, 0.8, 9.0]), temperature=temperature,
        row_names=("r0", "r1"), column_names=("c0", "c1", "c2"),
    )  # fmt: skip
    result = solve_problem(problem, tolerance=1e-12)
    found = assignment_welfare(result)
    np.testing.assert_array_equal(found.columns, found.column_price)
    assert found.column_price[2] == 0.0
    for place in (0, 1):
        values = [
            solve_problem(replace(problem, columns=AtMost(problem.columns.mass + way * STEP * np.eye(3)[place])),
                          tolerance=1e-12).primal
            for way in (1, -1)
        ]  # fmt: skip
        assert (values[0] - values[1]) / (2 * STEP) == pytest.approx(found.columns[place], abs=DIFFERENCE)
        assert found.columns[place] > 0.1


def test_between_two_fixed_sides_the_rows_carry_the_whole() -> None:
    result = solve_problem(market(zero=True), tolerance=1e-11)
    found, mass = assignment_welfare(result), result.problem.columns.mass
    assert np.nansum(found.columns * mass) == pytest.approx(0.0, abs=1e-12)
    held = mass > 0
    assert found.column_price[held] @ mass[held] == pytest.approx(0.0, abs=1e-12)
    assert "rows carry the whole" in found.normalisation
    moved = replace(result, row_potential=result.row_potential + 5.0, column_potential=result.column_potential - 5.0)
    np.testing.assert_allclose(assignment_welfare(moved).rows, found.rows, atol=1e-12)
    np.testing.assert_allclose(assignment_welfare(moved).row_price, found.row_price, atol=1e-12)


def test_who_is_not_there_has_no_welfare_and_an_infinite_price() -> None:
    found = worth(market("outside", "at_most", zero=True))
    np.testing.assert_array_equal(np.isnan(found.rows), [False, False, False, True])
    np.testing.assert_array_equal(np.isnan(found.columns), [False, False, True])
    assert found.row_price[3] == found.column_price[2] == np.inf


@pytest.mark.parametrize("more", [{"reference": "product"}, {"rule": Sparsemax()}])
def test_without_tastes_by_head_the_total_is_the_objective(more: dict[str, object]) -> None:
    result = solve_problem(market("fixed", "at_most", **more))
    assert assignment_welfare(result).total == result.primal


def test_two_free_sides_have_a_total_and_no_types() -> None:
    result = solve_problem(AssignmentProblem(utility=np.zeros((2, 2)), rows=Free(), columns=Free(), temperature=1.0))
    found = assignment_welfare(result)
    assert found.total == pytest.approx(np.log(4.0) + 1.0)
    assert np.all(np.isnan(found.rows))


def test_the_total_is_the_objective_less_the_entropy_of_the_masses() -> None:
    problem = market()
    mass = [np.sum(-side * (np.log(side) - 1)) for side in (problem.rows.mass, problem.columns.mass)]
    result = solve_problem(problem)
    assert assignment_welfare(result).total == pytest.approx(result.primal - 0.4 * sum(mass), rel=1e-12)
