"""The travel-mode data: published facts and the multinomial logit fitted to them.

Data: W. H. Greene & D. A. Hensher (1997), 210 trips between Sydney, Canberra and Melbourne by four modes; data table
F18-2 of W. H. Greene, *Econometric Analysis*; public domain.

Published answers: W. H. Greene (2003), *Econometric Analysis*, 5th edition, p. 729, and the same model fitted by the R
package mlogit and by Stata 11, as statsmodels' tests of its conditional logit record them: log-likelihood -199.1284,
-283.7588 with constants only, and the coefficients below. The scenario's coefficients are the same maximum to full
precision.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from choicekit import ChoiceOutcome, Softmax, run_scenario

SCENARIO = Path(__file__).parents[2] / "scenarios" / "mode_choice.yaml"
CHOSEN = {"air": 58, "train": 63, "bus": 30, "car": 59}
LOG_LIKELIHOOD = -199.1283687159816
CONSTANTS_ONLY = -283.7588
MLOGIT = {
    "asc_air": 5.20743292761953,
    "asc_train": 3.86903570401292,
    "asc_bus": 3.16319033000995,
    "b_cost": -0.0155015067043374,
    "b_wait": -0.0961246217793847,
    "b_income_air": 0.0132870137736127,
}


@pytest.fixture(scope="module")
def outcome() -> ChoiceOutcome:
    found: ChoiceOutcome = run_scenario(SCENARIO).outcome
    return found


def one_hot(outcome: ChoiceOutcome) -> np.ndarray:
    chosen = outcome.study.population.chosen
    assert chosen is not None
    return np.eye(4)[chosen]


def test_the_data_are_the_published_ones(outcome: ChoiceOutcome) -> None:
    people = outcome.study.population
    assert (people.n_agents, outcome.alternatives) == (210, tuple(CHOSEN))
    assert one_hot(outcome).sum(axis=0).tolist() == list(CHOSEN.values())
    assert people.columns["hinc"].shape == (210,)
    assert people.columns["gc"].shape == (210, 4)


def test_the_coefficients_are_the_published_ones(outcome: ChoiceOutcome) -> None:
    coefficients = outcome.study.model.coefficients
    assert dict(coefficients) == pytest.approx(MLOGIT, rel=1e-5)


def test_expected_shares_are_the_observed_ones(outcome: ChoiceOutcome) -> None:
    np.testing.assert_allclose(outcome.expected_shares, np.array(list(CHOSEN.values())) / 210, rtol=0, atol=1e-9)
    np.testing.assert_allclose(outcome.observed_shares, np.array(list(CHOSEN.values())) / 210, rtol=1e-15)


def test_the_log_likelihood_is_the_published_one(outcome: ChoiceOutcome) -> None:
    utility = outcome.study.utility(slice(None))
    loss = Softmax().fenchel_young_loss(utility, one_hot(outcome)).sum()
    assert -loss == pytest.approx(LOG_LIKELIHOOD, abs=1e-9)
    assert round(-loss, 4) == -199.1284


def test_the_log_likelihood_of_constants_alone_is_the_published_one(outcome: ChoiceOutcome) -> None:
    utility = np.log(np.array(list(CHOSEN.values())) / 210)
    assert round(-Softmax().fenchel_young_loss(utility, one_hot(outcome)).sum(), 4) == CONSTANTS_ONLY


def test_the_likelihood_is_at_its_maximum(outcome: ChoiceOutcome) -> None:
    people, model = outcome.study.population, outcome.study.model
    gap = one_hot(outcome) - Softmax().probabilities(outcome.study.utility(slice(None)))
    gradient = {
        "b_cost": (gap * people.columns["gc"]).sum(),
        "b_wait": (gap * people.columns["ttme"]).sum(),
        "b_income_air": (gap[:, 0] * people.columns["hinc"]).sum(),
        "asc_air": gap[:, 0].sum(),
    }
    assert model.coefficients.keys() > gradient.keys()
    assert max(abs(value) for value in gradient.values()) < 1e-6


def test_the_mean_inclusive_value_is_that_of_the_utilities(outcome: ChoiceOutcome) -> None:
    utility = outcome.study.utility(slice(None))
    assert outcome.inclusive_value == pytest.approx(np.log(np.exp(utility).sum(axis=1)).mean(), rel=1e-14)
