"""The account a solver gives: what it reached, where it stopped, and what it refuses to call solved."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from choicekit.assignment import AssignmentProblem, Fixed, Free, Relaxed, solve_assignment, solve_problem
from choicekit.errors import ConvergenceError, InvalidInputError, ShapeError

UTILITY = np.random.default_rng(4).normal(size=(30, 20))
ROWS, COLUMNS = np.full(30, 1 / 30), np.full(20, 1 / 20)


def test_what_is_not_finite_is_never_converged_and_has_no_gap() -> None:
    # each row of a relaxed and a free side holds exp(U / strength), which is beyond all numbers for the last
    result = solve_assignment(
        [[0.0], [2000.0]], Relaxed([0.5, 0.5], 1.0), Free(), temperature=1e-6, on_failure="return"
    )
    assert result.status == "not_finite"
    assert not result.converged
    assert np.isnan(result.gap)


def test_an_error_short_of_the_tolerance_carries_what_there_is() -> None:
    with pytest.raises(
        ConvergenceError, match=r"did not reach its tolerance of 1e-09: row_error .* raise max_iter"
    ) as caught:
        solve_assignment(UTILITY, ROWS, COLUMNS, temperature=0.01, max_iterations=2)
    result: Any = caught.value.result
    assert result.status == "max_iterations"
    assert not result.converged
    assert result.n_iterations == 2
    assert max(result.row_error, result.column_error) > 1e-9
    # the coupling is no answer, but its certificate is true: the rounded one is feasible and worse than the dual
    np.testing.assert_allclose(result.rounded_coupling.sum(axis=1), ROWS, rtol=1e-12)
    best = solve_assignment(UTILITY, ROWS, COLUMNS, temperature=0.01).primal
    assert result.primal < best < result.dual


def test_the_caller_may_have_it_returned() -> None:
    result = solve_assignment(UTILITY, ROWS, COLUMNS, temperature=0.01, max_iterations=2, on_failure="return")
    assert result.status == "max_iterations"


def test_errors_are_those_of_the_coupling_itself() -> None:
    result = solve_assignment(UTILITY, ROWS, COLUMNS, temperature=0.1, tolerance=1e-5)
    assert result.row_error == pytest.approx(np.abs(result.coupling.sum(axis=1) - ROWS).sum(), abs=1e-15)
    assert result.column_error == pytest.approx(np.abs(result.coupling.sum(axis=0) - COLUMNS).sum(), abs=1e-15)
    assert 1e-13 < max(result.row_error, result.column_error) <= 1e-5


def test_beyond_what_numbers_can_tell_the_status_says_so() -> None:
    result = solve_assignment(1e6 * UTILITY, ROWS, COLUMNS, temperature=1e-3, on_failure="return")
    assert result.status == "precision"
    assert not result.converged
    assert 0 <= result.gap < 1e-4 * abs(result.primal)


def test_a_good_start_needs_fewer_iterations() -> None:
    problem = AssignmentProblem(utility=UTILITY, rows=Fixed(ROWS), columns=Fixed(COLUMNS), temperature=0.05)
    cold = solve_problem(problem)
    warm = solve_problem(problem, start=cold.column_potential)
    assert warm.n_iterations < cold.n_iterations
    np.testing.assert_allclose(warm.coupling, cold.coupling, rtol=0, atol=1e-8)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"tolerance": 0.0}, InvalidInputError, "tolerance must be a finite number above 0, found 0.0"),
        ({"tolerance": np.nan}, InvalidInputError, "tolerance must be a finite number above 0, found nan"),
        ({"tolerance": np.complex128(1j)}, InvalidInputError, "tolerance must be a finite number above 0, found "),
        ({"max_iterations": 5 + 0j}, InvalidInputError, "max_iterations must be a whole number of at least 1"),
        ({"max_iterations": 0}, InvalidInputError, "whole number of at least 1, found 0"),
        ({"max_iterations": True}, InvalidInputError, "whole number of at least 1, found True"),
        ({"max_iterations": 2.5}, InvalidInputError, "whole number of at least 1, found 2.5"),
        ({"on_failure": "ignore"}, InvalidInputError, "on_failure must be 'raise' or 'return', found 'ignore'"),
        ({"start": 1j * np.zeros(20)}, InvalidInputError, "start must be an array of real numbers"),
        ({"start": np.zeros(30)}, ShapeError, "one potential a column, (20,), found shape (30,)"),
    ],
)
def test_control_that_makes_no_sense_is_refused(given: dict[str, Any], error: type[Exception], message: str) -> None:
    problem = AssignmentProblem(utility=UTILITY, rows=Fixed(ROWS), columns=Fixed(COLUMNS), temperature=1.0)
    with pytest.raises(error, match=re.escape(message)):
        solve_problem(problem, **given)
