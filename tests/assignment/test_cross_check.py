"""POT solves what it can express and agrees; a wrong answer fails; what POT cannot do is not our failure."""

from __future__ import annotations

import sys
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choicekit.assignment import AssignmentProblem, AtMost, Relaxed, solve_assignment, solve_problem
from choicekit.assignment.cross_check import cross_check
from choicekit.errors import InvalidInputError
from choicekit.rules import Sparsemax
from tests.assignment.markets import CONDITIONS, PAIRS, market

BALANCED, UNBALANCED, EXACT = "ot.sinkhorn", "ot.unbalanced.sinkhorn_unbalanced", "ot.emd"
MODULE = sys.modules["choicekit.assignment.cross_check"]  # the package has the function by that name
KINDS = st.sampled_from(sorted(CONDITIONS))


def method_for(rows: str, columns: str) -> str:
    """The function of POT that takes a pair of conditions at a temperature above 0, or nothing."""
    pair = {rows, columns}
    if "at_most" in pair or pair == {"free"} or pair == {"outside"} or pair == {"outside", "relaxed"}:
        return ""
    return BALANCED if pair in ({"fixed"}, {"fixed", "outside"}) else UNBALANCED


@pytest.mark.parametrize(("rows", "columns"), PAIRS)
def test_pot_agrees_wherever_it_can_express_the_problem(rows: str, columns: str) -> None:
    for number, temperature in enumerate((10.0, 0.8, 0.1)):
        for more in ({}, {"zero": True}, {"forbidden": True}, {"reference": "product"}):
            if "reference" in more and "free" in (rows, columns):
                continue
            found = cross_check(solve_problem(market(rows, columns, seed=number, temperature=temperature, **more)))
            assert found.method == method_for(rows, columns)
            assert found.version
            if found.method:
                assert (found.passed, found.reason) == (True, "")
                assert max(found.coupling_difference, found.objective_difference) <= 1e-7
            else:
                assert found.passed is None
                assert found.reason.startswith("POT cannot express this problem: it has no ")
                assert np.isnan(found.coupling_difference)


@given(rows=KINDS, columns=KINDS, seed=st.integers(0, 10_000), more=st.sampled_from(["", "zero", "forbidden"]))
def test_at_temperature_0_pot_finds_the_same_best_assignment(rows: str, columns: str, seed: int, more: str) -> None:
    if "relaxed" in (rows, columns):
        return
    problem = market(rows, columns, seed=seed, temperature=0.0, **{more: True} if more else {})
    found = cross_check(solve_problem(problem))
    if rows == columns == "free":
        assert found.passed is None
        assert "two Free sides" in found.reason
    else:
        assert (found.passed, found.method, found.reason) == (True, EXACT, "")
        assert found.coupling_difference <= 1e-9


@given(seed=st.integers(0, 10_000), size=st.sampled_from([1e-3, 1.0, 1e3]), mass=st.sampled_from([1e-6, 1.0, 1e6]))
@settings(max_examples=15)
def test_the_size_of_masses_and_utilities_does_not_matter(seed: int, size: float, mass: float) -> None:
    random = np.random.default_rng(seed)
    utility, shares = size * random.normal(size=(5, 6)), random.dirichlet(np.ones(5))
    result = solve_assignment(utility, mass * shares, np.full(6, mass / 6), temperature=0.5 * size)
    found = cross_check(result)
    assert (found.passed, found.reason) == (True, "")


@pytest.mark.parametrize(
    ("reference", "first_row"), [("product", [0.3220536, 0.1184769]), ("counting", [0.5112281, 0.1880703])]
)
def test_published_answers_with_relaxed_masses(reference: Any, first_row: list[float]) -> None:
    sides = Relaxed([0.5, 0.5], 1.0), Relaxed([0.5, 0.5], 1.0)
    result = solve_assignment([[0.0, -1.0], [-1.0, 0.0]], *sides, temperature=1.0, reference=reference)
    np.testing.assert_allclose(result.coupling[0], first_row, atol=5e-8)
    assert cross_check(result).passed


@pytest.mark.parametrize("strengths", [(2.0, 0.5), (0.01, 100.0)])
def test_both_sides_may_have_strengths_of_their_own(strengths: tuple[float, float]) -> None:
    problem = market()
    sides = [Relaxed(side.mass, s) for side, s in zip((problem.rows, problem.columns), strengths, strict=True)]
    result = solve_problem(replace(problem, rows=sides[0], columns=sides[1]), tolerance=1e-11)
    assert (cross_check(result).passed, cross_check(result).method) == (True, UNBALANCED)


@pytest.mark.parametrize(("rows", "columns"), [("fixed", "fixed"), ("relaxed", "fixed"), ("outside", "free")])
def test_a_wrong_coupling_fails_and_the_cell_is_named(rows: str, columns: str) -> None:
    result = solve_problem(market(rows, columns))
    wrong = result.coupling.copy()
    wrong[1, 2] += 1e-5 * wrong.sum()
    found = cross_check(replace(result, coupling=wrong))
    assert found.passed is False
    assert found.coupling_difference == pytest.approx(1e-5, rel=1e-3)
    assert found.reason.startswith("POT's coupling differs by 1.0e-05, most in row 'r1', column 'c2'")
    assert cross_check(replace(result, coupling=wrong), threshold=1e-4).passed
    ended = cross_check(replace(result, coupling=wrong, converged=False, status="max_iterations"))
    assert ended.reason.endswith("; ours ended as 'max_iterations'")


def test_pairs_that_no_coupling_can_use_are_not_left_to_pot() -> None:
    """Each row can only fill the column that nobody else may; POT would creep towards that for ever."""
    barred = -np.inf
    result = solve_assignment([[0.0, barred], [3.0, 0.0]], [0.5, 0.5], [0.5, 0.5], temperature=1.0)
    check = cross_check(result, threshold=1e-9)
    assert check.passed
    assert check.coupling_difference < 1e-12


def test_a_solution_of_another_problem_fails() -> None:
    result = solve_problem(market("relaxed", "relaxed"))
    other = replace(result.problem, columns=Relaxed(result.problem.columns.mass, 0.69))
    assert cross_check(replace(result, problem=other)).passed is False


def test_of_several_best_assignments_only_the_objective_is_compared() -> None:
    tied = AssignmentProblem(utility=np.zeros((3, 3)), rows=np.ones(3), columns=np.ones(3), temperature=0.0)
    result = solve_problem(tied)
    found = cross_check(replace(result, coupling=np.roll(result.coupling, 1, axis=0), unique=False))
    assert found.passed
    assert "only the objective was compared" in found.reason
    sure = cross_check(replace(result, coupling=np.roll(result.coupling, 1, axis=0), unique=True))
    assert sure.passed is False


@pytest.mark.parametrize("unique", [False, None])
def test_of_several_best_assignments_one_that_is_worse_is_still_wrong(unique: bool | None) -> None:
    """Two best: the middle row and column keep to each other, the others may swap."""
    utility = [[1.0, 0.0, 1.0], [0.0, 2.0, 0.0], [1.0, 0.0, 1.0]]
    tied = AssignmentProblem(utility=utility, rows=np.ones(3), columns=np.ones(3), temperature=0.0)
    result = replace(solve_problem(tied), unique=unique)
    same, other = sorted(
        (cross_check(replace(result, coupling=best)) for best in (result.coupling, result.coupling[::-1])),
        key=lambda check: check.coupling_difference,
    )
    assert (same.passed, same.reason, other.passed, other.objective_difference) == (True, "", True, 0.0)
    assert other.reason == "there may be several best assignments: only the objective was compared"
    worse = cross_check(replace(result, coupling=np.roll(result.coupling, 1, axis=0)))
    assert worse.passed is False
    assert worse.reason.startswith("POT's coupling differs by ")


def test_above_temperature_0_another_coupling_of_nearly_the_same_objective_is_wrong() -> None:
    result = solve_problem(market(), tolerance=1e-12)
    astray = result.coupling.copy()
    astray[:2, :2] += 2e-4 * np.array([[1.0, -1.0], [-1.0, 1.0]])  # the sums stay, the objective is flat there
    found = cross_check(replace(result, coupling=astray, unique=None))
    assert found.objective_difference < found.threshold < found.coupling_difference
    assert found.passed is False


def test_where_pot_stops_short_nothing_is_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODULE, "_CELLS", 1.0)  # the fewest iterations there are
    for rows, columns in (("fixed", "fixed"), ("relaxed", "fixed")):
        found = cross_check(solve_problem(market(rows, columns, temperature=0.003), tolerance=1e-8))
        assert found.passed is None
        assert found.reason.startswith("POT stopped at a marginal error of ")


@pytest.mark.parametrize("rows", ["fixed", "relaxed"])
def test_warnings_of_pot_are_told_and_not_leaked(monkeypatch: pytest.MonkeyPatch, rows: str) -> None:
    monkeypatch.setattr(MODULE, "_CELLS", 1.0)
    result = solve_problem(market(rows, "fixed", temperature=0.003), tolerance=1e-8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = cross_check(result)
    assert found.passed is None
    assert ("POT says: " in found.reason) == (rows == "fixed")


def test_what_pot_raises_is_not_our_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    import ot

    def failing(*_: Any, **__: Any) -> None:
        raise ValueError("out of sorts\nand more")

    monkeypatch.setattr(ot, "sinkhorn", failing)
    found = cross_check(solve_problem(market()))
    assert (found.passed, found.reason, found.method) == (None, "POT failed: out of sorts", BALANCED)


def test_without_pot_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ot", None)
    found = cross_check(solve_problem(market()))
    assert (found.passed, found.version) == (None, "")
    assert found.reason == "POT is not installed: pip install pot"


def test_the_sparse_rule_is_not_asked_for() -> None:
    found = cross_check(solve_problem(market(rule=Sparsemax())))
    assert found.passed is None
    assert "half the squared norm" in found.reason


def test_an_empty_assignment_is_compared_too() -> None:
    nobody = AssignmentProblem(
        utility=-np.ones((2, 2)), rows=AtMost([1.0, 1.0]), columns=AtMost([1.0, 1.0]), temperature=0.0
    )
    found = cross_check(solve_problem(nobody))
    assert (found.passed, found.coupling_difference) == (True, 0.0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"library": "pott"}, "unknown library 'pott' for a cross-check, did you mean 'pot'"),
        ({"library": "gurobi"}, "unknown library 'gurobi' for a cross-check, there is 'pot'"),
        ({"threshold": 1j}, "threshold of a cross-check must be a finite number above 0, found 1j"),
        ({"threshold": 0.0}, "threshold of a cross-check must be a finite number above 0, found 0.0"),
    ],
)
def test_libraries_and_thresholds_that_cannot_be_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        cross_check(solve_problem(market()), **given)
