"""The two stories of assignments tell what their comments say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linprog

from choicekit import StudyResult, run_scenario
from choicekit.assignment.study import AssignmentOutcome

FOLDER = Path(__file__).parents[2] / "scenarios"


@pytest.fixture(scope="module")
def tea() -> StudyResult:
    """The tea party."""
    return run_scenario(FOLDER / "tea_party.yaml")


@pytest.fixture(scope="module")
def market() -> StudyResult:
    """The marriage market."""
    return run_scenario(FOLDER / "marriage_market.yaml")


def test_the_way_from_neutral_to_optimal(tea: StudyResult) -> None:
    outcome: AssignmentOutcome = tea.outcome
    path, problem = outcome.path, outcome.result.problem
    assert path is not None
    assert outcome.neutral is not None
    warmest, coldest = path.results[0].coupling, path.results[-1].coupling
    assert np.abs(warmest - outcome.neutral).max() < 0.01
    assert np.all(np.diff(path.utility) >= -1e-9)
    n, m = problem.shape
    sums = np.vstack([np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))])
    assert problem.rows.mass is not None
    assert problem.columns.mass is not None
    masses = np.concatenate([problem.rows.mass, problem.columns.mass])
    best = linprog(-problem.utility.ravel(), A_eq=sums, b_eq=masses)
    assert best.fun is not None
    np.testing.assert_allclose(np.sum(coldest * problem.utility), -best.fun)


def test_the_hare_and_its_scones(tea: StudyResult) -> None:
    path = tea.outcome.path
    found = {
        t: (result.coupling[2, 0], u)
        for t, result, u in zip(path.temperatures, path.results, path.utility, strict=True)
    }
    for temperature, expected in {100: (1.2, 11.8), 1: (2.0, 14.9), 0: (3.0, 17.0)}.items():
        np.testing.assert_allclose(found[temperature], expected, atol=0.05)


def test_what_everybody_likes_more_only_costs_more(tea: StudyResult) -> None:
    same = tea.comparison.policies["sweeter-scones"].result
    np.testing.assert_allclose(same.coupling, tea.outcome.result.coupling, atol=1e-8)
    prices = -same.column_potential + tea.outcome.result.column_potential
    np.testing.assert_allclose(prices - prices[1], [1, 0, 0, 0], atol=1e-8)
    jam = tea.comparison.policies["jam-for-the-hatter"].result
    assert jam.coupling[1, 0] > tea.outcome.result.coupling[1, 0] + 0.5


def test_the_cat_has_what_alice_has(tea: StudyResult) -> None:
    party = tea.comparison.policies["another-guest"].result
    assert party.problem.row_names[-1] == "Cat"
    np.testing.assert_allclose(party.coupling[-1], party.coupling[0], rtol=1e-8)


def test_couples_follow_the_matching_function(market: StudyResult) -> None:
    result = market.outcome.result
    singles = np.sqrt(np.outer(result.row_outside, result.column_outside))
    np.testing.assert_allclose(result.coupling, singles * np.exp(result.problem.utility / 2), rtol=1e-7)
    np.testing.assert_allclose(result.row_sums + result.row_outside, result.problem.rows.mass, rtol=1e-8)


def test_the_policy_moves_women_to_college(market: StudyResult) -> None:
    before, after = market.outcome.result, market.comparison.policies["more-college"].result
    np.testing.assert_array_equal(after.problem.rows.mass - before.problem.rows.mass, [-20, 20, 0, 0, 0, 0])
    assert after.coupling[1].sum() > before.coupling[1].sum()


def test_the_surplus_is_recovered(market: StudyResult) -> None:
    fit = market.outcome.fit
    assert fit.names == ("marrying", "same_school", "age_gap")
    true = market.outcome.study.fit.true_coefficients
    np.testing.assert_allclose(true, [-1.5 / 2, 1.6 / 2, 1.2 / 2])
    ends = fit.intervals(0.9999)
    assert np.all((ends[:, 0] < true) & (true < ends[:, 1]))
    assert np.all(fit.standard_errors < 0.02)
