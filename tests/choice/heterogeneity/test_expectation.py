"""Expected shares and values are the integrals they claim to be, with the error they claim to have."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from choicekit import (
    ChoiceModel,
    Hardmax,
    Integration,
    LatentClass,
    Lognormal,
    Normal,
    Population,
    RandomCovariance,
    Softmax,
    TruncatedNormal,
    registered_rules,
    simulate_choices,
)
from tests.choice.heterogeneity.commuters import commuters, model, utilities
from tests.tolerances import ALGEBRA, assert_monte_carlo

TRAPEZOID = 1e-12
"""Error of the trapezoid on +-8 standard deviations with 4,001 points, which truncates 1e-15 of the mass."""

FEW = Integration(points=16)


def normal_nodes(mean: float, sd: float) -> tuple[np.ndarray, np.ndarray]:
    z = np.linspace(-8, 8, 4001)
    weight = stats.norm.pdf(z)
    weight[[0, -1]] /= 2
    return mean + sd * z, weight / weight.sum()


def logit(utility: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    top = utility.max(axis=-1, keepdims=True)
    size = np.exp(utility - top)
    return size / size.sum(axis=-1, keepdims=True), top[..., 0] + np.log(size.sum(axis=-1))


def trapezoid(people: Population) -> tuple[np.ndarray, float]:
    """Shares and mean value where b_time is normal, independent of the package."""
    nodes, weight = normal_nodes(-0.5, 0.6)
    shares, value = logit(utilities(people, b_time=nodes))
    return np.tensordot(weight, shares, 1).mean(axis=0), float((weight @ value).mean())


def test_mixed_shares_are_those_of_a_fine_trapezoid() -> None:
    people = commuters(40)
    outcome = simulate_choices(model({"b_time": Normal(-0.5, 0.6)}), people, seed=1, replications=1)
    shares, value = trapezoid(people)
    error = outcome.integration_error_by_group()[0]
    assert np.all(error > 100 * TRAPEZOID)
    assert np.all(error < 1e-4)
    assert_monte_carlo(outcome.expected_shares, shares, error)
    assert_monte_carlo(outcome.inclusive_value, value, outcome.inclusive_value_error_by_group()[0])


def test_more_points_come_nearer() -> None:
    people = commuters(5)
    shares, _ = trapezoid(people)
    off = []
    for points in (8, 512):
        mixed = model({"b_time": Normal(-0.5, 0.6)}, integration=Integration(points=points))
        outcome = simulate_choices(mixed, people, seed=2, replications=1)
        off.append(np.abs(outcome.expected_shares - shares).max())
    assert off[1] < off[0] / 8


def test_doubling_the_points_agrees_within_three_standard_errors() -> None:
    people, found = commuters(30), []
    kinds = {"b_time": Normal(-0.5, 0.6), "b_cost": Lognormal(-0.5, 0.6, negative=True)}
    for points in (64, 128):
        outcome = simulate_choices(model(kinds, integration=Integration(points=points)), people, seed=3, replications=1)
        found.append((outcome.expected_shares.to_numpy(), outcome.integration_error_by_group()[0]))
    apart = np.abs(found[1][0] - found[0][0])
    assert np.all(apart <= 3 * np.hypot(found[0][1], found[1][1]))
    assert np.all(apart > 0)


def test_the_integration_error_is_that_of_other_points() -> None:
    """Expected shares under other seeds scatter as their standard error says."""
    people, mixed = commuters(3), model({"b_time": Normal(-0.5, 0.6)}, integration=FEW)
    outcomes = [simulate_choices(mixed, people, seed=seed, replications=1) for seed in range(40)]
    scatter = np.var([outcome.expected_shares for outcome in outcomes], axis=0, ddof=1)
    claimed = np.mean([outcome.integration_error_by_group()[0] ** 2 for outcome in outcomes], axis=0)
    assert np.all((scatter / claimed > 0.4) & (scatter / claimed < 2.5))  # chi-square with 39 degrees: 0.4 to 2


def test_correlated_coefficients_have_the_shares_of_their_law() -> None:
    people, rng = commuters(30), np.random.default_rng(1)
    covariance = RandomCovariance(["b_cost", "b_time"], [[0.25, 0.2], [0.2, 0.36]])
    mixed = model({"b_cost": Normal(-0.8), "b_time": Normal(-0.5)}, random_covariance=covariance)
    outcome = simulate_choices(mixed, people, seed=1, replications=1)
    drawn = rng.multivariate_normal([-0.8, -0.5], covariance.matrix, 20_000)
    shares = logit(utilities(people, b_cost=drawn[:, 0], b_time=drawn[:, 1]))[0].mean(axis=1)
    error = np.hypot(shares.std(axis=0) / np.sqrt(len(shares)), outcome.integration_error_by_group()[0])
    assert_monte_carlo(outcome.expected_shares, shares.mean(axis=0), error)
    independent = model({"b_cost": Normal(-0.8, 0.5), "b_time": Normal(-0.5, 0.6)})
    apart = simulate_choices(independent, people, seed=1, replications=1).expected_shares - shares.mean(axis=0)
    assert np.abs(apart / error).max() > 10  # so the covariance matters here


@pytest.mark.parametrize("weighted", [False, True])
def test_class_shares_by_membership(weighted: bool) -> None:
    people = commuters(40, weighted=weighted)
    classes = {
        "young": LatentClass(membership="2 - c_age * age", coefficients={"b_cost": -2.0}),
        "old": LatentClass(membership="0", rule=Softmax(0.5)),
    }
    outcome = simulate_choices(model({"c_age": 0.05}, classes=classes), people, seed=1, replications=1)
    young = 1 / (1 + np.exp(0.05 * people.columns["age"] - 2))
    p_young, v_young = logit(utilities(people, b_cost=-2.0))
    p_old, v_old = logit(utilities(people) / 0.5)
    weight = np.ones(40) if people.weights is None else people.weights
    shares = weight @ (young[:, None] * p_young + (1 - young)[:, None] * p_old) / weight.sum()
    value = weight @ (young * v_young + (1 - young) * 0.5 * v_old) / weight.sum()
    np.testing.assert_allclose(outcome.expected_shares, shares, rtol=0, atol=ALGEBRA)
    np.testing.assert_allclose(outcome.inclusive_value, value, rtol=ALGEBRA)
    assert not outcome.integration_error_by_group().any()  # classes are summed, not integrated


def test_a_mixture_of_rules_is_the_weighted_sum_of_theirs() -> None:
    people = commuters(50)
    rules = {"soft": Softmax(), "sparse": registered_rules()["sparsemax"](), "hard": Hardmax()}
    shares = {"soft": 0.7, "sparse": 0.2, "hard": 0.1}
    classes = {name: LatentClass(share=share, rule=rules[name]) for name, share in shares.items()}
    outcome = simulate_choices(model(classes=classes), people, seed=1, replications=400)
    utility = utilities(people)
    expected = sum(shares[name] * rule.probabilities(utility).mean(axis=0) for name, rule in rules.items())
    value = sum(shares[name] * rule.value(utility).mean() for name, rule in rules.items())
    np.testing.assert_allclose(outcome.expected_shares, expected, rtol=0, atol=ALGEBRA)
    np.testing.assert_allclose(outcome.inclusive_value, value, rtol=ALGEBRA)
    assert outcome.sampling == "fast"  # sparsemax has no additive noise
    assert_monte_carlo(outcome.simulated_shares, expected, outcome.estimate_by_group().standard_error[0])
    assert outcome.agreement > 1e-3


def test_random_coefficients_within_classes() -> None:
    people = commuters(40)
    classes = {
        "spread": LatentClass(share=0.25, coefficients={"b_time": Normal(-0.5, 0.6)}),
        "alike": LatentClass(share=0.75, coefficients={"b_cost": -2.0}),
    }
    outcome = simulate_choices(model(classes=classes), people, seed=1, replications=1)
    expected = 0.25 * trapezoid(people)[0] + 0.75 * logit(utilities(people, b_cost=-2.0))[0].mean(axis=0)
    assert_monte_carlo(outcome.expected_shares, expected, outcome.integration_error_by_group()[0])


def test_a_class_may_share_the_covariance_and_have_another_mean() -> None:
    people = commuters(40)
    covariance = RandomCovariance(["b_time"], [[0.36]])
    classes = {"one": LatentClass(share=0.5, coefficients={"b_time": Normal(-1.5)}), "other": LatentClass(share=0.5)}
    mixed = model({"b_time": Normal(-0.5)}, random_covariance=covariance, classes=classes)
    plain = model({"b_time": Normal(-0.5, 0.6)}, classes={
        "one": LatentClass(share=0.5, coefficients={"b_time": Normal(-1.5, 0.6)}), "other": LatentClass(share=0.5)
    })  # fmt: skip
    found, wanted = (simulate_choices(each, people, seed=1, replications=1) for each in (mixed, plain))
    np.testing.assert_allclose(found.expected_shares, wanted.expected_shares, rtol=0, atol=ALGEBRA)


@pytest.mark.parametrize("given", [Normal(-0.5, 0.0), Lognormal(np.log(0.5), 0.0, negative=True)])
def test_without_spread_everybody_is_alike(given: Normal | Lognormal) -> None:
    people = commuters(30)
    settings = {"seed": 1, "replications": 20}
    fixed = simulate_choices(model(), people, **settings)
    spread = simulate_choices(model({"b_time": given}, integration=FEW), people, **settings)
    np.testing.assert_allclose(spread.expected_shares, fixed.expected_shares, rtol=0, atol=ALGEBRA)
    np.testing.assert_array_equal(spread.choices, fixed.choices)
    assert np.all(spread.integration_error_by_group() < ALGEBRA)


def test_the_outside_option_and_availability_hold_for_every_type() -> None:
    people = commuters(60)
    settings = {"availability": {"car": "age > 40", "bus": "age > 30", "walk": "age > 30"}, "integration": FEW}
    mixed = model({"b_time": Normal(-0.5, 0.6)}, on_no_alternative="outside", **settings)
    outcome = simulate_choices(mixed, people, seed=1, replications=40)
    age = people.columns["age"]
    np.testing.assert_allclose(outcome.expected_shares["outside_option"], np.mean(age <= 30), rtol=1e-15)
    assert set(np.unique(outcome.choices[:, age <= 30])) == {3}
    assert 1 not in outcome.choices[:, age <= 40]
    assert outcome.agreement > 1e-3
    left_out = simulate_choices(
        model({"b_time": Normal(-0.5, 0.6)}, on_no_alternative="skip", **settings), people, seed=1, replications=2
    )
    assert set(np.unique(left_out.choices[:, age <= 30])) == {-1}


def test_one_formula_for_all_and_columns_by_alternative() -> None:
    people = commuters(20)
    by_name = ChoiceModel(dict.fromkeys(people.alternatives, "b * cost"), {"b": Normal(-1, 0.5)}, integration=FEW)
    for_all = ChoiceModel("b * cost", {"b": Normal(-1, 0.5)}, integration=FEW)
    found, wanted = (simulate_choices(each, people, seed=1, replications=3) for each in (for_all, by_name))
    np.testing.assert_array_equal(found.expected_shares, wanted.expected_shares)
    np.testing.assert_array_equal(found.choices, wanted.choices)


def test_a_truncated_coefficient_stays_where_utilities_are_numbers() -> None:
    people = commuters(10)
    formulas = {"bus": "log(b) * cost", "car": "0"}
    kept = ChoiceModel(formulas, {"b": TruncatedNormal(1.0, 0.5, 0.1, 3.0)}, integration=FEW)
    assert simulate_choices(kept, people, seed=1, replications=2).integration_error_by_group().any()
