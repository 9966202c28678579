"""A study asks for what it is told to, and a fit to its own coupling finds what made it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from choicekit.assignment import AssignmentProblem
from choicekit.assignment.policies import AssignmentPolicy
from choicekit.assignment.study import AssignmentStudy, FitSettings, _multinomial, check_fit, run_study
from choicekit.errors import IdentificationError, InvalidInputError, ShapeError
from choicekit.rules import Sparsemax
from tests.assignment.markets import PAIRS, market
from tests.tolerances import assert_counts_follow, assert_monte_carlo

BASIS = np.random.default_rng(3).normal(size=(2, 4, 3))
TRUE = np.array([1.0, -0.5])
NAMES = ("one", "other")


def linear_market(rows: str = "fixed", columns: str = "fixed", temperature: float = 0.4) -> AssignmentProblem:
    """A market whose utility over temperature is TRUE times BASIS."""
    problem = market(rows, columns, temperature=temperature)
    return replace(problem, utility=temperature * np.tensordot(TRUE, BASIS, axes=1))


def fit_of(problem: AssignmentProblem, **settings: Any) -> Any:
    study = AssignmentStudy(problem=problem, fit=FitSettings(basis=BASIS, names=NAMES, **settings), tolerance=1e-12)
    return run_study(study).fit


def test_only_what_is_asked_for_is_there() -> None:
    told: list[tuple[object, ...]] = []
    outcome = run_study(AssignmentStudy(problem=market()), lambda *done: told.append(done))
    assert told == [("assignment", 1, 1)]
    assert (outcome.comparison, outcome.path, outcome.cross_check, outcome.fit) == (None, None, None, None)
    masses = outcome.result.problem.rows.mass, outcome.result.problem.columns.mass
    np.testing.assert_allclose(outcome.neutral, np.outer(*masses) / 2.0, rtol=1e-8)


def test_everything_that_is_asked_for_is_there_and_told() -> None:
    told: list[tuple[object, ...]] = []
    study = AssignmentStudy(
        problem=linear_market(),
        policies={"warm": AssignmentPolicy(temperature=1.0), "warmer": AssignmentPolicy(temperature=2.0)},
        temperatures=(1.0, 0.1, 0.0),
        cross_check="pot",
        fit=FitSettings(basis=BASIS, names=NAMES),
    )
    outcome = run_study(study, lambda *done: told.append(done))
    assert [step for step in told if step[1] == step[2]] == [
        ("assignment", 1, 1), ("policies", 2, 2), ("temperatures", 3, 3), ("cross-check", 1, 1), ("fit", 1, 1),
    ]  # fmt: skip
    assert outcome.comparison.baseline is outcome.result
    assert list(outcome.comparison.policies) == ["warm", "warmer"]
    assert outcome.path.temperatures.tolist() == [1.0, 0.1, 0.0]
    assert outcome.cross_check.passed
    assert outcome.cross_check.threshold == 1e-6
    assert outcome.fit.converged
    assert repr(outcome) == "AssignmentOutcome(4 x 3, converged, comparison, path, cross_check, fit)"


def test_a_cross_check_is_held_to_the_threshold_of_the_study() -> None:
    study = AssignmentStudy(problem=linear_market(), cross_check="pot", cross_check_threshold=0.125)
    outcome = run_study(study)
    assert outcome.cross_check is not None
    assert outcome.cross_check.threshold == 0.125
    assert repr(outcome) == "AssignmentOutcome(4 x 3, converged, cross_check)"


def test_a_penalty_is_chosen_by_cross_validation_of_the_draws() -> None:
    found = fit_of(linear_market(), draws=2000, seed=1, penalty="cross-validated")
    assert found.penalty == found.cross_validation.best
    assert len(found.cross_validation.fold_scores) == 5


@pytest.mark.parametrize(("rows", "columns"), PAIRS)
def test_what_no_matches_tell_is_known_before_anything_is_run(rows: str, columns: str) -> None:
    problem = linear_market(rows, columns)
    check_fit(problem, FitSettings(basis=BASIS, names=NAMES))
    same = FitSettings(basis=BASIS[[0, 1, 0]], names=(*NAMES, "again"), draws=10, seed=1, penalty="cross-validated")
    with pytest.raises(IdentificationError, match="'one' - 'again'"):
        check_fit(problem, same)


def test_draws_that_are_all_singles_are_refused() -> None:
    problem = linear_market("outside", "outside")
    with pytest.raises(InvalidInputError, match="found none among 1 draws, which are all singles: raise draws"):
        fit_of(replace(problem, utility=np.full((4, 3), -50.0)), draws=1, seed=1)


def test_a_solver_that_stops_short_is_told_by_the_results() -> None:
    study = AssignmentStudy(
        problem=market(temperature=1e-3), policies={"x": AssignmentPolicy(temperature=2e-3)}, temperatures=(1e-3,),
        max_iterations=1, tolerance=1e-15,
    )  # fmt: skip
    outcome = run_study(study)
    assert not outcome.result.converged
    assert not outcome.comparison.policies["x"].result.converged
    assert not outcome.path.results[0].converged


@pytest.mark.parametrize(("rows", "columns"), PAIRS)
def test_a_fit_to_the_coupling_itself_finds_the_coefficients(rows: str, columns: str) -> None:
    np.testing.assert_allclose(fit_of(linear_market(rows, columns)).coefficients, TRUE, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("rows", "columns"), [("fixed", "fixed"), ("outside", "outside"), ("fixed", "free")])
def test_a_fit_to_draws_finds_them_within_their_standard_errors(rows: str, columns: str) -> None:
    fit = fit_of(linear_market(rows, columns), draws=20_000, seed=11)
    assert_monte_carlo(fit.coefficients, TRUE, fit.standard_errors)
    assert np.all(fit.standard_errors < 0.05)
    assert np.all(np.abs(fit.coefficients - TRUE) > 1e-6)  # they are drawn
    again = fit_of(linear_market(rows, columns), draws=20_000, seed=11)
    np.testing.assert_array_equal(again.coefficients, fit.coefficients)
    other = fit_of(linear_market(rows, columns), draws=20_000, seed=12)
    assert np.all(other.coefficients != fit.coefficients)


def test_a_penalty_shrinks() -> None:
    free, held = (fit_of(linear_market(), draws=500, seed=1, penalty=penalty) for penalty in (None, 300.0))
    assert np.linalg.norm(held.coefficients) < np.linalg.norm(free.coefficients) - 0.05


@pytest.mark.parametrize("outcomes", [1, 2, 3, 7, 64])
def test_draws_follow_the_shares(outcomes: int) -> None:
    random = np.random.default_rng(outcomes)
    shares = random.dirichlet(np.ones(outcomes))
    shares[random.integers(outcomes)] *= float(outcomes < 3)  # an outcome that never happens
    shares /= shares.sum()
    counts = _multinomial(shares, 100_000, seed=5)
    assert counts.sum() == 100_000
    np.testing.assert_array_equal(counts, np.rint(counts))
    assert_counts_follow(counts, 100_000 * shares)


def test_few_draws_vary_as_a_multinomial_does() -> None:
    shares = np.array([0.5, 0.3, 0.2])
    counts = np.array([_multinomial(shares, 10, seed) for seed in range(2000)])
    covariance = 10 * (np.diag(shares) - np.outer(shares, shares))
    assert_monte_carlo(counts.mean(axis=0), 10 * shares, np.sqrt(np.diag(covariance) / 2000))
    np.testing.assert_allclose(np.cov(counts.T), covariance, atol=5 * 2.5 * np.sqrt(2 / 2000))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"basis": np.zeros((4, 3))}, ShapeError, r"a table for each of its names, .* shape \(4, 3\) and 2 names"),
        ({"names": ("one",)}, ShapeError, r"found shape \(2, 4, 3\) and 1 names"),
        ({"true_coefficients": [1.0]}, ShapeError, r"true_coefficients must be 2, as names are, found shape \(1,\)"),
        ({"draws": 0, "seed": 1}, InvalidInputError, "draws must be a whole number of at least 1, found 0"),
        ({"draws": 1.5, "seed": 1}, InvalidInputError, "draws must be a whole number of at least 1, found 1.5"),
        ({"draws": 10}, InvalidInputError, "a fit to draws needs a seed"),
        ({"penalty": "cross-validated"}, InvalidInputError, "needs at least 5 draws, .*, found none: give draws"),
        ({"penalty": "cross-validated", "draws": 4, "seed": 1}, InvalidInputError, "at least 5 draws, .*, found 4"),
        ({"draws": 10, "seed": -1}, InvalidInputError, "seed must be a whole number"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(
    change: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        FitSettings(**{"basis": BASIS, "names": NAMES, **change})


@pytest.mark.parametrize(
    ("problem", "error", "message"),
    [
        (market(temperature=0.0), InvalidInputError, "a fit needs a coupling of the entropy at a temperature above 0"),
        (market(rule=Sparsemax()), InvalidInputError, "a fit needs a coupling of the entropy"),
        (
            AssignmentProblem(utility=np.zeros((2, 2)), rows=[1.0, 1.0], columns=[1.0, 1.0], temperature=1.0),
            ShapeError,
            r"the shape of utility, \(2, 2\), found \(4, 3\)",
        ),
    ],
)
def test_a_fit_that_cannot_be_is_refused_before_anything_is_solved(
    problem: AssignmentProblem, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        AssignmentStudy(problem=problem, fit=FitSettings(basis=BASIS, names=NAMES))
