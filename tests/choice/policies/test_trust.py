"""Warnings: a number that means less than it seems to says so, and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from choicekit import CoefficientCovariance, Hardmax, InvalidInputError, NewAlternative, Softmax, compare_policies
from tests.choice.policies.trips import MODEL, compared, trips

CHEAPER = {"change": {"bus": {"cost": "0.5 * cost"}}}


def uncertain(standard_error: float) -> CoefficientCovariance:
    return CoefficientCovariance.from_standard_errors({"b_cost": standard_error})


@pytest.mark.parametrize("standard_error", [0.0, 0.05, 0.09])
def test_a_cost_coefficient_far_from_zero_needs_no_warning(standard_error: float) -> None:
    assert compared(CHEAPER, money="b_cost", covariance=uncertain(standard_error)).warnings == ()


def test_a_cost_coefficient_near_zero_warns_of_the_ratio() -> None:
    found = compared(CHEAPER, money="b_cost", covariance=uncertain(0.5), parameter_draws=400)
    (warning,) = found.warnings
    for said in (
        "the cost coefficient 'b_cost' is only ",
        "standard errors from zero",
        "of 400 draws",
        "neither mean nor variance",
        "its interval is made of quantiles, which exist",
        "gains in units of utility are the safer number",
    ):
        assert said in warning
    assert float(warning.split(" is only ")[1].split(" ")[0]) == pytest.approx(1, abs=0.25)  # as 400 draws show it
    flipped = int(warning.split("has the wrong sign for somebody in ")[1].split(" ")[0])
    # one draw in 6.3 has the other sign: 63 of 400, give or take 7.3
    assert abs(flipped - 0.1587 * 400) < 5 * 7.3


def test_a_cost_coefficient_that_never_flips_in_the_draws_warns_of_the_distance() -> None:
    found = compared(CHEAPER, money="b_cost", covariance=uncertain(0.125), parameter_draws=200)
    (warning,) = found.warnings
    assert "is only 4." in warning or "is only 3." in warning
    assert "sign" not in warning


def test_the_interval_in_money_near_zero_holds_quantiles_and_not_moments() -> None:
    outcome = compared(CHEAPER, money="b_cost", covariance=uncertain(0.25), parameter_draws=400).policies["it"]
    assert outcome.parameters is not None
    amounts = outcome.parameters.money_change
    assert amounts is not None
    lower, upper = outcome.parameters.interval(amounts, 0.9)
    assert np.isfinite([lower, upper]).all()
    assert lower[0] < np.median(amounts[:, 0]) < upper[0]


def test_money_that_is_certain_or_not_asked_for_needs_no_warning() -> None:
    assert compared(CHEAPER, money="b_time", covariance=uncertain(0.5)).warnings == ()
    assert compared(CHEAPER, covariance=uncertain(0.5)).warnings == ()
    assert compared(CHEAPER, money="b_cost", covariance=uncertain(0.5), parameter_draws=0).warnings == ()


def test_money_that_flips_for_some_agents_only_warns() -> None:
    """The old are uncertain, and few: the mean is far from zero, but not everybody's money is."""
    people = trips(60)
    old = (people.columns["age"] > 60).mean()
    assert 0 < old < 0.3
    model = replace(MODEL, coefficients={**MODEL.coefficients, "of_old": 0.0})
    errors = CoefficientCovariance.from_standard_errors({"of_old": 0.3})
    settings = {"population": people, "model": model, "covariance": errors, "parameter_draws": 300}
    (warning,) = compared(CHEAPER, money="b_cost + of_old * (age > 60)", **settings).warnings
    assert "'b_cost + of_old * (age > 60)' has the wrong sign for somebody in " in warning
    assert "standard errors from zero" not in warning
    flipped = int(warning.split("has the wrong sign for somebody in ")[1].split(" ")[0])
    assert abs(flipped - 300 * 0.0478) < 5 * 3.7  # a normal number exceeds 0.5 / 0.3 with probability 0.0478


@pytest.mark.parametrize("money", ["-b_cost", "0 * b_cost", "b_cost + 0.02 * (age > 40)*50", "asc_bus"])
def test_money_must_be_worth_something_to_everybody(money: str) -> None:
    people = trips(40)
    with pytest.raises(InvalidInputError, match="money must be worth something: minus ") as caught:
        compared(CHEAPER, money=money, population=people)
    old = int(people.agents[np.argmax(people.columns["age"] > 40)])
    agent = old if "age" in money else int(people.agents[0])
    assert f"agent {agent};" in str(caught.value)
    assert repr(money) in str(caught.value)


def test_fast_draws_warn_that_switches_mix_in_noise() -> None:
    (warning,) = compared(CHEAPER, sampling="fast").warnings
    assert "sampling 'fast' (baseline, it)" in warning
    assert "switches mix in noise; shares and welfare are right" in warning
    assert compared(CHEAPER, sampling="coherent").warnings == ()
    assert compared({"rule": Hardmax()}, model=replace(MODEL, rule=Hardmax())).warnings == ()


def test_warnings_come_together() -> None:
    found = compare_policies(
        MODEL,
        trips(9),
        {"cab": {"add": {"cab": NewAlternative(columns_like="car")}}},
        seed=1,
        sampling="fast",
        money="b_cost",
        covariance=uncertain(1.0),
        replications=2,
        bootstrap=0,
        parameter_draws=100,
    )
    assert len(found.warnings) == 2


@pytest.mark.parametrize("rule", [Softmax(2.0), Hardmax()])
def test_another_rule_says_that_its_welfare_is_not_comparable(rule: Softmax | Hardmax) -> None:
    (warning,) = compared({"rule": rule}).warnings
    assert "another rule or temperature changes what the same utilities are worth (it)" in warning
    assert (
        compared({"rule": Softmax()}).warnings == ("policy 'it': changes nothing, drop it or say what it changes",)[:0]
    )


def test_money_that_changes_its_worth_says_so() -> None:
    (warning,) = compared({"coefficients": {"b_cost": "2 * b_cost"}}, money="b_cost").warnings
    assert "what money is worth changes with 'b_cost' (it)" in warning
    (warning,) = compared({"attributes": {"age": "age + 1"}}, money="b_cost * (1 + age / 100)").warnings
    assert "what money is worth changes" in warning
    assert compared({"coefficients": {"b_cost": "2 * b_cost"}}).warnings == ()


def test_money_worth_next_to_nothing_to_some_says_so() -> None:
    people = trips(40).with_columns({"rich": [0.001] + [1.0] * 39})
    (warning,) = compared(CHEAPER, population=people, money="b_cost * rich").warnings
    assert "money is worth 975 times less to some agents than on average" in warning


def test_rows_that_lose_or_find_all_choice_are_told() -> None:
    model = replace(MODEL, on_no_alternative="skip", availability=dict.fromkeys(MODEL.utilities, "age > 20"))
    (warning,) = compared({"availability": dict.fromkeys(MODEL.utilities, "age > 40")}, model=model).warnings
    gone = int((trips(40).columns["age"] > 20).sum() - (trips(40).columns["age"] > 40).sum())
    assert f"policy 'it' has {gone} rows with nothing left to choose: welfare leaves them out" in warning
    (warning,) = compared({"availability": dict.fromkeys(MODEL.utilities, "age > 10")}, model=model).warnings
    assert "with a choice under the policy alone" in warning
    assert compared({"filter": "age > 40"}, model=model).warnings == ()


def test_what_a_policy_names_in_vain_is_warned_of() -> None:
    (warning,) = compared({"change": {"walk": {"cost": "0.5 * cost"}}}).warnings
    assert warning.startswith("policy 'it': change.walk.cost: ")


def test_few_draws_make_rough_intervals() -> None:
    (warning,) = compared(CHEAPER, bootstrap=20).warnings
    assert warning.startswith("bootstrap is 20, but the ends of a 95 % interval need at least 100")
    (warning,) = compared(CHEAPER, covariance=uncertain(0.01), parameter_draws=99).warnings
    assert warning.startswith("parameter_draws is 99, ")
    assert compared(CHEAPER, parameter_draws=99, bootstrap=100).warnings == ()
