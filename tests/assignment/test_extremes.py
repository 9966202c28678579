"""Problems at the edge of what numbers can tell: strong and weak sides, capacities just reached, all but no noise."""

from __future__ import annotations

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
from choicekit.assignment.welfare import assignment_welfare
from choicekit.rules import RegularisedRule, Softmax, Sparsemax

EPS = np.finfo(float).eps
SMALL_LOSS = 1e-6  # of the range of utility, per unit of mass: what a temperature too low to be told from 0 may cost


def returned(utility: Any, rows: Any, columns: Any, temperature: float, **more: Any) -> AssignmentResult:
    return solve_assignment(utility, rows, columns, temperature=temperature, on_failure="return", **more)


def cold_market(place: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return utilities of thousands and two masses that nearly split into groups, for place 40 and 52."""
    random = np.random.default_rng(2)
    for _ in range(place + 1):
        utility = random.normal(size=(5, 4)) * 1000
        rows, columns = random.random(5) + 0.1, random.random(4) + 0.1
        columns *= rows.sum() / columns.sum()
    return utility, rows, columns


@pytest.mark.parametrize("strength", [10.0, 1e3, 1e5, 1e6])
def test_strong_relaxed_sides_are_no_harder_than_fixed_ones(strength: float) -> None:
    result = returned([[-3.0, 6.0], [-2.0, -1.0]], Relaxed([6.0, 4.0], strength), [9.0, 7.0], 1.0)
    assert result.converged
    assert result.n_iterations < 20


def test_masses_may_be_far_above_those_of_weak_relaxed_sides() -> None:
    random = np.random.default_rng(3)
    utility, rows, columns = random.normal(size=(5, 4)) * 50, random.random(5) + 0.1, random.random(4) + 0.1
    result = returned(utility, Relaxed(rows, 1.0), Relaxed(columns, 1.0), 1.0)
    assert result.converged
    # plain sweeps in logarithms: each potential is half of what would fit a fixed side
    f, g = np.zeros(5), np.zeros(4)
    for _ in range(60):
        f = 0.5 * (np.log(rows) - np.logaddexp.reduce(utility + g, axis=1))
        g = 0.5 * (np.log(columns) - np.logaddexp.reduce(utility + f[:, None], axis=0))
    np.testing.assert_allclose(result.coupling, np.exp(utility + f[:, None] + g), rtol=1e-8)
    assert result.coupling.sum() > 1e23


def test_a_relaxed_side_against_a_free_one_is_exact_but_for_rounding() -> None:
    result = returned([[30.0, 0.0], [0.0, 30.0]], Relaxed([1.0, 1.0], 1.0), Free(), 1.0)
    assert result.converged
    # mass x and sum K exp(f) of a row: f = -log(K) / 2, so that the sum is the root of K
    np.testing.assert_allclose(result.row_sums, np.sqrt(np.exp(30.0) + 1.0), rtol=1e-12)


def test_a_capacity_that_is_just_reached_is_found() -> None:
    result = returned([[38.0], [19.0]], AtMost([1.0, 1.0]), WithOutsideOption([2.0]), 1.0)
    assert result.converged
    assert result.coupling.sum() == pytest.approx(2.0, abs=1e-8)


def test_a_single_pair_far_above_the_outside_option_is_matched() -> None:
    result = returned([[1.0]], WithOutsideOption([1.2]), Fixed([1.0]), 1e-8, reference="product")
    assert result.converged
    assert result.coupling[0, 0] == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("place", [40, 52])
def test_groups_that_are_all_but_cut_off_get_their_masses_at_low_temperatures(place: int) -> None:
    utility, rows, columns = cold_market(place)
    result = returned(utility, rows, columns, 1e-6)
    assert max(result.row_error, result.column_error) < 100 * EPS * np.abs(utility).max() / 1e-6
    exact = solve_assignment(utility, rows, columns, temperature=0.0)
    assert exact.primal - result.primal < SMALL_LOSS * np.ptp(utility) * rows.sum()


@pytest.mark.parametrize("temperature", [1e-8, 1e-10, 1e-12, 1e-300])
@pytest.mark.parametrize("place", [0, 1, 40])
def test_temperatures_that_cannot_be_told_from_none_give_nearly_the_best(temperature: float, place: int) -> None:
    utility, rows, columns = cold_market(place)
    result = returned(utility, rows, columns, temperature)
    exact = solve_assignment(utility, rows, columns, temperature=0.0)
    assert result.status == "precision"
    assert not result.converged
    assert exact.primal - result.primal < SMALL_LOSS * np.ptp(utility) * rows.sum()
    rounding = 1e-12 * np.abs(utility).max() * rows.sum()
    assert result.primal - rounding <= exact.primal <= result.dual + rounding


def test_a_solver_that_ends_on_its_way_to_low_temperatures_has_not_converged() -> None:
    utility, rows, columns = cold_market(0)
    for most in (5, 20, 50, 80):
        result = returned(utility, rows, columns, 1e-5, max_iterations=most)
        exponents = (utility + result.row_potential[:, None] + result.column_potential) / 1e-5
        np.testing.assert_allclose(result.coupling, np.exp(exponents), rtol=1e-4, atol=1e-12)
        assert result.status in ("max_iterations", "not_finite")


@pytest.mark.parametrize("columns", [AtMost([3.0, 9.0]), WithOutsideOption([3.0, 9.0]), Relaxed([3.0, 9.0], 2.0)])
def test_errors_are_relative_to_what_a_side_limits_the_mass_to(columns: MarginalCondition) -> None:
    rows = np.array([0.4, 0.6])
    result = returned([[0.0, 5.0], [3.0, 1.0]], rows, columns, 0.5, tolerance=1e-2)
    wanted = columns.wanted(result.column_sums, result.column_potential, 0.5)
    assert result.column_error == pytest.approx(np.abs(result.column_sums - wanted).sum(), abs=1e-15)


def test_the_history_of_a_problem_turned_round_has_its_sides_turned() -> None:
    utility, rows, columns = np.random.default_rng(1).normal(size=(6, 5)), np.full(6, 1.0), AtMost(np.full(5, 1.3))
    one, other = returned(utility, rows, columns, 0.1), returned(utility.T, columns, rows, 0.1)
    np.testing.assert_allclose(one.history.row_error, other.history.column_error, rtol=1e-6, atol=1e-14)
    assert not np.allclose(one.history.row_error, one.history.column_error)


SIDES = {
    "fixed": lambda mass: Fixed(mass),
    "at_most": lambda mass: AtMost(mass),
    "relaxed": lambda mass: Relaxed(mass, 1.0),
    "free": lambda mass: Free(),
    "outside": lambda mass: WithOutsideOption(mass),
}


SPARSE = ("fixed", "at_most", "free")
RULED = [(Softmax, rows, columns) for rows in SIDES for columns in SIDES]
RULED += [(Sparsemax, rows, columns) for rows in SPARSE for columns in SPARSE]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [1.0, 1e300])
@pytest.mark.parametrize("temperature", [5e-324, 1.0, 1e300])
@pytest.mark.parametrize(("rule", "rows", "columns"), RULED)
def test_what_is_out_of_range_has_an_honest_status_and_no_warnings(
    rule: type[RegularisedRule], rows: str, columns: str, temperature: float, size: float
) -> None:
    utility = size * np.array([[0.0, -1.0, 0.5], [-1.0, 0.0, 0.9]])
    result = returned(
        utility,
        SIDES[rows](np.full(2, 0.6 + 0.1 * (rows == "outside"))),
        SIDES[columns](np.full(3, 0.4 + 0.1 * (columns == "outside"))),
        temperature,
        rule=rule(),
    )
    assignment_welfare(result)
    assert result.converged <= np.isfinite(result.gap)
    if result.status != "not_finite":
        assert np.isfinite(result.coupling).all()
        assert not np.isnan(result.row_outside).any()
