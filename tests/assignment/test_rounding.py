"""A coupling next to the one found that meets its conditions but for rounding."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choicekit.assignment import (
    AssignmentProblem,
    AtMost,
    Fixed,
    Free,
    MarginalCondition,
    Relaxed,
    WithOutsideOption,
    solve_assignment,
)
from choicekit.assignment.rounding import round_coupling

MET = 2e-15  # of the total mass: what adding up a table leaves open
KINDS = {
    "fixed": Fixed,
    "at_most": lambda mass: AtMost(1.5 * mass),
    "outside": lambda mass: WithOutsideOption(1.5 * mass),
    "relaxed": lambda mass: Relaxed(mass, 1.0),
    "free": lambda mass: Free(),
}
PAIRS = [pair for pair in product(KINDS, KINDS) if pair != ("free", "free")]


def near(seed: int, kinds: tuple[str, str], error: float, forbidden: float) -> tuple[AssignmentProblem, np.ndarray]:
    """A problem, and a coupling that meets it but for `error`, with empty places and forbidden pairs."""
    rng = np.random.default_rng(seed)
    n, m = (int(size) for size in rng.integers(2, 9, 2))
    utility = np.where(rng.random((n, m)) < forbidden, -np.inf, rng.normal(size=(n, m)))
    utility[0, :] = utility[:, 0] = 0.0
    met = np.where(utility > -np.inf, rng.random((n, m)) ** 4, 0.0)
    met[rng.integers(1, n)] = 0.0
    met[:, rng.integers(1, m)] = 0.0
    sides = [KINDS[kind](mass) for kind, mass in zip(kinds, (met.sum(axis=1), met.sum(axis=0)), strict=True)]
    problem = AssignmentProblem(utility=utility, rows=sides[0], columns=sides[1], temperature=1.0)
    return problem, met * np.exp(error * rng.normal(size=(n, m)))


def assert_met(condition: MarginalCondition, sums: np.ndarray) -> None:
    if isinstance(condition, Fixed):
        assert np.abs(sums - condition.mass).sum() <= MET * condition.mass.sum()
    elif isinstance(condition, AtMost | WithOutsideOption):
        assert np.all(sums <= condition.mass * (1 + MET))


@pytest.mark.parametrize("kinds", PAIRS, ids=lambda pair: " and ".join(pair))
@given(
    seed=st.integers(0, 2**32 - 1),
    error=st.sampled_from([0.0, 1e-12, 1e-6, 0.1, 3.0]),
    forbidden=st.sampled_from([0.0, 0.3, 0.7]),
)
def test_conditions_are_met_within_the_support(kinds, seed, error, forbidden):
    problem, coupling = near(seed, kinds, error, forbidden)
    before = coupling.copy()
    rounded = round_coupling(problem, coupling)
    np.testing.assert_array_equal(coupling, before)
    assert_met(problem.rows, rounded.sum(axis=1))
    assert_met(problem.columns, rounded.sum(axis=0))
    assert np.all(rounded >= 0)
    assert not rounded[problem.utility == -np.inf].any()
    for condition, table in ((problem.rows, rounded), (problem.columns, rounded.T)):
        if condition.mass is not None:
            assert not table[condition.mass == 0].any()


@given(seed=st.integers(0, 2**32 - 1), error=st.sampled_from([1e-12, 1e-6, 0.1, 3.0]))
def test_a_coupling_moves_by_at_most_twice_its_errors(seed, error):
    # Altschuler, Weed & Rigollet (2017), lemma 7
    problem, coupling = near(seed, ("fixed", "fixed"), error, 0.0)
    errors = np.abs(coupling.sum(axis=1) - problem.rows.mass).sum()
    errors += np.abs(coupling.sum(axis=0) - problem.columns.mass).sum()
    moved = np.abs(round_coupling(problem, coupling) - coupling).sum()
    assert moved <= 2 * errors + MET * coupling.sum()


@pytest.mark.parametrize("forbidden", [0.0, 0.5])
def test_a_coupling_that_meets_its_conditions_stays_as_it_is(forbidden):
    problem, coupling = near(1, ("fixed", "fixed"), 0.0, forbidden)
    np.testing.assert_allclose(round_coupling(problem, coupling), coupling, rtol=1e-15)
    assert not round_coupling(problem, coupling)[coupling == 0].any()


def test_only_what_is_above_capacity_is_scaled_down():
    problem = AssignmentProblem(
        utility=np.zeros((2, 2)), rows=AtMost([1, 1]), columns=AtMost([2, 0.5]), temperature=1.0
    )
    np.testing.assert_allclose(
        round_coupling(problem, np.array([[1.0, 1.0], [0.25, 0.25]])), [[0.5, 1 / 3], [0.25, 1 / 6]]
    )


def test_relaxed_and_free_sums_are_left_alone():
    coupling = np.array([[3.0, 1.0], [0.0, 7.0]])
    for rows, columns in ((Relaxed([1, 1], 1.0), Relaxed([1, 1], 1.0)), (Free(), Relaxed([1, 1], 2.0))):
        problem = AssignmentProblem(utility=np.zeros((2, 2)), rows=rows, columns=columns, temperature=1.0)
        np.testing.assert_array_equal(round_coupling(problem, coupling), coupling)


def test_two_free_sides_share_the_total():
    problem = AssignmentProblem(utility=np.zeros((2, 2)), rows=Free(), columns=Free(), total_mass=2.0, temperature=1.0)
    np.testing.assert_allclose(round_coupling(problem, np.array([[1.0, 2.0], [0.0, 1.0]])), [[0.5, 1.0], [0.0, 0.5]])


def test_a_row_too_small_for_a_number_gets_its_mass_where_it_is_best():
    problem = AssignmentProblem(
        utility=[[0.0, 1.0, 2.0], [0.0, 0.0, 0.0]], rows=[1.0, 1.0], columns=Relaxed([1, 1, 0], 1.0), temperature=1.0
    )
    rounded = round_coupling(problem, np.array([[0.0, 0.0, 0.0], [2.0, 2.0, 0.0]]))
    np.testing.assert_allclose(rounded, [[0.0, 1.0, 0.0], [0.5, 0.5, 0.0]])


def test_a_remainder_may_have_to_push_others_aside():
    # row 1 lacks mass, but its only column is full of row 0: row 0 moves over to column 1
    problem = AssignmentProblem(
        utility=[[0.0, 0.0], [0.0, -np.inf]], rows=[1.0, 0.5], columns=[0.5, 1.0], temperature=1.0
    )
    rounded = round_coupling(problem, np.array([[0.4, 0.6], [0.1, 0.0]]))
    np.testing.assert_allclose(rounded, [[0.0, 1.0], [0.5, 0.0]], atol=1e-16)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_what_is_not_finite_is_returned_as_it_is(wrong):
    problem = AssignmentProblem(utility=np.zeros((1, 2)), rows=[1.0], columns=[0.5, 0.5], temperature=1.0)
    coupling = np.array([[wrong, 0.5]])
    np.testing.assert_array_equal(round_coupling(problem, coupling), coupling)


@pytest.mark.parametrize("forbidden", [0.0, 0.1, 0.9])
def test_large_tables_meet_their_sums(forbidden):
    rng = np.random.default_rng(8)
    n, m = 200, 150
    utility = np.where(rng.random((n, m)) < forbidden, -np.inf, 0.0)
    utility[np.arange(n), np.arange(n) % m] = 0.0
    met = np.where(utility == 0.0, rng.random((n, m)) ** 9, 0.0)
    problem = AssignmentProblem(utility=utility, rows=met.sum(axis=1), columns=met.sum(axis=0), temperature=1.0)
    rounded = round_coupling(problem, met * (1 + 1e-7 * rng.normal(size=(n, m))))
    assert_met(problem.rows, rounded.sum(axis=1))
    assert_met(problem.columns, rounded.sum(axis=0))
    assert not rounded[utility < 0].any()
    assert np.abs(rounded - met).sum() <= 1e-5 * met.sum()


@pytest.mark.parametrize("forbidden", [0.0, 0.4])
def test_primal_and_dual_of_a_loose_solution_enclose_the_optimum(forbidden):
    rng = np.random.default_rng(4)
    utility = np.where(rng.random((6, 5)) < forbidden, -np.inf, rng.normal(size=(6, 5)))
    utility[:, 0] = 0.0
    rows, columns = np.full(6, 1 / 6), AtMost(np.array([1.0, 0.2, 0.2, 0.2, 0.2]))
    loose = solve_assignment(utility, rows, columns, temperature=0.3, tolerance=0.05)
    tight = solve_assignment(utility, rows, columns, temperature=0.3, tolerance=1e-12)
    assert loose.primal <= tight.primal + 1e-12
    assert loose.dual >= tight.dual - 1e-12
    assert abs(tight.gap) <= 1e-10
