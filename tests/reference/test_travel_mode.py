"""The travel-mode data: published facts, the multinomial logit fitted to them, and a policy with known answers.

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

from choicekit import ChoiceOutcome, PolicyComparison, Softmax, compare_policies, run_scenario

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


# --- the train at four fifths of its generalised cost ---------------------------------------------------------------

CHEAPER = {"change": {"train": {"gc": "0.8 * gc"}}}
NEW_SHARES = {"air": 0.25905738, "train": 0.35734446, "bus": 0.12996483, "car": 0.25363333}


@pytest.fixture(scope="module")
def comparison(outcome: ChoiceOutcome) -> PolicyComparison:
    study = outcome.study
    policies = {"cheaper train": CHEAPER, "no bus": {"remove": ["bus"]}, "nothing": {}}
    return compare_policies(study.model, study.population, policies, seed=7, replications=500, money="b_cost")


def softmax_by_hand(utility: np.ndarray) -> np.ndarray:
    weights = np.exp(utility)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def test_expected_shares_with_a_cheaper_train(comparison: PolicyComparison) -> None:
    found = dict(zip(comparison.alternatives, comparison.policies["cheaper train"].shares[0].tolist(), strict=True))
    assert found == pytest.approx(NEW_SHARES, abs=5e-9)


def test_a_cheaper_train_is_worth_a_known_sum(comparison: PolicyComparison) -> None:
    found = comparison.welfare_change.loc["cheaper train"]
    assert found["mean"] == pytest.approx(0.11249285, abs=5e-9)
    assert found["money_mean"] == pytest.approx(7.25689, abs=5e-6)
    assert found["money_mean"] == pytest.approx(found["mean"] / 0.0155015, rel=2e-6)
    assert (found["gain_share"], found["lose_share"]) == (1, 0)
    assert not comparison.welfare_change.loc["nothing", ["mean", "total", "money_total"]].any()


def test_simulated_shares_follow_with_a_fraction_of_the_noise(comparison: PolicyComparison) -> None:
    estimate, outcome = comparison.policies["cheaper train"].estimate(), comparison.policies["cheaper train"]
    gap = np.abs(estimate.change - outcome.share_change)[0]
    assert np.all(gap <= 4 * estimate.standard_error[0])
    assert np.all(estimate.reduction[0] > 5)  # so many times fewer replications than with independent draws


def test_a_cheaper_train_draws_only_to_the_train_and_no_bus_only_from_the_bus(comparison: PolicyComparison) -> None:
    table = comparison.switching.loc["cheaper train"]
    assert not table.drop(columns="train").where(~np.eye(4, dtype=bool)[:, [0, 2, 3]], 0).any(axis=None)
    assert table["train"].sum() == pytest.approx(210 * NEW_SHARES["train"], abs=0.5)
    gone = comparison.switching.loc["no bus"]
    stayed = np.diag(gone)
    assert gone.drop(index="bus").to_numpy().sum() == pytest.approx(stayed.sum(), rel=1e-12)


def test_point_elasticities_are_the_closed_form(comparison: PolicyComparison, outcome: ChoiceOutcome) -> None:
    people, model = outcome.study.population, outcome.study.model
    p = softmax_by_hand(model.utility(people))
    x, beta = people.columns["gc"], model.coefficients["b_cost"]
    for place, name in enumerate(CHOSEN):
        each = (np.eye(4)[place] - p[:, [place]]) * x[:, [place]] * beta
        expected = (p * each).sum(axis=0) / p.sum(axis=0)
        np.testing.assert_allclose(comparison.elasticities.loc[("gc", name)], expected, rtol=0, atol=1e-12)


def test_the_expected_change_by_formulas_of_its_own(comparison: PolicyComparison, outcome: ChoiceOutcome) -> None:
    people, model = outcome.study.population, outcome.study.model
    before = model.utility(people)
    after = before - np.eye(4)[1] * 0.2 * model.coefficients["b_cost"] * people.columns["gc"]
    expected = (softmax_by_hand(after) - softmax_by_hand(before)).mean(axis=0)
    np.testing.assert_allclose(comparison.share_change.loc["cheaper train"], expected, rtol=0, atol=1e-13)
