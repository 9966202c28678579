"""The fast solver against the readable one, over every pair of conditions, from warm to cold."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from choicekit.assignment import (
    AssignmentProblem,
    AtMost,
    Fixed,
    MarginalCondition,
    Relaxed,
    WithOutsideOption,
    solve_assignment,
    solve_problem,
)
from choicekit.assignment.solve import _places_held, _reduced
from choicekit.assignment.sweeps import Trace, solve_by_sweeps
from tests.tolerances import SOLVER

N, M = 12, 17


def masses(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(N)), rng.dirichlet(np.ones(M))


ROWS = [lambda a: Fixed(a), lambda a: AtMost(1.4 * a), lambda a: Relaxed(a, 0.7), lambda a: WithOutsideOption(1.2 * a)]
COLUMNS = [
    lambda b: Fixed(b),
    lambda b: AtMost(3 * b),
    lambda b: Relaxed(b, 0.4),
    lambda b: WithOutsideOption(1.3 * b),
]


def problem_of(row: int, column: int, temperature: float, seed: int = 1, reference: str = "counting"):
    a, b = masses(seed)
    utility = np.random.default_rng(seed + 100).normal(size=(N, M))
    rows, columns = ROWS[row](a), COLUMNS[column](b)
    return AssignmentProblem(utility=utility, rows=rows, columns=columns, temperature=temperature, reference=reference)


@pytest.mark.parametrize("reference", ["counting", "product"])
@pytest.mark.parametrize(("row", "column"), list(product(range(4), range(4))))
def test_the_readable_solver_finds_the_same_coupling(row, column, reference):
    problem = problem_of(row, column, 0.2, reference=reference)
    fast = solve_problem(problem, tolerance=1e-11)
    reduced = _reduced(problem, None, _places_held(problem, None))
    slow = solve_by_sweeps(reduced, tolerance=1e-12, max_iterations=100_000, trace=Trace())
    x, y = slow.row / 0.2 + reduced.row_log, slow.column / 0.2 + reduced.column_log
    np.testing.assert_allclose(fast.coupling, np.exp(problem.utility / 0.2 + x[:, None] + y), rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("temperature", [10.0, 1.0, 0.1, 1e-2, 1e-3, 1e-4])
@pytest.mark.parametrize(("row", "column"), list(product(range(4), range(4))))
def test_every_pair_of_conditions_is_solved_from_warm_to_cold(row, column, temperature):
    result = solve_problem(problem_of(row, column, temperature, seed=2))
    assert result.converged
    assert result.status == "converged"
    assert max(result.row_error, result.column_error) <= 1e-9
    assert -1e-12 <= result.gap <= 1e-7


@pytest.mark.parametrize("turned", [False, True])
def test_a_start_near_the_solution_saves_iterations(turned):
    problem = problem_of(1 if turned else 0, 0 if turned else 1, 0.01)
    cold = solve_problem(problem)
    warm = solve_problem(problem, start=cold.column_potential + 1e-6)
    assert warm.n_iterations < cold.n_iterations / 2
    np.testing.assert_allclose(warm.coupling, cold.coupling, atol=SOLVER * 1e-9)


def test_a_group_that_is_all_but_cut_off_finds_its_level():
    """Between two blocks nothing is worth a move for thousands of T: steps must grow long."""
    utility = np.full((6, 6), -1.0)
    utility[:3, :3] = utility[3:, 3:] = 0.0
    a = np.array([0.2, 0.2, 0.1, 0.2, 0.2, 0.1])
    b = np.array([0.2, 0.2, 0.1 - 1e-4, 0.2, 0.2, 0.1 + 1e-4])
    result = solve_assignment(utility, a, b, temperature=1e-4)
    assert result.converged
    assert result.coupling[:3, 3:].sum() == pytest.approx(1e-4, rel=1e-4)


def test_history_tells_both_errors_and_what_was_done():
    history = solve_problem(problem_of(0, 0, 1e-3)).history
    assert list(history.iteration) == list(range(1, len(history.phase) + 1))
    assert any("scaling at T" in phase for phase in history.phase)
    assert any("Newton at T = 0.001" in phase for phase in history.phase)
    assert history.column_error[-1] <= 1e-9
    assert np.all(history.row_error >= 0)
    assert np.max(history.row_error) > 1e-3
    assert list(history.to_frame()) == ["iteration", "phase", "row_error", "column_error"]


def test_conditions_are_what_the_protocol_says():
    for make in (*ROWS, *COLUMNS):
        assert isinstance(make(np.ones(3)), MarginalCondition)
