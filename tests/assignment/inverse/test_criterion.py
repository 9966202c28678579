"""Derivatives of both criteria against finite differences, away from their maximum, under every sort of conditions."""

from __future__ import annotations

import numpy as np
import pytest

from choicekit.assignment.inverse.estimate import CRITERIA, Estimator
from choicekit.assignment.inverse.model import MatchingModel
from choicekit.assignment.inverse.observations import observe
from tests.assignment.inverse.problems import BASIS, NAMES, SIDES, TRUE, disturbed

STEP = 1e-5
DIFFERENCE = 1e-8  # error of a central difference with this step, of assignments solved to 1e-13


class Case:
    """A criterion at observations that no coefficients explain."""

    def __init__(self, sides, method: str) -> None:
        self.criterion = CRITERIA[method]
        self.estimator = Estimator(criterion=self.criterion, tolerance=1e-11, max_iterations=50)
        self.model = MatchingModel(basis=BASIS, names=NAMES, **sides.arguments)
        seen = observe(sides.solved(TRUE).coupling, sides.rows, sides.columns, None)
        other = disturbed(seen)
        self.observed = other.scaled(seen.total / other.total) if self.model.total_is_given else other

    def at(self, coefficients, observed=None):
        seen = self.observed if observed is None else observed
        return self.criterion.evaluate(self.estimator.respond(self.model, seen, coefficients), seen)


@pytest.fixture(params=[(sides, name) for sides in SIDES for name in CRITERIA], ids=lambda p: f"{p[0]}-{p[1]}")
def case(request) -> Case:
    return Case(*request.param)


def test_gradient_and_hessian_are_those_of_finite_differences(case: Case) -> None:
    here, found = np.array([0.3, 0.4, -0.2]), case.at(np.array([0.3, 0.4, -0.2]))
    around = [(case.at(here + STEP * unit), case.at(here - STEP * unit)) for unit in np.eye(3)]
    gradient = [(up.value - down.value) / (2 * STEP) for up, down in around]
    hessian = [(up.gradient - down.gradient) / (2 * STEP) for up, down in around]
    np.testing.assert_allclose(found.gradient, gradient, rtol=0, atol=DIFFERENCE)
    np.testing.assert_allclose(found.hessian, hessian, rtol=0, atol=DIFFERENCE)
    assert np.linalg.eigvalsh(found.information).min() > 0


def test_scores_are_what_one_more_of_an_outcome_does(case: Case) -> None:
    """With the masses that are sampled with the matches; where a total is given, scores count less their mean."""
    found = case.estimator.estimate(case.model, case.observed, 0.0)
    outcomes, seen = case.observed.outcomes, case.observed
    scores = case.criterion.scores(found.evaluation.response, seen)
    if case.model.total_is_given:
        scores = scores - (scores @ outcomes / seen.total)[:, None]
    for place in np.flatnonzero(outcomes > 0)[[0, 7, -1, -6]]:
        step = np.zeros(outcomes.size)
        step[place] = STEP
        sums = []
        for other in (outcomes + step, outcomes - step):
            moved = seen.with_outcomes(other, None)
            moved = moved.scaled(seen.total / moved.total) if case.model.total_is_given else moved
            sums.append(moved.total * case.at(found.coefficients, moved).gradient)
        np.testing.assert_allclose((sums[0] - sums[1]) / (2 * STEP), scores[:, place], rtol=0, atol=DIFFERENCE)
