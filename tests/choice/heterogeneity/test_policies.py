"""Policies, welfare, elasticities and errors of models made of types."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from choicekit import (
    ChoiceModel,
    CoefficientCovariance,
    Hardmax,
    Integration,
    InvalidInputError,
    LatentClass,
    Lognormal,
    Normal,
    Policy,
    PolicyComparison,
    Softmax,
    Triangular,
    TruncatedNormal,
    Uniform,
    compare_policies,
    simulate_choices,
)
from choicekit.choice.policies.applying import apply_policy
from tests.choice.heterogeneity.commuters import UTILITIES, commuters, model, utilities
from tests.tolerances import ALGEBRA, FINITE_DIFFERENCE, assert_monte_carlo

FEW = Integration(points=16)
SPREAD = {"b_time": Normal(-0.5, 0.6)}
CLASSES = {
    "careful": LatentClass(share=0.3, coefficients={"b_cost": -2.0}),
    "hasty": LatentClass(share=0.7, coefficients={"b_time": -1.5}, rule=Softmax(0.5)),
}
FARES = {"fares": {"change": {"bus": {"cost": "0.5 * cost"}}}}


def compared(given: ChoiceModel, policies: dict[str, Any] = FARES, n: int = 40, **settings: Any) -> PolicyComparison:
    settings = {"seed": 1, "replications": 20, "bootstrap": 0, "elasticities": []} | settings
    return compare_policies(given, commuters(n, situations=settings.pop("situations", 1)), policies, **settings)


def value(utility: np.ndarray) -> np.ndarray:
    return np.log(np.exp(utility).sum(axis=-1))


# --- welfare --------------------------------------------------------------------------------------------------------


def halved(people: Any, **coefficients: Any) -> tuple[np.ndarray, np.ndarray]:
    """Utilities before and after the bus fare is halved."""
    before = utilities(people, **coefficients)
    after = before.copy()
    after[..., 0] -= 0.5 * np.asarray(coefficients.get("b_cost", -0.8))[..., None] * people.columns["cost"][:, 0]
    return before, after


def test_welfare_is_that_of_numerical_integration() -> None:
    people, z = commuters(40), np.linspace(-8, 8, 2001)
    weight = stats.norm.pdf(z) / stats.norm.pdf(z).sum()
    before, after = halved(people, b_time=-0.5 + 0.6 * z)
    welfare = compared(model(SPREAD)).policies["fares"].welfare
    wanted = weight @ (value(after) - value(before))
    np.testing.assert_allclose(welfare.by_row, wanted, rtol=2e-3)
    assert 0 < welfare.integration_error[0] < 1e-4
    assert_monte_carlo(welfare.mean[0], wanted.mean(), welfare.integration_error[0])


def test_welfare_in_money_divides_by_the_coefficient_of_each_type() -> None:
    people, z = commuters(40), np.linspace(-8, 8, 2001)
    weight = stats.norm.pdf(z) / stats.norm.pdf(z).sum()
    b_cost = -np.exp(-0.5 + 0.5 * z)
    before, after = halved(people, b_cost=b_cost)
    wanted = weight @ ((value(after) - value(before)) / -b_cost[:, None])
    found = compared(model({"b_cost": Lognormal(-0.5, 0.5, negative=True)}), money="b_cost", bootstrap=10)
    money = found.policies["fares"].money_welfare
    assert money is not None
    np.testing.assert_allclose(money.by_row, wanted, rtol=2e-3)
    assert 0 < money.integration_error[0] < 1e-3
    assert_monte_carlo(money.mean[0], wanted.mean(), money.integration_error[0])
    agents = found.policies["fares"].agents
    assert agents is not None
    assert agents.money_change is not None
    # a multiple is the same in other units
    cents = compared(model({"b_cost": Lognormal(-0.5, 0.5, negative=True)}), money="b_cost / 100").policies["fares"]
    assert cents.money_welfare is not None
    np.testing.assert_allclose(cents.money_welfare.by_row, 100 * money.by_row, rtol=1e-12)


def test_money_of_classes_divides_by_that_of_each() -> None:
    people = commuters(40)
    found = compared(model(classes=CLASSES), money="b_cost").policies["fares"].money_welfare
    first, second = halved(people, b_cost=-2.0), halved(people, b_time=-1.5)
    wanted = 0.3 * (value(first[1]) - value(first[0])) / 2.0
    wanted += 0.7 * 0.5 * (value(second[1] / 0.5) - value(second[0] / 0.5)) / 0.8
    assert found is not None
    np.testing.assert_allclose(found.by_row, wanted, rtol=1e-12)
    assert found.integration_error[0] == 0


@pytest.mark.parametrize(
    ("given", "money", "says"),
    [
        (Normal(-3.0, 0.1), "b_cost", "whose normal distribution reaches 0, so that its mean does not exist"),
        (Uniform(-1.0, 0.0), "b_cost", "reaches 0"),
        (Triangular(-2.0, -1.0, 0.5), "-(-b_cost)", "reaches 0"),
        (Lognormal(0.0, 0.5), "b_cost", "money must be worth something: minus 'b_cost' must be above 0"),
        (Lognormal(0.0, 0.5, negative=True), "-b_cost", "money must be worth something"),
        (Lognormal(0.0, 0.5, negative=True), "b_cost + b_time", "must be a multiple of one coefficient"),
        (Lognormal(0.0, 0.5, negative=True), "1 / b_cost", "must be a multiple of one coefficient"),
        (Lognormal(0.0, 0.5, negative=True), "log(b_cost)", "must be a multiple of one coefficient"),
    ],
)
def test_money_without_a_mean_is_refused(given: Any, money: str, says: str) -> None:
    with pytest.raises(InvalidInputError, match=says.replace("(", r"\(")):
        compared(model({"b_cost": given}, integration=FEW), money=money)


@pytest.mark.parametrize(
    ("given", "money"),
    [
        (Uniform(-2.0, -1.0), "b_cost"),
        (TruncatedNormal(-1.0, 1.0, None, -0.2), "0.5 * b_cost * age / 30"),
        (Normal(-1.0, 0.0), "b_cost"),
        (Lognormal(0.0, 0.5), "-b_cost"),
    ],
)
def test_money_that_keeps_off_zero_is_taken(given: Any, money: str) -> None:
    found = compared(model({"b_cost": given}, integration=FEW), money=money).policies["fares"].money_welfare
    assert found is not None
    assert np.all(np.isfinite(found.by_row))


# --- shares and their errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, {"classes": CLASSES}])
def test_a_comparison_is_two_simulations(settings: dict[str, Any]) -> None:
    given, people = model(SPREAD, integration=FEW, **settings), commuters(60)
    found = compared(given, n=60, replications=30).policies["fares"]
    cheaper = ChoiceModel(
        {**UTILITIES, "bus": UTILITIES["bus"].replace("cost +", "(0.5 * cost) +")},
        {"asc_bus": 0.4, "b_cost": -0.8, **SPREAD},
        integration=FEW,
        **settings,
    )
    before, after = (simulate_choices(each, people, seed=1, replications=30) for each in (given, cheaper))
    np.testing.assert_allclose(found.share_change[0], after.expected_shares - before.expected_shares, atol=ALGEBRA)
    change = found.estimate().change[0]
    np.testing.assert_allclose(change, after.simulated_shares - before.simulated_shares, atol=ALGEBRA)
    error = np.hypot(found.estimate().standard_error[0], found.share_change_integration_error[0])
    assert_monte_carlo(change, found.share_change[0], error)
    assert found.estimate().reduction[0].min() > 1.2


def test_the_error_of_a_change_is_smaller_than_those_of_its_parts() -> None:
    """Baseline and policy are integrated over the same points."""
    found = compared(
        model({"b_time": Normal(-0.5, 2.0)}, integration=FEW), {"p": {"change": {"bus": {"cost": "0.95 * cost"}}}}
    )
    simulated = simulate_choices(
        model({"b_time": Normal(-0.5, 2.0)}, integration=FEW), commuters(40), seed=1, replications=1
    )
    changed = found.policies["p"].share_change_integration_error[0]
    assert np.all(changed > 0)
    assert np.all(changed < simulated.integration_error_by_group()[0] / 3)


def test_a_policy_on_nothing_changes_nothing() -> None:
    found = compared(
        model(SPREAD, classes=CLASSES, integration=FEW), {"none": {"change": {"bus": {"cost": "1 * cost"}}}}
    )
    outcome = found.policies["none"]
    assert not outcome.share_change.any()
    assert not outcome.switched_share.any()
    assert not outcome.welfare.by_row.any()
    assert not outcome.share_change_integration_error.any()


def test_intervals_over_agents_and_parameters() -> None:
    given, errors = model(SPREAD, classes=CLASSES, integration=FEW), CoefficientCovariance(["asc_bus"], [[0.09]])
    with pytest.raises(InvalidInputError, match="names 'b_time', which is random"):
        compared(model(SPREAD), covariance=CoefficientCovariance(["b_time"], [[0.09]]))
    with pytest.raises(InvalidInputError, match="names 'b_cost', which is another in some class"):
        compared(given, covariance=pd.DataFrame([[0.09]], index=["b_cost"], columns=["b_cost"]))
    found = compared(given, covariance=errors, bootstrap=50, parameter_draws=40, situations=2).policies["fares"]
    for lower, upper in (found.interval_over_agents(), found.interval_over_parameters()):
        assert np.all(lower[0] < found.share_change[0])
        assert np.all(found.share_change[0] < upper[0])
    for source in ("agents", "parameters"):
        lower, upper = found.welfare_interval(source)  # type: ignore[arg-type]
        assert lower[0] < found.welfare.mean[0] < upper[0]


def test_rows_left_out_and_the_outside_option() -> None:
    given = model(
        SPREAD, classes=CLASSES, integration=FEW, on_no_alternative="outside",
        availability={"bus": "age > 30", "car": "age > 40", "walk": "age > 30"},
    )  # fmt: skip
    found = compared(given, {"no walk": {"remove": ["walk"]}, "old": {"filter": "age > 50", **FARES["fares"]}}, n=80)
    for outcome in found.policies.values():
        np.testing.assert_allclose(outcome.shares[0].sum(), 1, rtol=1e-12)
        assert np.all(np.isfinite(outcome.share_change_integration_error))
    assert found.agreement > 1e-3
    walk = found.alternatives.index("walk")
    assert found.policies["no walk"].shares[0, walk] == 0


# --- what a policy may change ---------------------------------------------------------------------------------------


def shares_under(given: ChoiceModel, policy: dict[str, Any]) -> np.ndarray:
    return compared(given, {"p": policy}).policies["p"].shares[0]


def test_a_formula_scales_the_coefficient_of_everybody() -> None:
    scaled = shares_under(model(SPREAD), {"coefficients": {"b_time": "0.5 * b_time"}})
    wanted = simulate_choices(model({"b_time": Normal(-0.25, 0.3)}), commuters(40), seed=1, replications=1)
    np.testing.assert_allclose(scaled, wanted.expected_shares, rtol=0, atol=ALGEBRA)


def test_a_number_makes_the_coefficient_the_same_for_all() -> None:
    fixed = shares_under(model(SPREAD), {"coefficients": {"b_time": -0.7}})
    plain = simulate_choices(model({"b_time": -0.7}), commuters(40), seed=1, replications=1)
    np.testing.assert_allclose(fixed, plain.expected_shares, rtol=0, atol=ALGEBRA)
    in_classes = shares_under(model(classes=CLASSES), {"coefficients": {"b_time": -0.7}})
    classes = {"careful": CLASSES["careful"], "hasty": LatentClass(share=0.7, rule=Softmax(0.5))}
    wanted = simulate_choices(model({"b_time": -0.7}, classes=classes), commuters(40), seed=1, replications=1)
    np.testing.assert_allclose(in_classes, wanted.expected_shares, rtol=0, atol=ALGEBRA)


def test_changed_coefficients_see_the_baseline_alone() -> None:
    policy = {"coefficients": {"asc_bus": "2 * asc_bus", "b_time": "asc_bus * b_time"}}
    both = shares_under(model(SPREAD), policy)
    wanted = model({"asc_bus": 0.8, "b_time": Normal(-0.2, 0.24)})
    np.testing.assert_allclose(
        both, simulate_choices(wanted, commuters(40), seed=1, replications=1).expected_shares, rtol=0, atol=ALGEBRA
    )
    errors = CoefficientCovariance(["asc_bus"], [[1e-12]])
    found = compared(model(SPREAD), {"p": policy}, covariance=errors, parameter_draws=3).policies["p"]
    assert found.parameters is not None
    for drawn in found.parameters.share_change[:, 0]:
        np.testing.assert_allclose(drawn, found.share_change[0], rtol=0, atol=3e-4)  # by one shift of the points


def test_a_rule_replaces_that_of_every_class() -> None:
    people = commuters(3)
    changed = apply_policy(Policy(rule=Hardmax()), model(classes=CLASSES), people)
    assert set(changed.rules) == {Hardmax()}
    found = compared(model(classes=CLASSES), {"hard": {"rule": Hardmax()}})
    assert any("another rule" in told for told in found.warnings)
    first, second = (Hardmax().probabilities(u).mean(axis=0) for u in (
        utilities(commuters(40), b_cost=-2.0), utilities(commuters(40), b_time=-1.5)
    ))  # fmt: skip
    np.testing.assert_allclose(found.policies["hard"].shares[0], 0.3 * first + 0.7 * second, rtol=0, atol=ALGEBRA)


def test_memberships_stay_as_they_were() -> None:
    classes = {
        "young": LatentClass(membership="1 - c_age * age", coefficients={"b_cost": -2.0}),
        "old": LatentClass(membership="0"),
    }
    given = model({"c_age": 0.02}, classes=classes)
    found = compared(given, {"age": {"attributes": {"age": "age + 50"}, "coefficients": {"c_age": 1.0}}})
    assert not found.policies["age"].share_change.any()
    assert any("who belongs to which class stays" in told for told in found.warnings)


# --- elasticities ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, {"classes": CLASSES}])
def test_elasticities_are_finite_differences_of_expected_shares(settings: dict[str, Any]) -> None:
    given = model(SPREAD, integration=FEW, **settings)
    found = compared(given, elasticities=["cost"])
    case, step = found.study.baseline, 1e-5
    for number, (_, name) in enumerate(found.responses.responses):
        shares = []
        for sign in (1, -1):
            text = UTILITIES[name].replace("* cost", f"* (cost * {1 + sign * step})")
            moved = ChoiceModel(
                {**UTILITIES, name: text}, {"asc_bus": 0.4, "b_cost": -0.8, **SPREAD}, integration=FEW, **settings
            )
            study = compared(moved).study
            joint = study.joint(slice(None), shifts=1)
            shares.append(joint.cases[0].probabilities.mean(axis=0))
        mean = case.rows(slice(None)).probabilities.mean(axis=0)
        slope = (shares[0] - shares[1]) / (2 * step) / mean
        np.testing.assert_allclose(found.responses.point[number], slope, rtol=5e-3, atol=FINITE_DIFFERENCE)


def test_elasticities_of_jumps_are_not_told() -> None:
    found = compared(model(SPREAD, rule=Hardmax(), integration=FEW), elasticities=["cost"])
    assert np.all(np.isnan(found.responses.point))
    assert np.all(np.isfinite(found.responses.arc))
